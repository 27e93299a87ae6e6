# SPDX-License-Identifier: Apache-2.0
"""Exchanges by stick: the same end as over the line, mixed with it in any order, cut anywhere."""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any

from schema.errors import Unreachable
from sync.courier import hub as courier_hub
from sync.courier import node as courier_node
from sync.equality import digest
from tests.sync.county import Cut, content, hub_fact, work
from tests.sync.sticks import answer, export, hub_takes, node, round_trip, takes, without


def digests(side: Any, slices: tuple[str, ...] = ()) -> dict[str, str]:
    """Of a station, or of the hub for these slices."""
    store = side.hub if slices else side.store
    with store.read() as db:
        if slices:
            return {f: digest.of_hub(db, held).hex() for f, held in digest.families(slices).items()}
        return {f: digest.of_node(db, f).hex() for f in digest.families(side.slices)}


def equal(world: Any, station: Any) -> bool:
    return digests(station) == digests(world, station.slices)


class Trickle:
    """A line that brings two small pages of the register and breaks."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.pages = inner, 0

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Any:
        if path == "/s1/feed/330683100":
            self.pages += 1
            query = {**query, "max": "2048"}
            if self.pages > 2:
                raise Unreachable("线断了", "the line is cut")
        return self.inner.request(method, path, query, headers, body)


class OnlySending:
    """A line that breaks once the hub has signed for what was sent."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.sent = inner, False

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Any:
        if self.sent and method != "PUT":
            raise Unreachable("线断了", "the line is cut")
        self.sent = self.sent or method == "PUT"
        return self.inner.request(method, path, query, headers, body)


