# SPDX-License-Identifier: Apache-2.0
"""The bar tells the truth, and turns amber by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from node import contacts, status, unsent
from node.station import Station
from node.status import Status
from schema import database, self_test
from schema.clock import FixedClock, stamp
from sync.equality import incidents


def read(station: Station) -> Status:
    with station.store.read() as db:
        return status.read(db, station.config.id, station.home.path, station.clock)


@contextmanager
def linked(station: Station, **values: str) -> Iterator[None]:
    with station.store.write() as db:
        for name, value in values.items():
            database.upsert(db, "link", {"name": name, "value": value})
    yield


def test_a_quiet_station_has_nothing_amber(station: Station) -> None:
    now = read(station)
    assert (now.link, now.unsent, now.oldest_unsent_at, now.numbers_left, now.amber) == ("down", 0, None, 500, [])
    assert now.link_for == timedelta(hours=27)


def test_a_station_that_never_met_its_hub_says_so(node_store: Any, clock: FixedClock) -> None:
    with node_store.read() as db:
        now = status.read(db, "0100-1", node_store.path.parent, clock)
    assert (now.link, now.last_contact_at, now.equal_at) == ("never", None, None)


def test_facts_and_changed_cells_are_counted_and_the_oldest_gives_the_age(
    station: Station, clock: FixedClock, person: Callable[[str], bytes], enrol: Callable[..., Any]
) -> None:
    with station.store.write() as db:
        contacts.change(db, person("张建国"), {"phone": "13857582046"}, "3012", clock)
    clock.advance(hours=2)
    enrol(phone="15857501162", address="陈家路 4 号")
    now = read(station)
    assert (now.unsent, now.unsent_for) == (2, timedelta(hours=2))
    with station.store.read() as db:
        items = unsent.items(db)
    assert [(i.what, i.name, i.state) for i in items] == [
        ("case_submitted", "陈桂英", "unsent"),
        ("phone", "张建国", "unsent"),
    ]


def test_unsent_turns_amber_after_seven_days_and_not_before(
    station: Station, clock: FixedClock, enrol: Callable[..., Any]
) -> None:
    enrol()
    clock.advance(days=7)
    assert read(station).amber == []
    clock.advance(seconds=1)
    assert read(station).amber == ["unsent"]


@pytest.mark.parametrize(("last", "amber"), [(450, []), (449, ["numbers"])])
def test_fewer_than_fifty_numbers_turn_amber(station: Station, last: int, amber: list[str]) -> None:
    with station.store.write() as db:
        db.execute("UPDATE receipt_block SET last = ?", (last,))
    assert read(station).amber == amber


@pytest.mark.parametrize(("skew", "amber"), [("600", []), ("601", ["clock"]), ("-840.5", ["clock"])])
def test_a_clock_more_than_ten_minutes_off_turns_amber(station: Station, skew: str, amber: list[str]) -> None:
    with linked(station, clock_skew_s=skew):
        assert read(station).amber == amber


def test_a_refusal_by_the_hub_turns_amber_and_a_broken_line_does_not(station: Station) -> None:
    with linked(station, state="refused", last_error="revoked"):
        assert read(station).amber == ["refused"]
    with linked(station, state="down"):
        assert read(station).amber == []


def test_a_difference_from_the_hub_turns_amber_until_it_is_over(station: Station, clock: FixedClock) -> None:
    at = stamp(clock.now())
    with station.store.write() as db:
        incidents.record(db, "digest", "hub", "township", at)
    clock.advance(hours=1)
    assert (read(station).unequal_since, read(station).amber) == (at, ["unequal"])
    with station.store.write() as db:
        incidents.repaired(db, "digest", "hub", stamp(clock.now()))
    assert (read(station).unequal_since, read(station).amber) == (None, [])


def test_a_full_disk_turns_amber(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "DISK_LOW_BYTES", 2**62)
    assert read(station).amber == ["disk"]


def test_a_clock_set_back_gives_no_negative_age(station: Station, clock: FixedClock, enrol: Callable[..., Any]) -> None:
    enrol()
    clock.advance(hours=-3)
    assert read(station).unsent_for == timedelta()
