# SPDX-License-Identifier: Apache-2.0
"""The record of edits that did not know of each other: both values whole, who and when, by which rule."""

from __future__ import annotations

from typing import Any

import pytest

from hub import conflict_decision, conflict_row
from node import contacts
from schema.database import IntegrityError
from sync.hub import publish
from sync.wire import codec
from sync.wire.transport import Response


def edit(world: Any, station: Any, person: bytes, officer: str, **cells: str | None) -> None:
    """As the station's page writes: with the officer and the time."""
    with station.store.write() as db:
        contacts.change(db, person, cells, officer, world.clock)


def pair(world: Any) -> tuple[Any, Any, bytes]:
    """Two stations of one township that have fetched one person."""
    a, b, person = world.station("0100-1"), world.station("0100-2"), world.person()
    a.sync(), b.sync()
    return a, b, person


class TestWhoAndWhen:
    def test_both_people_are_named_with_the_time_each_stated_and_the_time_each_arrived(self, world: Any) -> None:
        a, b, person = pair(world)
        edit(world, a, person, "3001", phone="13900000001")
        world.clock.advance(hours=1)
        edit(world, b, person, "3002", phone="13900000002")
        world.clock.advance(hours=1)
        a.sync()
        world.clock.advance(hours=1)
        b.sync(), a.sync()

        sql = (
            "SELECT kind, rule, kept, kept_by, kept_officer, kept_at, kept_received_at, lost, lost_by, lost_officer, "
            "lost_at, lost_received_at, kept_version, lost_version, found_at FROM conflict"
        )
        assert world.rows(sql) == a.rows(sql) == b.rows(sql)
        assert world.rows(sql) == [(
            "cell", "H", "13900000002", "0100-2", "3002", "2026-11-20T02:00:00.000Z", "2026-11-20T04:00:00.000Z",
            "13900000001", "0100-1", "3001", "2026-11-20T01:00:00.000Z", "2026-11-20T03:00:00.000Z", 2, 2,
            "2026-11-20T04:00:00.000Z",
        )]  # fmt: skip

    def test_the_loser_of_the_station_names_its_officer_and_the_hub_adds_the_winners(self, world: Any) -> None:
        """Rule N: the edit was made while the page that beat it was on its way."""
        a, b, person = pair(world)
        for last in "456":
            edit(world, b, person, "3002", phone=f"1390000000{last}")
        b.sync()

        class EditsWhilePulling:
            def request(self, method: str, path: str, *rest: Any) -> Response:
                if "/feed/330683100" in path and a.phone(person) == "13800000000":
                    edit(world, a, person, "3001", phone="13900000001")
                return inner.request(method, path, *rest)

        inner = world.transport()
        a.sync(EditsWhilePulling()), a.sync()

        sql = "SELECT rule, kept, kept_by, kept_officer, lost, lost_by, lost_officer, lost_at FROM conflict"
        expected = ("N", "13900000006", "0100-2", "3002", "13900000001", "0100-1", "3001", "2026-11-20T01:00:00.000Z")
        assert world.rows(sql) == a.rows(sql) == [expected]

    def test_nobody_is_named_for_a_value_that_somebody_else_wrote_over(self, world: Any) -> None:
        a, b, person = pair(world)
        edit(world, b, person, "3002", phone="13900000002")
        b.sync()
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", person, {"phone": "13900000009"})
        edit(world, a, person, "3001", phone="13900000001")
        a.sync()

        found = world.rows("SELECT kept, kept_by, kept_officer, lost_officer FROM conflict")
        assert found == [("13900000009", "hub", None, "3001")]

    def test_a_value_is_kept_to_its_last_character(self, world: Any) -> None:
        a, b, person = pair(world)
        longest = {station: name * 200 for station, name in ((a, "甲"), (b, "乙"))}
        for station, note in longest.items():
            station.edit(person, note=note)
            station.sync()

        found = world.rows("SELECT kept, lost FROM conflict")
        assert [set(values) for values in found] == [set(longest.values())]

    def test_a_record_is_never_rewritten(self, world: Any) -> None:
        a, b, person = pair(world)
        for station, phone in ((a, "13900000001"), (b, "13900000002")):
            station.edit(person, phone=phone)
            station.sync()
        with world.hub.write() as db, pytest.raises(IntegrityError, match="a conflict is never changed"):
            db.execute("UPDATE conflict SET lost = kept")


