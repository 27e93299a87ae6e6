# SPDX-License-Identifier: Apache-2.0
"""Edits that did not know of each other: one value everywhere, every loser kept, nothing invented."""

from __future__ import annotations

from typing import Any

from schema.errors import Unreachable
from sync.hub import publish
from sync.wire.transport import Response


class TestConflicts:
    def test_two_stations_editing_one_phone_leave_one_conflict_and_one_value(self, world: Any) -> None:
        a, b = world.station("0100-1"), world.station("0100-2")
        person = world.person()
        a.sync(), b.sync()
        a.edit(person, phone="13900000001")
        b.edit(person, phone="13900000002")

        a.sync(), b.sync(), a.sync(), b.sync()

        found = world.rows("SELECT row_id, col, kept, lost, kept_by, lost_by FROM conflict")
        assert found == [(person, "phone", "13900000002", "13900000001", "0100-2", "0100-1")]
        assert {a.phone(person), b.phone(person), world.phone(person)} == {"13900000002"}
        assert (a.sync().equal, b.sync().equal) == (True, True)
        assert a.rows("SELECT id, rev FROM conflict") == b.rows("SELECT id, rev FROM conflict")
        assert len(a.rows("SELECT id FROM conflict")) == 1

    def test_many_edits_at_one_station_do_not_hide_the_other_stations_edit(self, world: Any) -> None:
        """Three edits make version 4, which looks newer than a version 2 that was never seen."""
        a, b = world.station("0100-1"), world.station("0100-2")
        person = world.person()
        a.sync(), b.sync()
        b.edit(person, phone="13900000002")
        b.sync()
        for last in "345":
            a.edit(person, phone=f"1390000000{last}")

        a.sync()

        assert world.rows("SELECT kept, lost FROM conflict") == [("13900000005", "13900000002")]

    def test_an_edit_that_loses_before_it_was_sent_is_kept_as_conflict(self, world: Any) -> None:
        """Rule N: the pulled cell wins at the station, so the hub would never see the loser."""
        a, b = world.station("0100-1"), world.station("0100-2")
        person = world.person()
        a.sync(), b.sync()
        for last in "456":
            b.edit(person, phone=f"1390000000{last}")
        b.sync()

        class EditsWhilePulling:
            """The clerk types between push and pull."""

            def request(self, method: str, path: str, *rest: Any) -> Response:
                if "/feed/330683100" in path and a.phone(person) == "13800000000":
                    a.edit(person, phone="13900000001")
                return inner.request(method, path, *rest)

        inner = world.transport()
        a.sync(EditsWhilePulling())
        assert a.phone(person) == "13900000006"
        assert a.rows("SELECT kept, lost, lost_by, rev FROM conflict") == [("13900000006", "13900000001", "0100-1", 0)]
        assert world.rows("SELECT count(*) FROM conflict") == [(0,)]

        a.sync(), b.sync()

        expected = [("13900000006", "13900000001", "0100-2", "0100-1")]
        assert world.rows("SELECT kept, lost, kept_by, lost_by FROM conflict") == expected
        assert a.rows("SELECT kept, lost, kept_by, lost_by FROM conflict") == expected
        assert b.rows("SELECT kept, lost, kept_by, lost_by FROM conflict") == expected
        assert a.sync().equal is True

    def test_an_unsent_edit_that_wins_at_the_station_is_found_once_at_the_hub(self, world: Any) -> None:
        a, b = world.station("0100-1"), world.station("0100-2")
        person = world.person()
        a.sync(), b.sync()
        b.edit(person, phone="13900000009")
        b.sync()

        class EditsWhilePulling:
            def request(self, method: str, path: str, *rest: Any) -> Response:
                if "/feed/330683100" in path and a.phone(person) == "13800000000":
                    for last in "123":
                        a.edit(person, phone=f"1390000000{last}")
                return inner.request(method, path, *rest)

        inner = world.transport()
        a.sync(EditsWhilePulling())
        a.sync(), b.sync()

        assert world.rows("SELECT kept, lost FROM conflict") == [("13900000003", "13900000009")]
        assert a.rows("SELECT count(*) FROM conflict") == [(1,)]
        assert {a.phone(person), b.phone(person), world.phone(person)} == {"13900000003"}

    def test_a_value_that_lost_unseen_is_in_the_conflict_though_the_clerk_went_on(self, world: Any) -> None:
        station, person = world.station(), world.person(phone="1000000")
        station.sync()
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", person, {"phone": "1111111"})

        class ClerkAtWork:
            def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Any:
                if query.get("chan") == "reg":  # corrected twice, so it beats the hub's value
                    station.edit(person, phone="2222222")
                    station.edit(person, phone="3333333")
                return world.transport().request(method, path, query, headers, body)

        station.sync(ClerkAtWork())
        assert station.phone(person) == "3333333"
        station.edit(person, phone="4444444")
        station.sync()
        assert station.sync().equal is True

        assert world.phone(person) == "4444444"
        assert world.rows("SELECT kept, lost FROM conflict") == [("3333333", "1111111")]
        assert station.rows("SELECT kept, lost FROM conflict") == [("3333333", "1111111")]

    def test_an_edit_of_a_person_whose_contact_was_not_fetched_yet_has_seen_nothing_of_it(self, world: Any) -> None:
        station, person = world.station(), world.person(village="330683101201", phone="1000000")
        station.sync()
        with publish.transaction(world.hub) as pub:
            pub.place(person, ["330683100"])

        class NoCells:
            def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Any:
                if query.get("chan") == "reg":
                    raise Unreachable("线断了", "the line is cut")
                return world.transport().request(method, path, query, headers, body)

        station.sync(NoCells())
        assert station.rows("SELECT id FROM person") == [(person,)]
        station.edit(person, phone="2222222")
        station.sync()
        assert station.sync().equal is True

        assert world.rows("SELECT kept, lost FROM conflict") == [("2222222", "1000000")]

    def test_equal_values_are_agreement(self, world: Any) -> None:
        a, b = world.station("0100-1"), world.station("0100-2")
        person = world.person()
        a.sync(), b.sync()
        a.edit(person, phone="13900000001")
        b.edit(person, phone="13900000001")

        a.sync(), b.sync(), a.sync()

        assert world.rows("SELECT count(*) FROM conflict") == [(0,)]
        assert (a.sync().equal, b.sync().equal) == (True, True)

    def test_an_edit_made_after_seeing_the_other_is_no_conflict(self, world: Any) -> None:
        a, b = world.station("0100-1"), world.station("0100-2")
        person = world.person()
        a.sync(), b.sync()
        for number in range(4):
            editor, reader = (a, b) if number % 2 else (b, a)
            editor.edit(person, phone=f"1390000000{number}")
            editor.sync(), reader.sync()

        assert world.rows("SELECT count(*) FROM conflict") == [(0,)]
        assert world.phone(person) == "13900000003"

    def test_different_columns_of_one_row_both_survive_without_conflict(self, world: Any) -> None:
        a, b = world.station("0100-1"), world.station("0100-2")
        person = world.person()
        a.sync(), b.sync()
        a.edit(person, phone="13900000001")
        b.edit(person, note="轮椅")

        a.sync(), b.sync(), a.sync()

        assert a.rows("SELECT phone, note FROM contact") == [("13900000001", "轮椅")]
        assert world.rows("SELECT count(*) FROM conflict") == [(0,)]

    def test_two_stations_adding_the_same_missing_row_keep_both_columns(self, world: Any) -> None:
        a, b = world.station("0100-1"), world.station("0100-2")
        person = world.person(phone=None)
        a.sync(), b.sync()
        a.edit(person, phone="13900000001")
        b.edit(person, note="轮椅")

        a.sync(), b.sync(), a.sync()

        for side in (a, b, world):
            assert side.rows("SELECT phone, note FROM contact") == [("13900000001", "轮椅")]
        assert world.rows("SELECT count(*) FROM conflict") == [(0,)], "a NULL that an INSERT left is nobody's edit"

    def test_an_edit_of_the_hub_conflicts_like_any_other(self, world: Any) -> None:
        a = world.station()
        person = world.person()
        a.sync()
        a.edit(person, phone="13900000001")
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", person, {"phone": "13900000000"})

        a.sync()

        found = world.rows("SELECT kept, lost, kept_by, lost_by FROM conflict")
        assert found == [("13900000001", "13900000000", "0100-1", "hub")]
