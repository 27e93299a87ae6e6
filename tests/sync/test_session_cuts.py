# SPDX-License-Identifier: Apache-2.0
"""Wherever the line breaks, and whatever disk comes back from a backup: nothing lost, nothing twice."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from schema import database, ids
from sync import outbox
from sync.transport import Response
from tests.sync.county import Cut, Recorder, content, work


class TestCutAnywhere:
    @pytest.mark.parametrize("delivered", [False, True], ids=["before delivery", "after delivery"])
    def test_nothing_is_lost_or_doubled_wherever_the_line_breaks(self, world: Any, delivered: bool) -> None:
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
            line = Cut(world.transport(), at, delivered=delivered)
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

    def test_frames_are_sent_again_byte_identical(self, world: Any) -> None:
        station = world.station()
        station.sync()
        station.state(case="one")
        first, second = Recorder(world.transport()), Recorder(world.transport())

        station.sync(Cut(first, 2, delivered=True))
        world.clock.advance(hours=3)
        station.sync(second)

        pushed = [[r.body for r, _ in line.log if r.method == "PUT"] for line in (first, second)]
        assert len(pushed[0]) == 1
        assert pushed[0] == pushed[1]

    def test_bytes_are_kept_until_the_receipt_and_not_longer(self, world: Any) -> None:
        station = world.station()
        station.sync()
        station.state(case="one")

        station.sync(Cut(world.transport(), 2, delivered=True))
        before = station.rows("SELECT bytes IS NULL, receipt IS NULL FROM outbox_frame")
        station.sync()
        after = station.rows("SELECT bytes IS NULL, receipt IS NULL FROM outbox_frame")

        assert (before, after) == ([(0, 1)], [(1, 0)])


class TestRestoredDisks:
    """P11: edits stamped below what the hub has acknowledged would never be sent, and differ for ever."""

    def copy(self, world: Any, name: str, to: str) -> None:
        for store in (world.hub, *(s.store for s in world.stations)):
            store.close()
        for path in world.folder.glob(f"{name}.db*"):
            shutil.copy(path, world.folder / path.name.replace(name, to, 1))

    def restore(self, world: Any, name: str, copy: str) -> None:
        for store in (world.hub, *(s.store for s in world.stations)):
            store.close()
        for path in world.folder.glob(f"{name}.db*"):
            path.unlink()
        for path in world.folder.glob(f"{copy}.db*"):
            shutil.copy(path, world.folder / path.name.replace(copy, name, 1))

    def test_a_station_restored_from_a_backup_is_told_to_load_anew(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        self.copy(world, station.name, "backup")
        station.edit(person, phone="13900000001")
        station.sync()
        self.restore(world, station.name, "backup")
        station.edit(person, phone="13900000002")

        report = station.sync()

        assert (report.ok, report.error_code) == (False, "rebase")
        assert world.phone(person) == "13900000001"
        assert station.rows("SELECT value FROM link WHERE name = 'state'") == [("refused",)]

    def test_of_two_disks_of_one_station_the_second_is_stopped(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        self.copy(world, station.name, "clone")
        station.edit(person, phone="13900000001")
        assert station.sync().ok is True
        self.restore(world, station.name, "clone")
        station.edit(person, phone="13900000002")
        with station.store.write() as db:
            outbox.build(db, "reg", station.session()._certificate, station.key, world.clock)

        assert station.sync().error_code == "rebase"
        assert world.phone(person) == "13900000001"

    def test_a_hub_restored_from_a_backup_takes_nothing_until_somebody_looked(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        self.copy(world, "hub", "backup")
        station.edit(person, phone="13900000001")
        station.sync()
        self.restore(world, "hub", "backup")

        report = station.sync()

        assert (report.ok, report.error_code) == (False, "hub_behind")
        assert "中心" in report.error_zh

    def test_a_database_that_is_not_the_certificates_is_told_to_load_anew(self, world: Any) -> None:
        station = world.station()
        with station.store.write() as db:
            database.set_setting(db, "epoch", ids.new_id())

        assert station.sync().error_code == "rebase"

    def test_a_hub_that_forgot_a_frame_it_signed_for_takes_nothing(self, world: Any) -> None:
        station = world.station()
        station.state(case="x")
        station.sync()
        with world.hub.write() as db:
            db.execute("DELETE FROM frame_ledger")

        assert station.sync().error_code == "hub_behind"


class TestOldAnswers:
    """An answer the hub really signed, but to another question."""

    def test_a_receipt_of_another_frame_does_not_acknowledge_this_one(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        first = Recorder(world.transport())
        station.sync(first)
        old = next(answer for asked, answer in first.log if asked.method == "PUT")
        station.state(case="two")

        class Replays:
            def request(self, method: str, *rest: Any) -> Response:
                return old if method == "PUT" else inner.request(method, *rest)

        inner = world.transport()
        report = station.sync(Replays())

        assert (report.ok, report.error_code) == (False, "receipt")
        assert station.rows("SELECT n, acked_at IS NULL, bytes IS NULL FROM outbox_frame") == [(1, 0, 1), (2, 1, 0)]
        assert station.rows("SELECT count(*) FROM fact WHERE received_at IS NULL") == [(1,)]
        assert station.sync().ok is True
        assert [f.body["case"] for f in world.taken] == ["one", "two"]

    def test_a_welcome_to_another_hello_is_not_taken(self, world: Any) -> None:
        station = world.station()
        first = Recorder(world.transport())
        station.sync(first)
        old = first.log[0][1]

        class Replays:
            def request(self, *args: Any) -> Response:
                return old

        report = station.sync(Replays())

        assert (report.ok, report.error_code) == (False, "header")