class TestDifferentColumns:
    def test_both_values_stand_and_the_meeting_is_listed_once_with_both_people(self, world: Any) -> None:
        a, b, person = pair(world)
        edit(world, a, person, "3001", phone="13900000001")
        edit(world, b, person, "3002", note="轮椅")
        for _ in range(2):
            a.sync(), b.sync()

        for side in (world, a, b):
            assert side.rows("SELECT phone, note FROM contact") == [("13900000001", "轮椅")]
        assert world.rows("SELECT count(*) FROM conflict") == [(0,)]
        sql = (
            "SELECT kind, col, value, station, officer, other_col, other_value, other_station, other_officer "
            "FROM parallel_edit"
        )
        assert world.rows(sql) == [
            ("disjoint", "note", "轮椅", "0100-2", "3002", "phone", "13900000001", "0100-1", "3001")
        ]

    def test_columns_that_make_sense_only_together_are_for_a_person_to_look_at(self, world: Any) -> None:
        a, b, person = pair(world)
        a.edit(person, address="东街 1 号")
        b.edit(person, address_village="330683100202")
        a.sync(), b.sync()

        assert world.rows("SELECT address, address_village FROM contact") == [("东街 1 号", "330683100202")]
        found = world.rows("SELECT kind, col, other_col FROM parallel_edit")
        assert found == [("group", "address_village", "address")]

    def test_half_of_an_address_that_lost_leaves_a_mixture_and_is_listed(self, world: Any) -> None:
        """A moved the resident to another village; of it stands the village alone, under B's house number."""
        a, b, person = pair(world)
        b.edit(person, address="东街 2 号")
        a.edit(person, address="东街 1 号", address_village="330683100202")
        b.sync(), a.sync()

        assert world.rows("SELECT address, address_village FROM contact") == [("东街 2 号", "330683100202")]
        assert world.rows("SELECT kept, lost FROM conflict") == [("东街 2 号", "东街 1 号")]
        assert world.rows("SELECT kind, col, other_col FROM parallel_edit") == [("group", "address_village", "address")]

    def test_a_whole_address_that_won_is_no_mixture(self, world: Any) -> None:
        a, b, person = pair(world)
        b.edit(person, address="东街 1 号")
        a.edit(person, address="东街 2 号", address_village="330683100202")
        b.sync(), a.sync()

        assert world.rows("SELECT kept, lost FROM conflict") == [("东街 2 号", "东街 1 号")]
        assert world.rows("SELECT kind FROM parallel_edit") == []

    def test_what_was_seen_before_writing_is_no_meeting(self, world: Any) -> None:
        a, b, person = pair(world)
        a.edit(person, phone="13900000001")
        a.sync(), b.sync()
        b.edit(person, note="轮椅")
        b.sync(), a.sync()

        assert world.rows("SELECT count(*) FROM parallel_edit") == [(0,)]

    def test_typing_on_while_the_line_is_down_is_one_meeting(self, world: Any) -> None:
        a, b, person = pair(world)
        b.edit(person, note="轮椅")
        b.sync()
        for last in "123":
            a.edit(person, phone=f"1390000000{last}")
            with a.store.write() as db:
                db.execute("DELETE FROM pull_mark")  # never told of anything: as if only pushes came through
            a.sync()

        assert world.rows("SELECT count(*) FROM parallel_edit") == [(1,)]


