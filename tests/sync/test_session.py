# SPDX-License-Identifier: Apache-2.0
"""What a session brings about: whatever the line does, nothing is lost, doubled or silently overridden."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from schema import database, events, ids
from schema.errors import Refusal, Unreachable
from sync import outbox, publish
from sync.transport import Response


def work(world: Any, station: Any, person: bytes) -> None:
    """A morning at the counter and at the hub: facts and cells from both sides."""
    station.state(case="one")
    station.edit(person, phone="13911111111", address="东街 1 号")
    station.state(case="two")
    hub_fact(world, station.name)
    other = world.person(phone="0575-83000001")
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", other, {"note": "中心备注"})
        pub.put("unit", {"id": ids.new_id(), "uscc": "91330683MA0000000X", "name": "测试厂", "township": "330683100"})


def hub_fact(world: Any, station: str, kind: str = "case_accepted") -> events.Fact:
    with publish.transaction(world.hub) as pub:
        fact = events.state(
            pub.db, kind, ids.new_id(), {"case_id": ids.new_id()}, officer="2001", key=world.hub_key, clock=world.clock,
            received_at="2026-11-20T01:00:00.000Z",
        )  # fmt: skip
        pub.fact(fact, station)
    return fact


def content(side: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Everything both sides must agree on, read with plain SQL rather than with the code under test."""
    return {
        "contact": side.rows("SELECT id, phone, address, note FROM contact ORDER BY id"),
        "versions": side.rows(
            "SELECT p.id, c.col_name, c.col_version FROM contact__crsql_clock c "
            "JOIN contact__crsql_pks p ON p.__crsql_key = c.key ORDER BY 1, 2"
        ),
        "person": side.rows("SELECT id, name, rev FROM person ORDER BY id"),
        "unit": side.rows("SELECT id, name, rev FROM unit ORDER BY id"),
        "fact": side.rows("SELECT id, hash FROM fact ORDER BY id"),
    }


class TestOverEveryTransport:
    def test_first_session_brings_the_slice_and_proves_equality(self, carried_world: Any) -> None:
        world, station = carried_world, carried_world.station()
        person = world.person()
        world.person(village="330683101201")

        report = station.sync()

        assert (report.ok, report.error_code, report.caught_up, report.equal) == (True, "", True, True)
        assert station.rows("SELECT id FROM person") == [(person,)]
        assert station.phone(person) == "13800000000"
        assert world.rows("SELECT last_equal_at IS NOT NULL FROM node_record") == [(1,)]

    def test_work_of_both_sides_meets(self, carried_world: Any) -> None:
        world, station = carried_world, carried_world.station()
        person = world.person()
        station.sync()
        work(world, station, person)

        report = station.sync()

        assert (report.ok, report.equal, report.refused) == (True, True, 0)
        assert content(station) == content(world)
        assert station.rows("SELECT count(*) FROM fact WHERE received_at IS NULL") == [(0,)]
        assert [f.body["case"] for f in world.taken] == ["one", "two"]
        assert [f.kind for f in station.received] == ["case_accepted"]

    def test_revocation_counts_from_the_moment_it_is_written(self, carried_world: Any) -> None:
        world, station = carried_world, carried_world.station()
        station.sync()
        station.state(case="after")
        with world.hub.write() as db:
            database.update(db, "node_record", {"id": station.name}, {"revoked_at": "2026-11-20T01:00:00.000Z"})

        report = station.sync()

        assert (report.ok, report.error_code) == (False, "revoked")
        assert "注销" in report.error_zh and "revoked" in report.error_en
        assert station.rows("SELECT value FROM link WHERE name = 'state'") == [("refused",)]
        assert world.taken == []

    def test_a_lost_reply_after_the_commit_costs_nothing(self, carried_world: Any, cut: Any) -> None:
        world, station = carried_world, carried_world.station()
        person = world.person()
        station.sync()
        station.state(case="one")
        station.edit(person, phone="13911111111")
        line = cut(world.transport(), 2, delivered=True)

        assert station.sync(line).error_code == "unreachable"
        report = station.sync()

        assert (report.ok, report.equal) == (True, True)
        assert len(world.taken) == 1
        assert world.phone(person) == "13911111111"


