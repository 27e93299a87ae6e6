# SPDX-License-Identifier: Apache-2.0
"""The digest follows the register: whoever comes, moves, changes the number or goes; a change costs few bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import elsewhere
from node import elsewhere as station_side
from sync.hub import publish
from sync.slices import ELSEWHERE
from sync.wire.transport import InProcess
from tests.sync.county import World

HERE, THERE = "330683100", "330683101"
NUMBER, OTHER = "330683195501010016", "33068319650812001X"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, InProcess)
    yield made
    made.close()


def known(station: Any, number: str = NUMBER) -> str | None:
    with station.store.read() as db:
        found = station_side.known(db, number, station.world.clock.today())
    return found.township if found else None


def renewed(world: World, *stations: Any) -> None:
    """The hub's task ran, and the stations synced."""
    elsewhere.refresh_all(world.hub, world.clock)
    for station in stations:
        assert station.sync().equal is True


def test_a_station_without_a_line_knows_who_is_registered_in_another_township(world: World) -> None:
    a, b = world.station("0100-1", (HERE, ELSEWHERE)), world.station("0101-1", (THERE, ELSEWHERE))
    world.person(village=THERE + "201", id_number=NUMBER)
    renewed(world, a, b)
    assert known(a) == THERE
    assert known(a, OTHER) is None and known(a, NUMBER[:-1]) is None and known(a, "") is None
    assert known(b) is None  # it is in that station's own register


def test_nobody_of_another_township_can_be_read_from_what_came(world: World) -> None:
    a = world.station("0100-1", (HERE, ELSEWHERE))
    person = world.person(village=THERE + "201", id_number=NUMBER, name="邢秀英")
    renewed(world, a)
    with a.store.read() as db:
        held = b"".join(bytes(row["entries"]) for row in db.execute("SELECT entries FROM elsewhere"))
    assert NUMBER.encode() not in held and "邢".encode() not in held and person not in held
    assert a.rows("SELECT count(*) FROM person") == [(0,)]


def test_a_move_a_new_number_and_an_erasure_are_followed(world: World) -> None:
    a = world.station("0100-1", (HERE, ELSEWHERE))
    person = world.person(village=THERE + "201", id_number=NUMBER)
    renewed(world, a)
    for row in ({"village": "330683102201"}, {"id_number": OTHER}):
        with publish.transaction(world.hub) as pub:
            pub.put("person", {"id": person} | row)
        renewed(world, a)
    assert (known(a), known(a, OTHER)) == (None, "330683102")
    with publish.transaction(world.hub) as pub:
        pub.erase(person)
    renewed(world, a)
    assert known(a, OTHER) is None


def test_only_the_bucket_of_a_new_person_travels_and_a_change_of_nothing_else_does(world: World) -> None:
    a = world.station("0100-1", (HERE, ELSEWHERE))
    for n in range(40):
        world.person(village=THERE + "201", id_number=f"3306831955010{n:05d}")
    renewed(world, a)
    before = dict(world.rows("SELECT bucket, rev FROM elsewhere"))
    assert elsewhere.refresh(world.hub, world.clock) == 0
    world.person(village=THERE + "201", id_number=OTHER)
    assert elsewhere.refresh(world.hub, world.clock) == 1
    after = dict(world.rows("SELECT bucket, rev FROM elsewhere"))
    assert len([b for b in after if after[b] != before.get(b)]) == 1


def test_many_are_taken_some_at_a_time(world: World) -> None:
    for n in range(5):
        world.person(village=THERE + "201", id_number=f"3306831955010{n:05d}")
    assert [elsewhere.refresh(world.hub, world.clock, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_the_key_stays_and_every_township_keeps_its_number(world: World) -> None:
    a = world.station("0100-1", (HERE, ELSEWHERE))
    world.person(village=THERE + "201", id_number=NUMBER)
    renewed(world, a)
    key = world.rows("SELECT substr(entries, 1, 32) FROM elsewhere WHERE bucket = -1")
    world.person(village="330683002201", id_number=OTHER)
    renewed(world, a)
    assert world.rows("SELECT substr(entries, 1, 32) FROM elsewhere WHERE bucket = -1") == key
    assert (known(a), known(a, OTHER)) == (THERE, "330683002")


def test_a_station_that_was_never_given_the_slice_has_no_digest_and_says_nothing(world: World) -> None:
    a = world.station("0100-1", (HERE,))
    world.person(village=THERE + "201", id_number=NUMBER)
    renewed(world, a)
    assert known(a) is None and a.rows("SELECT count(*) FROM elsewhere") == [(0,)]
