# SPDX-License-Identifier: Apache-2.0
"""Who is in which slice, and what the feeds say when that changes."""

from __future__ import annotations

from typing import Any

import pytest

from schema import ids
from sync.hub import members, publish
from tests.sync.moving import A, B, C, everything, move, settled

WIRE = {"contact__crsql_pks"}


def fed(world: Any, slice_: str, op: int) -> set[str]:
    return {row[0] for row in world.rows("SELECT tbl FROM slice_feed WHERE slice = ? AND op = ?", slice_, op)}


def slices(world: Any, person: bytes) -> dict[str, str | None]:
    with world.hub.read() as db:
        return members.of(db, person)


def test_one_entry_per_row_says_the_newest_of_what_happened(world: Any) -> None:
    person, all_tables = settled(world), everything(world) - WIRE
    for township, left in ((B, A), (A, B), (C, A)):
        move(world, person, township)
        assert fed(world, township, publish.UPSERT) - {"household"} == all_tables
        assert fed(world, left, publish.LEAVE) - {"household"} == all_tables


def test_what_happens_is_in_one_transaction_with_its_cause(world: Any) -> None:
    person = settled(world)
    before = world.rows("SELECT * FROM slice_feed"), world.rows("SELECT * FROM slice_member")
    with pytest.raises(RuntimeError), publish.transaction(world.hub) as pub:
        pub.put("person", {"id": person, "village": B + "201"})
        raise RuntimeError
    assert (world.rows("SELECT * FROM slice_feed"), world.rows("SELECT * FROM slice_member")) == before
    assert world.rows("SELECT * FROM slice_left") == []


def test_the_time_spent_in_a_slice_is_on_record(world: Any) -> None:
    person = settled(world)
    (since,) = world.rows("SELECT since_seq FROM slice_member")[0]
    move(world, person, B)

    at = "2026-11-20T01:00:00.000Z"
    ((person_, slice_, began, ended, left_at),) = world.rows("SELECT * FROM slice_left")
    assert (person_, slice_, began, left_at) == (person, A, since, at)
    newest = world.rows("SELECT max(seq) FROM slice_feed WHERE slice = ? AND tbl = 'person'", A)[0][0]
    assert since < newest <= ended < world.rows("SELECT since_seq FROM slice_member")[0][0]


def test_a_move_makes_the_membership_exactly_what_is_wanted(world: Any) -> None:
    person = settled(world)
    for wanted, granted in (
        ((A, B), {A: None, B: "granted"}), ((B, C), {B: "granted", C: "granted"}), ((A,), {A: None}), ((), {}),
    ):  # fmt: skip
        with publish.transaction(world.hub) as pub:
            pub.move(person, wanted)
        assert slices(world, person) == granted


def test_what_is_granted_where_the_person_lives_outlasts_the_move(world: Any) -> None:
    person = settled(world)
    with publish.transaction(world.hub) as pub:
        pub.place(person, [A], "insured")
    move(world, person, B)
    assert slices(world, person) == {A: "insured", B: None}
    assert fed(world, A, publish.LEAVE) == {"household"}


def test_within_a_township_nothing_moves(world: Any) -> None:
    person = settled(world)
    with publish.transaction(world.hub) as pub:
        pub.put("person", {"id": person, "village": A + "999"})
    assert (slices(world, person), fed(world, A, publish.LEAVE)) == ({A: None}, set())


def test_a_family_book_of_another_township_stays_where_it_is(world: Any) -> None:
    person = settled(world)
    with publish.transaction(world.hub) as pub:
        (book,) = world.rows("SELECT id FROM household")[0]
        pub.put("household", {"id": book, "village": C + "201"})
    move(world, person, B)
    assert world.rows("SELECT village FROM household") == [(C + "201",)]


def test_a_row_that_goes_over_to_another_person_leaves_with_that(world: Any) -> None:
    first, second = settled(world), world.person(B + "201")
    (unit,) = world.rows("SELECT id FROM employment")[0]
    with publish.transaction(world.hub) as pub:
        pub.put("employment", {"id": unit, "person_id": second})
    found = world.rows("SELECT slice, op FROM slice_feed WHERE tbl = 'employment' ORDER BY slice")
    assert found == [(A, publish.LEAVE), (B, publish.UPSERT)]
    assert slices(world, first) == {A: None}


def test_nothing_of_somebody_erased_is_left_but_the_tombstone(world: Any) -> None:
    person, stranger = settled(world), settled(world)
    with publish.transaction(world.hub) as pub:
        pub.erase(person)

    for name in ("slice_member", "slice_left", *sorted({"person", "contact", "conflict"})):
        column = {"person": "id", "contact": "id", "conflict": "row_id"}.get(name, "person_id")
        found = {row[0] for row in world.rows(f"SELECT {column} FROM {name}")}
        assert person not in found and (name == "slice_left" or stranger in found)
    assert world.rows("SELECT count(*) FROM contact__crsql_clock WHERE col_name = '-1' AND col_version = 2") == [(1,)]
    assert fed(world, A, publish.DELETED) == everything(world) - WIRE


def test_who_was_never_known_can_be_erased_without_a_trace(world: Any) -> None:
    with publish.transaction(world.hub) as pub:
        pub.erase(ids.new_id())
    assert world.rows("SELECT * FROM slice_feed") == []