class TestCutAnywhere:
    @pytest.mark.parametrize("delivered", [False, True], ids=["before delivery", "after delivery"])
    def test_nothing_is_lost_or_doubled_wherever_the_line_breaks(self, world: Any, cut: Any, delivered: bool) -> None:
        station, other = world.station(), world.station("0100-2")
        person = world.person()
        station.sync()
        other.sync()
        at, broken = 1, True
        while broken:
            taken, facts = len(world.taken), len(station.received)
            work(world, station, person)
            other.edit(person, note=f"第 {at} 次")
            other.sync()
            line = cut(world.transport(), at, delivered=delivered)
            broken = station.sync(line).error_code == "unreachable"
            assert broken == (line.count >= at)

            report = station.sync()

            assert (report.ok, report.equal) == (True, True)
            assert content(station)["versions"] == content(world)["versions"]
            assert content(station)["fact"] == content(world)["fact"]
            assert len(world.taken) == taken + 2
            assert len(station.received) == facts + 1
            at += 1
        assert at > 8, "the session has fewer requests than the faults it should meet"

    def test_every_request_may_be_delivered_twice(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        work(world, station, person)

        class Twice:
            def request(self, *args: Any) -> Response:
                inner.request(*args)
                return inner.request(*args)

        inner = world.transport()
        report = station.sync(Twice())

        assert (report.ok, report.equal) == (True, True)
        assert content(station) == content(world)
        assert len(world.taken) == 2

    def test_frames_are_sent_again_byte_identical(self, world: Any, cut: Any, recorder: Any) -> None:
        station = world.station()
        station.sync()
        station.state(case="one")
        first, second = recorder(world.transport()), recorder(world.transport())

        station.sync(cut(first, 2, delivered=True))
        world.clock.advance(hours=3)
        station.sync(second)

        pushed = [[r.body for r, _ in line.log if r.method == "PUT"] for line in (first, second)]
        assert len(pushed[0]) == 1
        assert pushed[0] == pushed[1]

    def test_bytes_are_kept_until_the_receipt_and_not_longer(self, world: Any, cut: Any) -> None:
        station = world.station()
        station.sync()
        station.state(case="one")

        station.sync(cut(world.transport(), 2, delivered=True))
        before = station.rows("SELECT bytes IS NULL, receipt IS NULL FROM outbox_frame")
        station.sync()
        after = station.rows("SELECT bytes IS NULL, receipt IS NULL FROM outbox_frame")

        assert (before, after) == ([(0, 1)], [(1, 0)])


class TestIdle:
    def test_sessions_without_news_do_not_grow_anything(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.edit(person, note="x")
        station.sync()
        station.sync()

        def sizes(side: Any) -> dict[str, int]:
            names = [r[0] for r in side.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            return {name: side.rows(f"SELECT count(*) FROM {name}")[0][0] for name in names}

        before = sizes(station), sizes(world), world.rows("SELECT seq FROM feed_head")
        for _ in range(5):
            assert station.sync().equal is True
        assert (sizes(station), sizes(world), world.rows("SELECT seq FROM feed_head")) == before

    def test_a_session_without_news_is_two_small_requests(self, world: Any, recorder: Any) -> None:
        station = world.station()
        world.person()
        station.sync()
        line = recorder(world.transport())

        report = station.sync(line)

        assert [(r.method, r.path.split("/")[2]) for r, _ in line.log] == [("POST", "hello"), ("GET", "digest")]
        assert report.bytes_out + report.bytes_in < 1500

    def test_an_edit_after_a_no_op_update_is_still_sent(self, world: Any) -> None:
        """P2: an update that changes nothing bumps the extension's counter in memory only."""
        station = world.station()
        person = world.person()
        station.sync()
        for _ in range(3):
            with station.store.write() as db:
                db.execute("UPDATE contact SET phone = phone WHERE id = ?", (person,))
            station.sync()
        station.store.close()

        station.edit(person, phone="13922222222")
        station.sync()

        assert world.phone(person) == "13922222222"

    def test_echo_of_own_cells_is_not_sent_back(self, world: Any, recorder: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        station.edit(person, phone="13933333333")

        report = station.sync()

        assert report.equal is True
        assert station.rows(
            "SELECT count(*) FROM contact__crsql_clock WHERE site_id = 0 AND db_version > "
            "(SELECT max(upto) FROM outbox_frame WHERE channel = 'reg')"
        ) == [(0,)]


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


class TestRefusedItems:
    def test_a_poison_row_is_set_aside_with_its_reason_and_the_rest_arrives(self, world: Any) -> None:
        station = world.station()
        people = [world.person() for _ in range(9)]
        station.sync()
        with world.hub.write() as db:
            db.execute(
                "CREATE TRIGGER poison BEFORE UPDATE ON contact WHEN NEW.phone = '13966666666' "
                "BEGIN SELECT RAISE(ABORT, 'poison'); END"
            )
        for number, person in enumerate(people):
            station.edit(person, phone="13966666666" if number == 4 else f"1390000000{number}")

        report = station.sync()

        assert (report.ok, report.refused, report.equal) == (True, 1, False)
        assert [world.phone(p) for p in people] == [f"1390000000{n}" if n != 4 else "13800000000" for n in range(9)]
        item = f"contact/{people[4].hex()}"
        kept = "SELECT direction, peer, channel, item, code FROM refusal"
        assert world.rows(kept) == [("in", "0100-1", "reg", item, "database")]
        assert station.rows(kept) == [("out", "hub", "reg", item, "database")]
        person = people[0]
        with publish.transaction(world.hub) as pub:
            assert pub.cells("contact", person, {"note": "P1: the hub still tracks"})
        station.sync()
        assert station.rows("SELECT note FROM contact WHERE id = ?", person) == [("P1: the hub still tracks",)]

    def test_rows_of_another_slice_are_refused_and_named(self, world: Any) -> None:
        station = world.station()
        foreign, mine = world.person(village="330683101201"), world.person()
        station.sync()
        station.edit(foreign, phone="13900000001")
        station.edit(mine, phone="13900000002")

        station.sync()

        assert world.phone(foreign) == "13800000000"
        assert world.phone(mine) == "13900000002"
        assert station.rows("SELECT item, code FROM refusal") == [(f"contact/{foreign.hex()}", "not_in_slice")]

    def test_a_deleted_row_stays_at_the_hub(self, world: Any) -> None:
        """P8: a delete would beat every edit of everybody."""
        station = world.station()
        person = world.person()
        station.sync()
        with station.store.write() as db:
            db.execute("DELETE FROM contact WHERE id = ?", (person,))

        station.sync()

        assert world.phone(person) == "13800000000"
        assert station.rows("SELECT item, code FROM refusal") == [(f"contact/{person.hex()}", "sentinel")]

    def test_a_refused_fact_is_named_and_the_next_ones_go_on(self, world: Any) -> None:
        def intake(pub: Any, fact: Any) -> None:
            if fact.body["case"] == "bad":
                pub.put("unit", {"id": ids.new_id(), "uscc": "x", "name": "x", "township": "330683100"})
                raise Refusal("重复办理", "a duplicate", code="duplicate")
            if fact.body["case"] == "bug":
                raise KeyError("case")
            world.taken.append(fact)

        world.intake = intake
        station = world.station()
        good, bad, bug, last = (station.state(case=name) for name in ("good", "bad", "bug", "last"))

        report = station.sync()

        assert (report.ok, report.refused) == (True, 2)
        assert [f.id for f in world.taken] == [good.id, last.id]
        assert world.rows("SELECT id FROM fact ORDER BY seq") == [(good.id,), (last.id,)]
        assert world.rows("SELECT count(*) FROM unit") == [(0,)], "a refused fact leaves nothing behind"
        assert station.rows("SELECT item, code, reason FROM refusal ORDER BY at, code") == [
            (bad.id.hex(), "duplicate", "重复办理"),
            (bug.id.hex(), "intake_failed", "中心处理时出错，已留存待查"),
        ]
        assert station.rows("SELECT id FROM fact WHERE received_at IS NULL ORDER BY seq") == [(bad.id,), (bug.id,)]
        with station.store.read() as db:
            assert outbox.unsent(db).count == 0

    def test_a_page_the_station_cannot_use_stops_only_its_channel(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        hub_fact(world, station.name)
        with publish.transaction(world.hub) as pub:
            pub.put("unit", {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": "330683100"})
        with world.hub.write() as db:
            db.execute("UPDATE unit SET name = 'a' || char(0)")

        first, second = station.sync(), station.sync()

        assert (first.ok, first.error_code, first.caught_up) == (False, "pull_refused", False)
        assert station.phone(person) == "13800000000", "reg goes on"
        assert len(station.received) == 1, "evt goes on"
        assert station.rows("SELECT count(*) FROM unit") == [(0,)]
        assert station.rows("SELECT direction, item, code FROM refusal") == [("in", "330683100/ref", "characters")]
        assert station.rows('SELECT "after" FROM cursor WHERE slice = ? AND channel = ?', "330683100", "ref") == []
        assert second.error_code == "pull_refused"


class TestLine:
    def test_wrong_clocks_are_measured_and_change_nothing(self, world: Any, cut: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        station.edit(person, phone="13900000001")
        hub_clock, station_clock = world.clock, type(world.clock)(world.clock.at + timedelta(days=4000))
        world.clock = station_clock
        session = station.session()
        world.clock = hub_clock

        report = session.run()

        assert (report.ok, report.equal) == (True, True)
        assert station.rows("SELECT value FROM link WHERE name = 'clock_skew_s'") == [(str(4000 * 86400),)]
        assert world.phone(person) == "13900000001"

    def test_no_answer_is_down_and_says_so_in_words(self, world: Any) -> None:
        class Dead:
            def request(self, *args: Any) -> Response:
                raise Unreachable("连不上", "no answer", code="timeout")

        station = world.station()
        station.state(case="x")

        report = station.sync(Dead())

        assert (report.ok, report.error_code, report.error_zh, report.error_en) == (
            False, "timeout", "连不上", "no answer",
        )  # fmt: skip
        link = dict(station.rows("SELECT name, value FROM link"))
        assert (link["state"], link["last_error"]) == ("down", "timeout")
        assert "last_contact_at" not in link

    def test_link_says_since_when_and_when_equality_was_proven(self, world: Any) -> None:
        station = world.station()
        station.sync()
        first = dict(station.rows("SELECT name, value FROM link"))
        world.clock.advance(minutes=15)
        station.sync()
        second = dict(station.rows("SELECT name, value FROM link"))

        assert first["since"] == second["since"] == first["last_equal_at"]
        assert second["last_equal_at"] == second["last_contact_at"] > first["last_equal_at"]

    def test_two_sessions_of_one_station_at_once_do_no_harm(self, world: Any) -> None:
        station = world.station()
        people = [world.person() for _ in range(20)]
        station.sync()

        def run(into: list[Any]) -> None:
            into.append(station.sync())

        for round_ in range(3):
            for number, person in enumerate(people):
                station.edit(person, phone=f"139{round_}00000{number:02d}")
            station.state(case=str(round_))
            with publish.transaction(world.hub) as pub:
                for person in people:
                    pub.cells("contact", person, {"note": f"{round_}"})
            reports: list[Any] = []
            threads = [threading.Thread(target=run, args=(reports,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [r.error_code for r in reports] == [""] * 3

        assert station.sync().equal is True
        assert len(world.taken) == 3
        assert world.rows("SELECT count(*) FROM refusal") == [(0,)]
        assert world.rows("SELECT count(*) FROM conflict") == [(0,)]

    def test_a_token_that_runs_out_in_a_long_session_is_renewed(self, world: Any) -> None:
        station = world.station()
        for _ in range(30):
            world.person(id_number="330683195501010011", work_began_on="1975-01-01")

        class Slow:
            def request(self, *args: Any) -> Response:
                world.clock.advance(minutes=25)
                return inner.request(*args)

        inner = world.transport()
        report = station.sync(Slow())

        assert (report.ok, report.equal) == (True, True)

    def test_a_frame_refused_as_a_whole_is_not_repeated_in_a_loop(self, world: Any, recorder: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        station.state(case="x")
        station.edit(person, phone="13900000001")

        class Mangles:
            """Something on the way that damages every fact frame, the same way each time."""

            def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
                if "/evt/" in path:
                    body = b"S0" + body[2:]
                return line.request(method, path, query, headers, body)

        def pushes() -> list[str]:
            return [r.path.split("/")[5] for r, _ in line.log if r.method == "PUT"]

        line = recorder(world.transport())
        first = station.sync(Mangles())
        assert (first.ok, first.error_code, pushes()) == (False, "magic", ["evt"])
        line.log.clear()
        second = station.sync(Mangles())
        assert (second.ok, second.error_code, pushes()) == (False, "held", ["reg"])
        assert world.phone(person) == "13900000001", "the other channel goes on"
        world.clock.advance(hours=25)
        third = station.sync()
        assert third.ok and len(world.taken) == 1

    def test_progress_names_the_stages(self, world: Any) -> None:
        station = world.station()
        world.person()
        station.state(case="x")
        stages: list[str] = []

        station.session().run(lambda stage, done: stages.append(stage))

        assert list(dict.fromkeys(stages)) == ["hello", "push", "pull", "verify"]
