# SPDX-License-Identifier: Apache-2.0
"""What a station wrote about a person who had left it already: before a reviewer, never lost, never merged unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sync.hub import publish
from tests.sync.moving import A, B, Before, incidents, late, move, traces


@pytest.fixture(autouse=True)
def nothing_was_repaired(world: Any) -> Iterator[None]:
    """What a comparison finds and mends afterwards was lost all the same."""
    yield
    assert incidents(world) == []


def test_an_edit_sent_after_the_move_waits_for_a_reviewer(two: Any) -> None:
    world, a, _b, person = two
    a.edit(person, phone="13900000001", address="东街", address_village="330683101201")
    move(world, person, B)

    report = a.sync()

    assert (report.ok, report.refused, report.equal) == (True, 1, True)
    assert a.rows("SELECT code FROM refusal WHERE direction = 'out'") == [("left_slice",)]
    waiting = [("0100-1", "address address_village", "waiting"), ("0100-1", "phone", "waiting")]
    assert late(world) == waiting
    assert a.rows("SELECT station, cols, state FROM late_edit ORDER BY cols") == waiting
    assert world.phone(person) == "13800000000"
    assert world.rows("SELECT count(*) FROM refusal") == [(0,)]
    assert traces(a, person) == {"late_edit": 2}


@pytest.mark.parametrize("channel", ["ref", "reg"])
def test_an_edit_between_push_and_leave_is_framed_before_the_row_goes(two: Any, channel: str) -> None:
    world, a, _b, person = two
    move(world, person, B)

    a.sync(Before(world.transport(), lambda: a.edit(person, phone="13900000001"), when=(A, channel)))

    assert traces(a, person) == {}
    assert late(world) == []
    assert a.sync().equal is True
    assert late(world) == [("0100-1", "phone", "waiting")]


def test_a_person_who_is_back_before_the_leaving_was_heard_of_shows_what_the_hub_has(two: Any) -> None:
    world, a, _b, person = two
    for last in "123":
        a.edit(person, phone=f"1390000000{last}")
    move(world, person, B)

    report = a.sync(Before(world.transport(), lambda: move(world, person, A), when=(A, "ref")))

    assert (report.ok, report.refused) == (True, 1)
    assert a.sync().equal is True
    assert late(world) == [("0100-1", "phone", "waiting")]
    assert a.phone(person) == world.phone(person) == "13800000000"
    a.edit(person, phone="13900000009")
    assert a.sync().equal is True
    assert world.phone(person) == "13900000009"


def test_a_late_edit_that_was_taken_over_before_the_leaving_was_heard_of_is_the_hubs(two: Any) -> None:
    """The same value on both sides, and one history of it: the station's own has the higher version."""
    world, a, _b, person = two
    for last in "123":
        a.edit(person, phone=f"1390000000{last}")
    move(world, person, B)

    def taken_over_and_back() -> None:
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", person, {"phone": "13900000003"})
        move(world, person, A)

    a.sync(Before(world.transport(), taken_over_and_back, when=(A, "ref")))

    assert a.sync().equal is True
    assert a.phone(person) == world.phone(person) == "13900000003"


def test_an_edit_that_had_lost_here_unsent_is_told_before_the_row_goes(two: Any) -> None:
    world, a, _b, person = two
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", person, {"phone": "13800000009"})
        pub.cells("contact", person, {"phone": "13800000008"})

    def edit_then_move() -> None:
        a.edit(person, phone="13900000001")

    a.sync(Before(world.transport(), edit_then_move, when=(A, "reg")))
    assert a.rows("SELECT count(*) FROM conflict WHERE rev = 0") == [(1,)]
    move(world, person, B)
    a.sync()

    assert a.sync().equal is True
    found = world.rows("SELECT kept, lost, lost_by FROM conflict WHERE col = 'phone'")
    assert found == [("13800000008", "13900000001", "0100-1")]
    assert traces(a, person) == {}


def test_a_row_that_only_the_station_has_goes_too(world: Any) -> None:
    a = world.station("0100-1", (A,))
    person = world.person(phone=None)
    a.sync()
    a.edit(person, phone="13900000001")
    move(world, person, B)

    assert a.sync().equal is True
    assert traces(a, person) == {"late_edit": 1}
    assert late(world) == [("0100-1", "phone", "waiting")]


def test_what_agrees_with_the_register_needs_no_reviewer(two: Any) -> None:
    world, a, b, person = two
    a.edit(person, phone="13900000001")
    move(world, person, B)
    b.sync()
    b.edit(person, phone="13900000001")
    b.sync()

    a.sync()

    assert late(world) == []


def test_after_thirty_days_it_is_a_strangers(two: Any) -> None:
    world, a, _b, person = two
    a.edit(person, phone="13900000001")
    move(world, person, B)
    world.clock.advance(days=30, seconds=1)

    a.sync()

    assert a.rows("SELECT code FROM refusal WHERE direction = 'out'") == [("not_in_slice",)]
    assert late(world) == []


def test_edits_of_those_who_stay_are_merged_from_the_same_frame(two: Any) -> None:
    world, a, _b, person = two
    stays = world.person()
    a.sync()
    a.edit(person, phone="13900000001")
    a.edit(stays, phone="13900000002")
    move(world, person, B)

    a.sync()

    assert (world.phone(stays), world.phone(person)) == ("13900000002", "13800000000")
