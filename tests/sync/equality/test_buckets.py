# SPDX-License-Identifier: Apache-2.0
"""What is kept of a digest never differs from what a computation from all rows gives, whatever happened between."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import crsqlite_rows, database, ids
from schema.database import Store
from sync.equality import buckets, digest
from sync.equality.buckets import AtHub
from sync.hub import publish
from sync.wire.transport import InProcess
from tests.sync.county import TOWNSHIP, Station, World

OTHER = "330683101"


def enrolment(person: bytes, enrolment_id: bytes) -> dict[str, Any]:
    return {"id": enrolment_id, "person_id": person, "insurance": "居民养老", "state": "active",
            "began_month": "2026-01", "grade_fen": 50_000}  # fmt: skip


class History:
    """A county in which anything may happen, and the two ways to a digest."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, InProcess)
        self.stations = [
            self.world.station("0100-1"), self.world.station("0100-2", (TOWNSHIP, OTHER)),
            self.world.station("0100-3", (OTHER,)),
        ]  # fmt: skip
        self.kept = AtHub(self.world.hub)
        self.persons = [self.world.person(), self.world.person(village=OTHER + "201")]
        self.enrolments: list[bytes] = []

    def person(self, n: int) -> bytes:
        return self.persons[n % len(self.persons)]

    def station(self, n: int) -> Station:
        return self.stations[n % len(self.stations)]

    def do(self, what: str, n: int) -> None:
        getattr(self, what)(n)

    def new_person(self, n: int) -> None:
        self.persons.append(self.world.person(village=(TOWNSHIP, OTHER)[n % 2] + "201"))

    def rename(self, n: int) -> None:
        with publish.transaction(self.world.hub) as pub:
            pub.put("person", {"id": self.person(n), "name": f"测试{n}"})

    def move(self, n: int) -> None:
        with publish.transaction(self.world.hub) as pub:
            pub.put("person", {"id": self.person(n), "village": (TOWNSHIP, OTHER)[n % 3 % 2] + "202"})

    def also_placed(self, n: int) -> None:
        with publish.transaction(self.world.hub) as pub:
            pub.place(self.person(n), [TOWNSHIP, OTHER])

    def enrol(self, n: int) -> None:
        self.enrolments.append(ids.new_id())
        with publish.transaction(self.world.hub) as pub:
            pub.put("enrolment", enrolment(self.person(n), self.enrolments[-1]))

    def goes_over(self, n: int) -> None:
        """An enrolment turns out to be another person's."""
        if self.enrolments:
            with publish.transaction(self.world.hub) as pub:
                pub.put("enrolment", {"id": self.enrolments[n % len(self.enrolments)], "person_id": self.person(n)})

    def struck_out(self, n: int) -> None:
        if self.enrolments:
            with self.world.hub.write() as db:
                db.execute("DELETE FROM enrolment WHERE id = ?", (self.enrolments.pop(n % len(self.enrolments)),))

    def erase(self, n: int) -> None:
        """Registered twice by mistake: all rows go, everywhere."""
        if len(self.persons) > 1:
            with publish.transaction(self.world.hub) as pub:
                pub.erase(self.persons.pop(n % len(self.persons)))

    def leaves(self, n: int) -> None:
        with publish.transaction(self.world.hub) as pub:
            pub.move(self.person(n), [(TOWNSHIP, OTHER)[n % 2]])

    def cells(self, n: int) -> None:
        with publish.transaction(self.world.hub) as pub:
            pub.cells("contact", self.person(n), {"phone": f"1390000{n:04d}"})

    def county(self, n: int) -> None:
        with publish.transaction(self.world.hub) as pub:
            pub.put("division", {"code": f"33068310{n % 4}", "name": f"镇{n}", "level": "township"})
            pub.put("receipt_block", {"station": self.station(n).name, "year": 2026, "first": n, "last": n + 9})

    def edit(self, n: int) -> None:
        """A clerk may only change whom the station shows."""
        station = self.station(n)
        shown = [bytes(row[0]) for row in station.rows("SELECT id FROM person ORDER BY id")]
        if shown:
            station.edit(shown[n % len(shown)], note=f"{n}")

    def sync(self, n: int) -> None:
        self.station(n).sync()

    def evict(self, n: int) -> None:
        """A station loses a person's rows."""
        station = self.station(n)
        with station.store.merging() as db:
            crsqlite_rows.evict(db, "contact", [self.person(n)])
            db.execute("DELETE FROM person WHERE id = ?", (self.person(n),))

    def by_hand(self, n: int) -> None:
        with self.station(n).store.write() as db:
            db.execute("UPDATE person SET name = ? WHERE id = ?", (f"手改{n}", self.person(n)))

    def untracked(self, n: int) -> None:
        """Guard P1: a write past the extension's eyes."""
        with self.station(n).store.merging() as db:
            db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
            db.execute("UPDATE contact SET address = ? WHERE id = ?", (f"{n}", self.person(n)))

    def look(self, n: int) -> None:
        """Some look in between, so that what is kept is of different ages."""
        self.looks((n % 3,))

    def looks(self, which: Any = range(3)) -> None:
        now = self.world.clock.now()
        for station in (self.stations[i] for i in which):
            for family, held in digest.families(station.slices).items():
                with self.world.hub.read() as db:
                    right = digest.of_hub(db, held)
                assert self.kept.of(held, now).root == right
                assert self.kept.kept(held, now)[1].root == right
                with station.store.write() as db:
                    assert buckets.of_node(db, family, now).root == digest.of_node(db, family)