class TestErased:
    """Rule R: only the hub deletes, only as a legal erasure; what a station wrote unknowing does not vanish unseen."""

    def erased(self, world: Any, person: bytes) -> dict[str, Any]:
        with publish.transaction(world.hub) as pub:
            row = dict(pub.db.execute("SELECT * FROM person WHERE id = ?", (person,)).fetchone())
            pub.erase(person)
        return row

    def register_again(self, world: Any, row: dict[str, Any]) -> None:
        with publish.transaction(world.hub) as pub:
            pub.put("person", row)

    def test_an_edit_that_comes_after_the_erasure_is_refused_and_told_at_both_ends(self, world: Any) -> None:
        a, b, person = pair(world)
        edit(world, a, person, "3001", phone="13900000001")
        self.erased(world, person)

        a.sync()

        for side, direction in ((a, "out"), (world, "in")):
            found = side.rows("SELECT direction, item, code FROM refusal")
            assert found == [(direction, f"contact/{person.hex()}", "not_in_slice")]
        assert world.rows("SELECT count(*) FROM contact") == [(0,)]
        assert (a.sync().equal, b.sync().equal) == (True, True)

    def test_an_edit_not_yet_sent_when_the_erasure_is_fetched_is_sent_refused_and_told(self, world: Any) -> None:
        a, _, person = pair(world)
        self.erased(world, person)

        class EditsWhilePulling:
            def request(self, method: str, path: str, query: Any, *rest: Any) -> Response:
                if query.get("chan") == "ref" and a.phone(person) == "13800000000":
                    a.edit(person, phone="13900000001")
                return inner.request(method, path, query, *rest)

        inner = world.transport()
        a.sync(EditsWhilePulling())
        assert a.phone(person) is None
        a.sync()

        assert a.rows("SELECT code FROM refusal WHERE direction = 'out'") == [("not_in_slice",)]

    def test_an_erasure_that_was_a_mistake_leaves_the_edit_as_a_conflict_of_the_row(self, world: Any) -> None:
        """The person is registered again while the station was away: its value can still be chosen."""
        a, b, person = pair(world)
        edit(world, a, person, "3001", phone="13900000001")
        self.register_again(world, self.erased(world, person))

        a.sync(), a.sync(), b.sync()

        sql = "SELECT kind, rule, col, kept, kept_by, lost, lost_by, lost_officer FROM conflict"
        assert world.rows(sql) == [("row", "R", "phone", None, "hub", "13900000001", "0100-1", "3001")]
        assert a.rows(sql) == b.rows(sql) == world.rows(sql)
        assert a.rows("SELECT code FROM refusal") == [("tombstone",)]
        assert world.rows("SELECT count(*) FROM contact") == [(0,)]

    def test_an_edit_of_the_erased_row_loses_even_to_an_empty_cell_of_the_new_one(self, world: Any) -> None:
        a, _, person = pair(world)
        edit(world, a, person, "3001", note="轮椅")
        self.register_again(world, self.erased(world, person))
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", person, {"phone": "13900000009"})

        a.sync(), a.sync()

        assert world.rows("SELECT rule, kept, lost FROM conflict") == [("R", None, "轮椅")]
        assert a.rows("SELECT phone, note FROM contact") == [("13900000009", None)]

    def test_an_erasure_takes_the_record_and_the_decisions_about_the_person_with_it(self, world: Any) -> None:
        a, b, person = pair(world)
        for station, phone in ((a, "13900000001"), (b, "13900000002")):
            edit(world, station, person, "3001", phone=phone)
            station.sync()
        desk = conflict_row.read(world.hub.connection(), person)
        assert desk is not None
        conflict_decision.decide(world.hub, person, desk.stand, {"phone": "13900000001"}, "", "2003", world.clock)

        self.erased(world, person)

        for table in ("conflict", "conflict_decision", "cell_edit", "parallel_edit", "contact"):
            assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)], table

    @pytest.mark.parametrize("side", ["hub", "station"])
    def test_p8_the_database_lets_no_registry_row_be_deleted_otherwise(self, world: Any, side: str) -> None:
        a, _, person = pair(world)
        store = world.hub if side == "hub" else a.store
        with store.write() as db, pytest.raises(IntegrityError, match="a registry row is never deleted"):
            db.execute("DELETE FROM contact WHERE id = ?", (person,))
        with store.write() as db:
            db.execute("DROP TRIGGER contact_never_goes")
            db.execute("DELETE FROM contact WHERE id = ?", (person,))
            assert db.execute("SELECT 1 FROM contact WHERE id = ?", (person,)).fetchone() is None


def test_what_the_hub_refused_is_kept_with_the_values_typed(world: Any) -> None:
    a, _, person = pair(world)
    with publish.transaction(world.hub) as pub:
        pub.erase(person)
    edit(world, a, person, "3001", phone="13900000001", note="轮椅")

    a.sync()

    found = a.rows("SELECT content FROM refusal WHERE direction = 'out'")
    assert [codec.load(content) for (content,) in found] == [{"note": "轮椅", "phone": "13900000001"}]
