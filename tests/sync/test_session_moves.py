# SPDX-License-Identifier: Apache-2.0
"""A person moves from township to township: every row leaves one station and enters the other, whatever is cut when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from schema import ids
from sync.hub import publish
from sync.station import session
from tests.sync.county import Cut
from tests.sync.moving import A, B, Before, C, everything, incidents, late, move, settled, traces


@pytest.fixture(autouse=True)
def nothing_was_repaired(world: Any) -> Iterator[None]:
    """What a comparison finds and mends afterwards was lost all the same."""
    yield
    assert incidents(world) == []


def test_every_row_of_a_person_who_moves_leaves_one_station_and_enters_the_other(two: Any) -> None:
    world, a, b, person = two
    stays = settled(world)
    a.sync()
    assert set(traces(a, person)) == everything(world)

    move(world, person, B)
    reports = a.sync(), b.sync()

    assert [r.equal for r in reports] == [True, True]
    assert traces(a, person) == {}
    assert set(traces(b, person)) == everything(world)
    assert set(traces(a, stays)) == everything(world)
    assert [len(side.rows("SELECT id FROM household")) for side in (a, b)] == [1, 1]


class Spoiled:
    """Cuts the answers to the requests for `channel`, as a bad line does."""

    def __init__(self, inner: Any, channel: str) -> None:
        self.inner, self.channel = inner, channel

    def request(self, method: str, path: str, query: Any, *rest: Any) -> Any:
        answer = self.inner.request(method, path, query, *rest)
        return replace(answer, body=answer.body[:40]) if query.get("chan") == self.channel else answer


def test_who_is_still_shown_after_the_cells_left_may_be_edited_and_takes_the_new_cells_along(two: Any) -> None:
    world, a, b, person = two
    move(world, person, B)
    assert a.sync(Spoiled(world.transport(), "ref")).ok is False
    assert a.rows("SELECT id FROM contact WHERE id = ?", person) == []
    assert a.rows("SELECT id FROM person WHERE id = ?", person) == [(person,)]

    a.edit(person, phone="13900000088")
    reports = a.sync(), b.sync()

    assert [r.equal for r in reports] == [True, True]
    assert traces(a, person) == {"late_edit": 1}  # the station is told that a reviewer has it
    assert [(station, cols) for station, cols, _ in late(world)] == [("0100-1", "phone")]


def test_the_family_book_stays_while_a_member_does(two: Any) -> None:
    world, a, b, person = two
    (book,) = world.rows("SELECT household_id FROM person")[0]
    other = world.person(household_id=book)

    move(world, person, B)
    a.sync()
    assert a.rows("SELECT id FROM household") == [(book,)]

    move(world, other, B)
    assert (a.sync().equal, b.sync().equal) == (True, True)
    assert (a.rows("SELECT id FROM household"), b.rows("SELECT id FROM household")) == ([], [(book,)])


def test_a_slice_granted_for_another_reason_survives_the_move(two: Any) -> None:
    world, a, b, person = two
    c = world.station("0102-1", (C,))
    with publish.transaction(world.hub) as pub:
        pub.place(person, [B], "insured")

    move(world, person, C)

    assert [s.sync().equal for s in (a, b, c)] == [True, True, True]
    assert [bool(traces(s, person)) for s in (a, b, c)] == [False, True, True]
    move(world, person, B)
    move(world, person, A)
    assert [s.sync().equal for s in (a, b, c)] == [True, True, True]
    assert [bool(traces(s, person)) for s in (a, b, c)] == [True, True, False]


def test_a_unit_a_household_and_an_officer_leave_the_slice_they_were_in(two: Any) -> None:
    world, a, b, _ = two
    unit = {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": A}
    with publish.transaction(world.hub) as pub:
        pub.put("unit", unit)
    a.sync()
    for put in (lambda pub: pub.put("unit", unit | {"township": B}), lambda pub: pub.put_many("unit", [unit])):
        with publish.transaction(world.hub) as pub:
            put(pub)
            pub.put("officer", {"operator_no": a.officer, "station": b.name})
        assert (a.sync().equal, b.sync().equal) == (True, True)

        there = world.rows("SELECT township FROM unit")[0][0]
        assert [len(s.rows("SELECT 1 FROM unit")) for s in (a, b)] == [there == A, there == B]
        assert [len(s.rows("SELECT 1 FROM officer")) for s in (a, b)] == [0, 2]


class TestHeldTwice:
    """A station of two townships: it cannot know in which of them a person is."""

    def test_a_person_who_moves_within_the_station_stays(self, world: Any) -> None:
        station = world.station("0100-1", (A, B))
        person = settled(world)
        station.sync()

        move(world, person, B)

        assert station.sync().equal is True
        assert set(traces(station, person)) == everything(world)

    def test_a_person_who_leaves_both_is_gone(self, world: Any) -> None:
        station = world.station("0100-1", (A, B))
        person = settled(world)
        with publish.transaction(world.hub) as pub:
            pub.place(person, [B], "insured")
        station.sync()

        with publish.transaction(world.hub) as pub:
            pub.move(person, [B])
        assert station.sync().equal is True
        assert set(traces(station, person)) == everything(world)

        with publish.transaction(world.hub) as pub:
            pub.move(person, [C])
        assert station.sync().equal is True
        assert traces(station, person) == {}

    @pytest.mark.parametrize(("first", "second"), [(A, B), (B, A)])
    def test_wherever_in_a_session_the_person_moves(self, world: Any, first: str, second: str) -> None:
        station = world.station("0100-1", (A, B))
        person = settled(world, first + "201")
        station.sync()
        for at in range(1, 12):
            line = Before(world.transport(), partial(move, world, person, second), at=at)
            world.person()
            station.sync(line)
            assert set(traces(station, person)) == everything(world)

            assert station.sync().equal is True
            assert set(traces(station, person)) == everything(world)
            first, second = second, first
        assert line.count < at, "a longer session has places that were not tried"


class TestWhileTheStationIsAway:
    @pytest.mark.parametrize("saw_the_leave", [False, True])
    def test_there_and_back_again(self, two: Any, saw_the_leave: bool) -> None:
        world, a, b, person = two
        move(world, person, B)
        b.sync()
        b.edit(person, phone="13900000002", note="来过")
        b.sync()
        if saw_the_leave:
            assert a.sync().equal is True
        move(world, person, A)

        assert (a.sync().equal, b.sync().equal) == (True, True)
        assert (traces(b, person), set(traces(a, person))) == ({}, everything(world))
        assert a.rows("SELECT phone, note FROM contact") == [("13900000002", "来过")]

    def test_an_edit_made_meanwhile_meets_the_other_townships_as_any_concurrent_one(self, two: Any) -> None:
        world, a, b, person = two
        a.edit(person, phone="13900000001", address="东街")
        move(world, person, B)
        b.sync()
        b.edit(person, phone="13900000002")
        b.sync()
        move(world, person, A)

        a.sync()

        found = world.rows("SELECT kept, lost FROM conflict WHERE col = 'phone'")
        assert found == [("13900000002", "13900000001")]
        assert (a.sync().equal, late(world)) == (True, [])
        assert a.rows("SELECT phone, address FROM contact") == [("13900000002", "东街")]

    def test_what_a_station_wrote_before_the_person_left_is_not_sent_again_when_it_returns(self, two: Any) -> None:
        """Sent again, it met what others had written over it, and was a conflict nobody had made."""
        world, a, _b, person = two
        a.edit(person, phone="13900000001", note="甲")
        a.sync()
        move(world, person, B)
        a.sync()
        move(world, person, A)
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", person, {"note": "县里改的"})

        for _ in range(2):
            report = a.sync()
            assert (report.pushed_frames, report.equal) == (0, True)
        a.edit(person, phone="13900000002")

        assert (a.sync().pushed_items, world.phone(person)) == (1, "13900000002")
        assert world.rows("SELECT count(*) FROM conflict WHERE rule = 'H'") == [(0,)]

    def test_an_edit_based_on_what_the_first_stay_showed_is_no_conflict(self, two: Any) -> None:
        world, a, _b, person = two
        a.edit(person, phone="13900000001")
        move(world, person, B)
        move(world, person, A)

        a.sync()

        assert world.phone(person) == "13900000001"
        assert world.rows("SELECT count(*) FROM conflict WHERE col = 'phone'") == [(0,)]


@pytest.mark.parametrize("delivered", [False, True], ids=["before delivery", "after delivery"])
def test_nothing_is_lost_or_left_behind_wherever_the_line_breaks(
    world: Any, monkeypatch: pytest.MonkeyPatch, delivered: bool
) -> None:
    monkeypatch.setattr(session, "PAGE_BYTES", 2048)
    a, b = world.station("0100-1", (A,)), world.station("0101-1", (B,))
    people = [settled(world) for _ in range(12)]
    a.sync()
    b.sync()
    at, broken, here, there = 1, {a, b}, a, b
    while broken:
        broken = set()
        a.edit(people[0], note=f"第 {at} 次") if here is a else b.edit(people[0], note=f"第 {at} 次")
        for person in people:
            move(world, person, B if here is a else A)
        for station in (a, b):
            line = Cut(world.transport(), at, delivered=delivered)
            if station.sync(line).error_code == "unreachable":
                broken.add(station)
        for station in (a, b):
            station.sync()
            assert station.sync().equal is True
        here, there = there, here
        for person in people:
            assert set(traces(here, person)) - {"late_edit"} == everything(world)
            assert set(traces(there, person)) <= {"late_edit"}
        at += 1
    assert at > 12
    assert len(late(world)) == at - 1


def test_whoever_is_erased_is_gone_everywhere(two: Any) -> None:
    world, a, b, person = two
    with publish.transaction(world.hub) as pub:
        pub.place(person, [B], "insured")
    assert (a.sync().equal, b.sync().equal) == (True, True)
    a.edit(person, phone="13900000001")

    with publish.transaction(world.hub) as pub:
        pub.erase(person)

    a.sync()
    assert (a.sync().equal, b.sync().equal) == (True, True)
    assert [traces(s, person) for s in (a, b)] == [{}, {}]
    assert traces(world, person) == {"contact__crsql_pks": 1}
    assert a.rows("SELECT code FROM refusal WHERE direction = 'out'") == [("not_in_slice",)]
