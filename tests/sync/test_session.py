# SPDX-License-Identifier: Apache-2.0
"""What a session brings about over each transport, when idle, and what it says of the line."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from schema import database
from schema.database import Store
from schema.errors import Unreachable
from sync.hub import publish
from sync.wire.transport import Response
from tests.sync.county import Cut, Recorder, content, work


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

    def test_a_lost_reply_after_the_commit_costs_nothing(self, carried_world: Any) -> None:
        world, station = carried_world, carried_world.station()
        person = world.person()
        station.sync()
        station.state(case="one")
        station.edit(person, phone="13911111111")
        line = Cut(world.transport(), 2, delivered=True)

        assert station.sync(line).error_code == "unreachable"
        report = station.sync()

        assert (report.ok, report.equal) == (True, True)
        assert len(world.taken) == 1
        assert world.phone(person) == "13911111111"


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

    def test_a_session_without_news_is_two_small_requests(self, world: Any) -> None:
        station = world.station()
        world.person()
        station.sync()
        line = Recorder(world.transport())

        report = station.sync(line)

        assert [(r.method, r.path.split("/")[2]) for r, _ in line.log] == [("POST", "hello"), ("GET", "digest")]
        assert report.bytes_out + report.bytes_in < 1000

    def test_a_session_without_news_waits_for_the_disk_five_times(
        self, world: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That it began, that it compares, how it ended; at the hub who was here, and that it is equal."""
        station, waits = world.station(), Counter[str]()
        world.person()
        station.sync()
        write = Store.write

        @contextmanager
        def counted(store: Store) -> Iterator[Any]:
            with write(store) as db:
                inner, before = db.total_changes, waits[store.side]
                yield db
                if db.total_changes != inner:
                    waits[store.side] = before + 1  # nested ones are one

        monkeypatch.setattr(Store, "write", counted)
        assert station.sync().equal is True
        assert waits == {"node": 3, "hub": 2}

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

    def test_echo_of_own_cells_is_not_sent_back(self, world: Any) -> None:
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


class TestLine:
    def test_wrong_clocks_are_measured_and_change_nothing(self, world: Any) -> None:
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

    def test_a_frame_refused_as_a_whole_is_not_repeated_in_a_loop(self, world: Any) -> None:
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

        line = Recorder(world.transport())
        first = station.sync(Mangles())
        assert (first.ok, first.error_code, pushes()) == (False, "magic", ["evt"])
        line.log.clear()
        second = station.sync(Mangles())
        assert (second.ok, second.error_code, pushes()) == (False, "held", ["reg"])
        assert world.phone(person) == "13900000001", "the other channel goes on"
        world.clock.advance(hours=25)
        third = station.sync()
        assert third.ok and len(world.taken) == 1

    def test_a_frame_is_not_held_for_years_because_the_clock_was_ahead(self, world: Any) -> None:
        station, right = world.station(), world.clock.at
        station.sync()
        station.state(case="x")
        world.clock.advance(days=300)
        line = world.transport()

        class Mangles:
            def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
                return line.request(method, path, query, headers, b"S0" + body[2:] if "/evt/" in path else body)

        assert station.sync(Mangles()).error_code == "magic"
        world.clock.at = right

        assert station.sync().ok and len(world.taken) == 1

    def test_progress_names_the_stages(self, world: Any) -> None:
        station = world.station()
        world.person()
        station.state(case="x")
        stages: list[str] = []

        station.session().run(lambda stage, done: stages.append(stage))

        assert list(dict.fromkeys(stages)) == ["hello", "push", "pull", "verify"]