class TestThereAndBack:
    def test_a_station_that_never_had_a_line_gets_everything(self, world: Any) -> None:
        station, person = world.station(), world.person()
        hub_fact(world, station.name)

        taken = round_trip(world, station)

        assert (taken.equal, taken.gaps, taken.bad_pages) == (True, [], [])
        assert station.phone(person) == "13800000000"
        assert len(station.received) == 1
        assert equal(world, station)

    def test_work_of_both_sides_meets_and_is_proven_equal(self, world: Any) -> None:
        station, person = world.station(), world.person()
        round_trip(world, station)
        work(world, station, person)

        taken = round_trip(world, station)

        assert (taken.receipts, taken.equal) == (2, True)
        assert content(station) == content(world)
        assert len(world.taken) == 2
        assert station.rows("SELECT count(*) FROM outbox_frame WHERE acked_at IS NULL") == [(0,)]
        assert station.rows("SELECT value IS NOT NULL FROM link WHERE name = 'last_equal_at'") == [(1,)]

    def test_the_hub_learns_of_the_proof_with_the_next_stick(self, world: Any) -> None:
        station = world.station()
        round_trip(world, station)
        assert world.rows("SELECT last_equal_at FROM node_record") == [(None,)]

        hub_takes(world, export(station))

        assert world.rows("SELECT last_equal_at IS NOT NULL FROM node_record") == [(1,)]

    def test_stick_and_line_end_with_the_same_digests(self, world: Any) -> None:
        """I19: the same work, one station by line, one by stick."""
        by_line, by_stick = world.station("0100-1"), world.station("0100-2")
        people = [world.person(phone=f"139000000{n:02d}") for n in range(3)]
        for number in range(3):
            for station in (by_line, by_stick):
                station.edit(people[number], note=f"{number}", address=f"{station.name}")
                station.state(case=str(number))
            by_line.sync()
            round_trip(world, by_stick)
        by_line.sync()

        townships = {digests(side)["township"] for side in (by_line, by_stick)}
        assert townships == {digests(world, by_line.slices)["township"]}
        assert len(world.taken) == 6

    def test_bytes_are_kept_until_the_receipt_comes_back(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        first = export(station)
        world.clock.advance(days=30)

        second = export(station)
        hub_takes(world, second)
        assert station.rows("SELECT bytes IS NULL FROM outbox_frame") == [(0,)]
        assert hub_takes(world, first).again == 1
        takes(station, answer(world, station))

        assert station.rows("SELECT bytes IS NULL FROM outbox_frame") == [(1,)]
        assert len(world.taken) == 1

    def test_an_edit_made_while_the_stick_travels_is_neither_lost_nor_called_equal(self, world: Any) -> None:
        station, person = world.station(), world.person()
        round_trip(world, station)
        data = export(station)
        station.edit(person, phone="13911111111")
        hub_takes(world, data)

        assert takes(station, answer(world, station)).equal is None
        assert round_trip(world, station).equal is True
        assert world.phone(person) == "13911111111"

    def test_what_went_by_line_since_the_hub_answered_is_no_difference(self, world: Any) -> None:
        """The answer's digests are older than what the hub has signed for meanwhile."""
        station, person = world.station(), world.person()
        round_trip(world, station)
        hub_takes(world, export(station))
        older = answer(world, station)
        station.edit(person, phone="13911111111")
        assert station.sync(OnlySending(world.transport())).ok is False
        assert station.rows("SELECT count(*) FROM outbox_frame WHERE acked_at IS NULL") == [(0,)]

        assert takes(station, older).equal is None
        assert station.rows("SELECT kind FROM incident") == []
        assert station.sync().equal is True

    def test_a_clash_is_found_as_over_the_line(self, world: Any) -> None:
        first, second, person = world.station("0100-1"), world.station("0100-2"), world.person()
        for station in (first, second):
            round_trip(world, station)
        first.edit(person, phone="13900000001")
        second.edit(person, phone="13900000002")

        for station in (first, second, first):
            round_trip(world, station)

        assert world.rows("SELECT kept, lost FROM conflict") == [("13900000002", "13900000001")]
        assert first.phone(person) == second.phone(person) == "13900000002"


class TestMixedWithTheLine:
    def test_a_frame_that_went_by_both_counts_once(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        data = export(station)
        station.sync()

        came = hub_takes(world, data)

        assert (came.taken, came.again, len(world.taken)) == (0, 1, 1)
        assert takes(station, answer(world, station)).equal in (True, None)
        assert station.sync().equal is True

    def test_a_receipt_lost_on_the_line_comes_by_stick(self, world: Any) -> None:
        station = world.station()
        station.sync()
        station.state(case="one")
        station.sync(Cut(world.transport(), 2, delivered=True))

        taken = round_trip(world, station)

        assert (taken.receipts, taken.equal, len(world.taken)) == (1, True, 1)

    def test_an_answer_the_line_overtook_changes_nothing(self, world: Any) -> None:
        station, person = world.station(), world.person()
        hub_takes(world, export(station))
        late = answer(world, station)
        station.edit(person, phone="13911111111")
        station.state(case="one")
        station.sync()
        before = digests(station)

        taken = takes(station, late)

        assert (taken.pages, taken.equal, taken.gaps) == (0, None, [])
        assert digests(station) == before
        assert station.sync().equal is True

    def test_an_answer_joins_a_fetch_the_line_began(self, world: Any) -> None:
        """A first load by stick, while the line trickles and has brought some pages that end elsewhere."""
        station = world.station()
        for n in range(30):
            world.person(phone=f"139000000{n:02d}", name="名" * 40)
        hub_takes(world, export(station))
        late = answer(world, station)
        station.sync(Trickle(world.transport()))
        assert 0 < station.rows("SELECT count(*) FROM person")[0][0] < 30

        taken = takes(station, late)

        assert (taken.equal, taken.gaps) == (True, [])
        assert equal(world, station)

    def test_the_same_files_in_any_order_any_number_of_times(self, world: Any) -> None:
        station, person = world.station(), world.person()
        out, back = [], []
        for number in range(3):
            station.edit(person, note=str(number))
            station.state(case=str(number))
            out.append(export(station))
            hub_takes(world, out[-1])
            world.person(phone=f"1380000000{number}")
            back.append(answer(world, station))
        for data in (out[2], out[0], out[1], out[0]):
            came = hub_takes(world, data)
            assert (came.taken, came.refused, came.missing) == (0, [], {})
        for data in (back[1], back[0], back[2], back[1], back[2]):
            takes(station, data)

        assert round_trip(world, station).equal is True
        assert len(world.taken) == 3


    def test_an_old_bundle_does_not_set_the_answer_back(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        old = export(station)
        round_trip(world, station)
        hub_takes(world, export(station))

        assert hub_takes(world, old).stale

        sink = BytesIO()
        assert world.server.courier.answer(station.name, sink).receipts == 0


class TestGaps:
    def test_frames_behind_a_gap_wait_and_the_missing_one_is_named(self, world: Any) -> None:
        station = world.station()
        for number in range(3):
            station.state(case=str(number))
            data = export(station)

        came = hub_takes(world, without(world, station, data, "evt", 2))

        assert (came.taken, came.missing, len(world.taken)) == (1, {"evt": 2}, 1)
        assert takes(station, answer(world, station)).receipts == 1
        assert round_trip(world, station).receipts == 2
        assert len(world.taken) == 3

    def test_pages_ahead_of_the_cursor_are_not_applied(self, world: Any) -> None:
        """The answer to a stick of a database that was set back since."""
        station = world.station()
        round_trip(world, station)
        world.person()
        hub_takes(world, export(station))
        ahead = answer(world, station)
        with station.store.write() as db:
            db.execute('UPDATE cursor SET "after" = 1 WHERE channel = \'ref\'')
        before = station.rows("SELECT count(*) FROM person")

        taken = takes(station, ahead)

        assert "330683100/ref" in taken.gaps and taken.equal is None
        assert station.rows("SELECT count(*) FROM person") == before


class TestSmallSticks:
    def test_what_does_not_fit_follows_with_the_next_stick(self, world: Any) -> None:
        station = world.station()
        for _ in range(4):
            station.state(case=os.urandom(2_000).hex())
            export(station)

        rounds = 0
        while rounds < 9 and station.rows("SELECT count(*) FROM outbox_frame WHERE acked_at IS NULL") != [(0,)]:
            hub_takes(world, export(station, limit_bytes=6_000))
            takes(station, answer(world, station))
            rounds += 1

        assert (rounds, len(world.taken)) == (4, 4)

    def test_a_long_feed_comes_in_parts(self, world: Any) -> None:
        station = world.station()
        people = [world.person(phone="13900000001") for _ in range(2)]
        hub_fact(world, station.name)
        rounds, taken = 0, None
        while rounds < 9 and (taken is None or taken.more):
            hub_takes(world, export(station))
            taken = takes(station, answer(world, station, limit_bytes=1))
            rounds += 1

        assert rounds >= 4 and taken is not None and taken.equal is True
        assert [station.phone(p) for p in people] == ["13900000001"] * 2
        assert equal(world, station)


def test_the_summary_says_what_went(world: Any) -> None:
    station, people = world.station(), [world.person() for _ in range(3)]
    round_trip(world, station)
    for person in people:
        station.edit(person, note="x")
    station.state(case="one")
    sink = BytesIO()

    said = courier_node.export(node(station), sink)
    came = hub_takes(world, sink.getvalue())

    assert (said.facts, said.rows, said.frames) == (1, 3, {"evt": [1, 1, 1], "reg": [1, 1, 1]})
    assert said.size_bytes == len(sink.getvalue())
    assert came == courier_hub.Came(station.name, created=came.created, taken=2, facts=1, rows=3)