ACTIONS = ("new_person", "rename", "move", "also_placed", "leaves", "enrol", "goes_over", "struck_out", "cells",
           "county", "edit", "erase", "sync", "evict", "by_hand", "untracked", "look")  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 99)), min_size=4, max_size=20))
def test_what_is_kept_is_what_all_rows_give(history: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        county = History(Path(folder))
        try:
            county.looks()
            for what, n in history:
                county.do(what, n)
            county.looks()
        finally:
            county.world.close()


@pytest.fixture
def county(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path)
    yield made
    made.world.close()


def test_each_kind_of_change_is_noticed(county: History) -> None:
    for n in range(3):
        county.sync(n)
    for what in ACTIONS:
        for n in (0, 1):
            county.do(what, n)
        county.looks()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is computed from rows from now on: None for all buckets, else how many."""
    asked: list[Any] = []
    real = digest.hashes

    def count(db: Any, scope: Any, wanted: Any = None) -> dict[int, bytes]:
        asked.append(None if wanted is None else len(set(wanted)))
        return real(db, scope, wanted)

    monkeypatch.setattr(digest, "hashes", count)
    return asked


def test_a_change_costs_its_bucket_and_the_second_look_nothing(
    county: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        county.sync(n)
    asked = counted(monkeypatch)
    county.sync(0)
    assert asked == []

    county.rename(0)
    county.sync(0)
    county.sync(0)

    assert asked == [1, 1]  # the station's bucket and the hub's


def test_stations_of_the_same_slices_share_what_the_hub_computed(
    county: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = county.world.station("0100-4")
    for station in (*county.stations, neighbour):
        station.sync()
    asked = counted(monkeypatch)
    county.cells(0)

    for station in (county.stations[0], neighbour):
        assert station.sync().equal is True

    assert asked == [1, 1, 1]  # each station's own and one of the hub


def test_once_a_week_all_rows_are_read_again(county: History, monkeypatch: pytest.MonkeyPatch) -> None:
    county.sync(0)
    asked = counted(monkeypatch)
    county.world.clock.advance(days=6)
    county.sync(0)
    assert asked == []

    county.world.clock.advance(days=2)
    county.sync(0)

    assert asked == [None] * 6  # three families at each end


def test_a_clock_that_ran_ahead_does_not_make_an_old_digest_trusted_for_ever(
    county: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = county.world.clock.at
    county.world.clock.advance(days=300)
    county.sync(0)
    county.world.clock.at = right
    asked = counted(monkeypatch)

    county.sync(0)

    assert asked == [None] * 6


def test_what_is_forgotten_is_computed_anew(county: History) -> None:
    station = county.stations[0]
    county.sync(0)
    with station.store.write() as db:
        buckets.forget(db)
        assert database.setting(db, "epoch") == station.epoch
        db.execute("UPDATE digest_group SET hashes = zeroblob(1024)")

    county.looks()


def test_two_readers_of_one_hub_keep_what_is_right(county: History) -> None:
    """Two processes of a hub: what the slower one computed from an older state is not kept over the newer."""
    county.sync(0)
    held, now = (TOWNSHIP,), county.world.clock.now()
    slow = AtHub(Interrupted(county.world.hub, lambda: (county.rename(0), county.kept.of(held, now))))

    county.rename(2)
    slow.of(held, now)

    county.looks((0,))


class Interrupted:
    """A store whose first write waits until something else has happened."""

    def __init__(self, store: Store, happens: Any) -> None:
        self._store, self._happens = store, happens
        self.read = store.read

    def write(self) -> Any:
        happens, self._happens = self._happens, lambda: None
        happens()
        return self._store.write()
