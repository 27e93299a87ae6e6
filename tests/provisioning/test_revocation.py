# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest

from provisioning.hub_folder import OpenHub
from provisioning.kit import Kit
from provisioning.revocation import revoke
from schema.clock import FixedClock
from schema.errors import ConfigError, UnknownSubject, WrongState


def test_a_revocation_is_recorded_with_instant_and_reason(
    hub: OpenHub, make_kit: Callable[..., Kit], clock: FixedClock
) -> None:
    make_kit()
    at = revoke(hub.store, "0100-1", " 电脑失窃 ", clock)
    with hub.store.read() as db:
        record = db.execute("SELECT revoked_at, revoked_reason FROM node_record").fetchone()
    assert tuple(record) == (at, "电脑失窃") == ("2026-11-23T01:00:00.000Z", "电脑失窃")


def test_a_revocation_is_final(hub: OpenHub, make_kit: Callable[..., Kit], clock: FixedClock) -> None:
    make_kit()
    revoke(hub.store, "0100-1", "失窃", clock)
    with pytest.raises(WrongState):
        revoke(hub.store, "0100-1", "再来", clock)
    with pytest.raises(WrongState):
        make_kit()


def test_an_unknown_station_or_an_empty_reason_revokes_nothing(
    hub: OpenHub, make_kit: Callable[..., Kit], clock: FixedClock
) -> None:
    make_kit()
    with pytest.raises(UnknownSubject):
        revoke(hub.store, "0104-1", "失窃", clock)
    with pytest.raises(ConfigError):
        revoke(hub.store, "0100-1", "  ", clock)
    with hub.store.read() as db:
        assert db.execute("SELECT revoked_at FROM node_record").fetchone()[0] is None
