# SPDX-License-Identifier: Apache-2.0
"""P11, part by part: what becomes of a restored disk when one of them is taken out."""

from __future__ import annotations

from typing import Any

import pytest

from schema import crsqlite_rows
from sync.hub import grant
from sync.station import hello, journal
from tests.sync.disks import put_back, take_image


def restored(world: Any) -> tuple[Any, bytes, bytes]:
    """A station on an old disk, with work of the lost life at the hub and new work of its own."""
    station, first, second = world.station(), world.person(), world.person()
    station.sync()
    take_image(world, station.name)
    station.edit(first, phone="13900000001")
    station.sync()
    put_back(world, station.name)
    station.edit(second, phone="13900000002")
    return station, first, second


@pytest.mark.parametrize("guarded", [True, False])
def test_p11_a_disk_that_does_not_continue_the_hubs_history_is_noticed(
    world: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    station, _, second = restored(world)
    if not guarded:
        monkeypatch.setattr(hello, "reconcile", lambda db, welcome, then: None)

    report = station.sync()

    assert (report.ok, report.error_code) == ((True, "") if guarded else (False, "frozen"))
    assert world.phone(second) == ("13900000002" if guarded else "13800000000")


@pytest.mark.parametrize("guarded", [True, False])
def test_p11_unsent_cells_outlive_the_new_life(world: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool) -> None:
    station, _, second = restored(world)
    if not guarded:
        monkeypatch.setattr(journal, "keep", lambda *args: 0)

    station.sync()

    assert world.phone(second) == ("13900000002" if guarded else "13800000000")


@pytest.mark.parametrize("guarded", [True, False])
def test_p11_the_new_life_writes_as_another_author(world: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool) -> None:
    station, _, _ = restored(world)
    if not guarded:
        monkeypatch.setattr(crsqlite_rows, "take_site_id", lambda db, site: None)

    assert station.sync().ok is guarded


@pytest.mark.parametrize("guarded", [True, False])
def test_p11_two_machines_do_not_take_the_name_from_each_other(
    world: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    station = world.station()
    station.sync()
    take_image(world, station.name)
    station.state(case="x")
    station.sync()
    put_back(world, station.name)
    assert station.sync().ok
    put_back(world, station.name)
    if not guarded:
        monkeypatch.setattr(grant, "_doubt", lambda *args: "")

    assert station.sync().error_code == ("clone" if guarded else "")
