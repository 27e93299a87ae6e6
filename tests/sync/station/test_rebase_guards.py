# SPDX-License-Identifier: Apache-2.0
"""P11 without its guard: what becomes of a restored database that goes on as if nothing had happened."""

from __future__ import annotations

from typing import Any

import pytest

from sync.station import rebase
from tests.sync.disks import put_back, take_image


def work_done_after_a_restore_is_at_the_hub(world: Any, name: str) -> bool:
    station, first, second = world.station(name), world.person(), world.person()
    station.sync()
    take_image(world, name)
    station.edit(first, phone="13900000001")
    station.sync()
    put_back(world, name)
    station.edit(second, phone="13900000002")
    for _ in range(3):
        station.sync()
    return bool(world.phone(second) == "13900000002")


def test_p11_work_on_a_restored_database_arrives_only_if_it_begins_a_new_life(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its new edits bear versions, and its frames numbers, that the hub has seen with other content."""
    assert work_done_after_a_restore_is_at_the_hub(world, "0100-1")
    monkeypatch.setattr(rebase, "REASON_OF", {})
    assert not work_done_after_a_restore_is_at_the_hub(world, "0100-2")
