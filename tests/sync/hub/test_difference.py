# SPDX-License-Identifier: Apache-2.0
"""The hub's answers about digests: to the station that holds the slices, about what it asks, within limits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.equality import digest
from sync.hub import publish
from sync.wire import frame
from sync.wire.transport import Response
from tests.sync.county import Recorder, Station


@pytest.fixture
def asker(world: Any) -> Any:
    """A station that has exchanged once, and its way to ask."""
    station = world.station()
    world.person()
    world.person(village="330683101201")
    line = Recorder(world.transport())
    assert station.sync(line).equal is True
    headers = next(sent.headers for sent, _ in line.log if sent.headers)

    def ask(path: str, **query: Any) -> Response:
        asked = {name: str(value) for name, value in query.items()}
        answer: Response = world.request("GET", f"/s1/{path}", asked, headers=headers)
        return answer

    return station, ask


def code(answer: Response) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["code"]


def at_of(station: Station) -> int:
    return int(station.rows('SELECT max("after") FROM cursor')[0][0])


@pytest.mark.parametrize("route", ["buckets", "rows"])
@pytest.mark.parametrize(
    "slices",
    ["330683101", "county,330683100", "330683100,330683100", "330683100,330683101", "node:0100-2", "", "*", "township"],
)
def test_foreign_slices_and_half_families_are_refused(asker: Any, route: str, slices: str) -> None:
    station, ask = asker
    assert code(ask(f"{route}/{slices}", at=at_of(station), buckets="1"))[0] in (403, 404)
    if slices:
        assert code(ask(f"{route}/{slices}", at=at_of(station), buckets="1")) == (403, "not_in_slice")


BAD_NUMBERS = ["", "x", "-1", "1,", ",1", "1,,2", "2,1", "1,1", "1 ", "+1", "1.0", "٣", "0x1", "99999", "1," * 5000]


@pytest.mark.parametrize("numbers", [*BAD_NUMBERS, "64", "0,64", ",".join(map(str, range(17)))])
def test_bad_lists_of_groups_are_refused(asker: Any, numbers: str) -> None:
    station, ask = asker
    assert code(ask("buckets/county", at=at_of(station), groups=numbers)) == (400, "address")


@pytest.mark.parametrize("numbers", [*BAD_NUMBERS, "4096", ",".join(map(str, range(257)))])
def test_bad_lists_of_buckets_are_refused(asker: Any, numbers: str) -> None:
    station, ask = asker
    assert code(ask("rows/county", at=at_of(station), buckets=numbers)) == (400, "address")


@pytest.mark.parametrize("route", ["buckets", "rows"])
def test_a_position_that_is_none_or_past_is_refused(world: Any, asker: Any, route: str) -> None:
    station, ask = asker
    for at in ("", "x", "-1", "1" * 16):
        assert code(ask(f"{route}/county", at=at, buckets="1")) == (400, "address")
    at = at_of(station)
    with publish.transaction(world.hub) as pub:
        pub.put("division", {"code": "330683100", "name": "甘霖镇", "level": "township"})
    assert code(ask(f"{route}/county", at=at, buckets="1")) == (409, "moved")
    assert ask(f"{route}/330683100", at=at, buckets="1").status == 200, "other slices stand still"


def test_the_longest_lists_allowed_are_answered(asker: Any) -> None:
    station, ask = asker
    at = at_of(station)
    assert len(ask("buckets/330683100", at=at).body) == 64 * 16
    assert len(ask("buckets/330683100", at=at, groups=",".join(map(str, range(16)))).body) == 16 * 64 * 16
    assert ask("rows/330683100", at=at, buckets=",".join(map(str, range(3840, 4096)))).status == 200


def test_the_rows_of_a_bucket_are_those_of_the_slice_alone(world: Any, asker: Any) -> None:
    """A person of another township may lie in the same bucket."""
    station, ask = asker
    at = at_of(station)
    persons = [bytes(row[0]) for row in world.rows("SELECT id FROM person")]
    found = set()
    for bucket in {digest.bucket_of(person) for person in persons}:
        answer = ask("rows/330683100", at=at, buckets=bucket)
        content = frame.open_frame(answer.body, world.hub_public).content
        columns = content["rows"].get("person")
        found |= set(columns["v"][columns["c"].index("id")]) if columns else set()
    assert found == {bytes(row[0]) for row in station.rows("SELECT id FROM person")}
    assert len(found) == 1


@pytest.mark.parametrize("mine", ["", "..", "x" * 5000, "0" * 32 + "..", "'; DROP TABLE incident"])
def test_a_wrong_statement_is_counted_in_one_incident_without_its_words(world: Any, asker: Any, mine: str) -> None:
    station, ask = asker
    for _ in range(3):
        answer = json.loads(ask(f"digest/{','.join(station.slices)}", at=at_of(station), mine=mine).body)
        assert (answer["comparable"], bool(answer["differs"])) == (True, True)
    [(detail, times)] = world.rows("SELECT detail, times FROM incident")
    assert (detail, times) == ("county node township", 3)


def test_a_statement_that_differs_in_one_family_names_it(world: Any, asker: Any) -> None:
    station, ask = asker
    with world.hub.read() as db:
        right = [digest.of_hub(db, held).hex() for held in digest.families(station.slices).values()]
    mine = ".".join([*right[:2], "0" * 32])
    answer = json.loads(ask(f"digest/{','.join(station.slices)}", at=at_of(station), mine=mine).body)
    assert answer["differs"] == ["township"]


def test_a_person_of_two_held_slices_counts_once(world: Any) -> None:
    station = world.station(township=("330683100", "330683101"))
    person = world.person()
    with publish.transaction(world.hub) as pub:
        pub.place(person, ["330683101"])
    assert station.sync().equal is True
    with station.store.write() as db:
        db.execute("UPDATE person SET name = '换'")
    assert station.sync().equal is True
    assert station.rows("SELECT name FROM person") == [("测试甲",)]
