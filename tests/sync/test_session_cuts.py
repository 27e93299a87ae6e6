# SPDX-License-Identifier: Apache-2.0
"""Wherever the line breaks: nothing lost, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from sync.wire.transport import Response
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
