# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.web.keyring import DAY_S, IDLE_S, KeyRing
from tests.schema.web.conftest import Seconds


@pytest.fixture
def ring(seconds: Seconds) -> KeyRing:
    return KeyRing(monotonic=seconds)


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def test_a_session_has_its_own_token_and_the_officers_key(ring: KeyRing, key: Ed25519PrivateKey) -> None:
    first, second = ring.hold("3012", key), ring.hold("3012", key)
    assert first != second and len(first) == 32
    assert (ring.operator_no(first), ring.key(first)) == ("3012", key)


def test_an_unknown_token_is_nobody(ring: KeyRing) -> None:
    assert (ring.operator_no("0" * 32), ring.key("")) == (None, None)


def test_a_session_ends_after_five_idle_minutes(ring: KeyRing, key: Ed25519PrivateKey, seconds: Seconds) -> None:
    token = ring.hold("3012", key)
    seconds.now_s = IDLE_S - 1
    assert ring.key(token) is key
    seconds.now_s = IDLE_S
    assert ring.key(token) is None


def test_looking_does_not_keep_a_session_alive_but_work_does(
    ring: KeyRing, key: Ed25519PrivateKey, seconds: Seconds
) -> None:
    seen, worked = ring.hold("3012", key), ring.hold("3007", key)
    seconds.now_s = IDLE_S - 1
    ring.operator_no(seen)
    ring.touch(worked)
    seconds.now_s = IDLE_S
    assert (ring.operator_no(seen), ring.operator_no(worked)) == (None, "3007")


def test_no_session_outlives_the_working_day(ring: KeyRing, key: Ed25519PrivateKey, seconds: Seconds) -> None:
    token = ring.hold("3012", key)
    while seconds.now_s < DAY_S:
        assert ring.operator_no(token)
        ring.touch(token)
        seconds.now_s += IDLE_S / 2
    assert ring.operator_no(token) is None


def test_dropping_an_officer_ends_the_other_sessions(ring: KeyRing, key: Ed25519PrivateKey) -> None:
    mine, other, somebody = ring.hold("3012", key), ring.hold("3012", key), ring.hold("3007", key)
    ring.drop_officer("3012", keep=mine)
    assert [ring.operator_no(token) for token in (mine, other, somebody)] == ["3012", None, "3007"]
    ring.drop(mine)
    assert ring.operator_no(mine) is None


def test_ended_sessions_leave_no_key_in_memory(ring: KeyRing, key: Ed25519PrivateKey, seconds: Seconds) -> None:
    ring.hold("3012", key)
    seconds.now_s = IDLE_S
    ring.sweep()
    assert not ring._held
