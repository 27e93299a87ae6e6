# SPDX-License-Identifier: Apache-2.0
"""The outbox: what is unsent is counted truly, and frames hold whole rows and the base of each edit."""

from __future__ import annotations

from typing import Any

import pytest

from schema import crsqlite, database, events, ids
from sync.station import outbox
from sync.station.outbox import Unsent
from sync.wire import codec, frame
from tests.sync.county import Cut


def unsent(station: Any) -> Unsent:
    with station.store.read() as db:
        return outbox.unsent(db)


def build(station: Any, channel: str) -> list[frame.Frame]:
    with station.store.write() as db:
        outbox.build(db, channel, station.session()._certificate, station.key, station.world.clock)
        stored = [outbox.frame_at(db, channel, n) for n in outbox.pending(db, channel)]
    public = station.key.public_key().public_bytes_raw()
    return [frame.open_frame(s.data, public) for s in stored if s is not None]


def cells(opened: frame.Frame) -> list[codec.WireCell]:
    return codec.unpack_cells(opened.content["cells"])


class TestUnsent:
    def test_counts_facts_and_changed_rows_until_the_receipt(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        assert unsent(station) == Unsent(0, None, 0)
        station.state(case="x")
        station.edit(person, phone="13900000001", note="x")

        counted = [unsent(station).count]
        station.sync(Cut(world.transport(), 2, delivered=True))
        counted.append(unsent(station).count)
        station.sync()
        counted.append(unsent(station).count)

        assert counted == [2, 2, 0]

    def test_costs_no_more_however_much_was_pulled(self, world: Any) -> None:
        station = world.station()
        steps = []
        for more in (5, 200):
            for _ in range(more):
                world.person()
            station.sync()
            with station.store.read() as db:
                ticks: list[int] = []
                db.set_progress_handler(lambda ticks=ticks: ticks.append(1), 10)
                outbox.unsent(db)
                list(crsqlite.changed_since(db, "contact", 0, own_only=True))
                db.set_progress_handler(None, 0)
            steps.append(len(ticks))

        assert steps[0] > 0 and steps[1] <= steps[0] + 2

    def test_says_since_when_across_framing(self, world: Any) -> None:
        station = world.station()
        station.sync()
        station.state(case="first")
        world.clock.advance(hours=2)
        station.state(case="second")

        before = unsent(station)
        station.sync(Cut(world.transport(), 2, delivered=False))
        after = unsent(station)

        assert before.oldest_at == after.oldest_at == "2026-11-20T01:00:00.000Z"
        assert before.bytes_estimate > 0 and after.bytes_estimate > 0

    def test_an_edit_is_as_old_as_the_page_noted(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        station.edit(person, phone="13900000001")
        row = {"tbl": "contact", "row_id": person, "col": "phone", "operator_no": "3001"}
        with station.store.write() as db:
            database.insert(db, "local_edit", row | {"before": None, "changed_at": "2026-11-19T01:00:00.000Z"})

        assert unsent(station).oldest_at == "2026-11-19T01:00:00.000Z"
        station.sync()
        assert unsent(station).oldest_at is None

    def test_facts_of_others_are_not_ours_to_send(self, world: Any) -> None:
        station, other = world.station(), world.station("0100-2")
        foreign = other.state(case="x")
        with station.store.write() as db:
            events.store(db, foreign)

        assert unsent(station).count == 0
        assert build(station, "evt") == []


class TestBuild:
    def test_nothing_new_builds_nothing(self, world: Any) -> None:
        station = world.station()
        station.sync()

        assert (build(station, "evt"), build(station, "reg")) == ([], [])

    def test_frames_are_chained_and_numbered(self, world: Any) -> None:
        station = world.station()
        for number in range(250):
            station.state(case=str(number))

        built = build(station, "evt")

        assert [(f.header.n, f.header.first, f.header.upto, f.header.items) for f in built] == [
            (1, 0, 100, 100), (2, 100, 200, 100), (3, 200, 250, 50),
        ]  # fmt: skip
        assert [f.header.prev for f in built] == [bytes(32), built[0].hash, built[1].hash]

    def test_large_facts_share_no_frame_they_do_not_fit(self, world: Any) -> None:
        station = world.station()
        for number in range(7):
            station.state(case=str(number), scan=bytes([number]) + ids.new_id() * 3900)

        built = build(station, "evt")

        assert sum(f.header.items for f in built) == 7
        assert len(built) == 3

    def test_a_cell_edited_often_travels_once(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        for number in range(9):
            station.edit(person, phone=f"1390000000{number}")

        (built,) = build(station, "reg")

        assert [(c.column, c.value) for c in cells(built)] == [("phone", "13900000008")]

    def test_no_row_is_split_and_only_the_last_frame_says_that_all_is_there(self, world: Any) -> None:
        """A receipt for the first frame must not mark what is in the second as received."""
        station = world.station()
        station.sync()
        with station.store.write() as db:
            for _ in range(2300):
                database.insert(db, "contact", {"id": ids.new_id(), "note": "x"})

        built = build(station, "reg")

        assert len(built) > 1
        per_row: dict[bytes, set[int]] = {}
        for number, opened in enumerate(built):
            found = cells(opened)
            assert len(found) <= codec.MAX_CELLS
            for cell in found:
                per_row.setdefault(cell.row_id, set()).add(number)
        assert len(per_row) == 2300 and all(len(frames) == 1 for frames in per_row.values())
        assert [f.header.upto for f in built[:-1]] == [0] * (len(built) - 1)
        assert built[-1].header.upto > 0

    def test_each_edit_carries_the_hub_state_it_was_made_on(self, world: Any) -> None:
        station = world.station()
        one, two = world.person(), world.person()
        station.sync()
        seen_first = world.rows("SELECT seq FROM feed_head")[0][0]
        station.edit(one, phone="13900000001")
        world.person()

        class NoPush:
            """A session that loses the line before anything is pushed, then one that only pulls."""

            def request(self, method: str, path: str, *rest: Any) -> Any:
                return inner.request(method, path, *rest)

        inner = world.transport()
        session = station.session(NoPush())
        session._push = lambda talk: None
        session.run()
        seen_second = world.rows("SELECT seq FROM feed_head")[0][0]
        station.edit(two, phone="13900000002")

        (built,) = build(station, "reg")

        assert {c.row_id: c.extra for c in cells(built)} == {one: seen_first, two: seen_second}
        assert seen_second > seen_first

    def test_marks_are_forgotten_when_no_edit_can_refer_to_them(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        for number in range(6):
            with_hub = world.person()
            station.sync()
            station.edit(person, phone=f"1390000000{number}")
            station.edit(with_hub, note="x")
        station.sync()

        assert station.rows("SELECT count(*) FROM pull_mark")[0][0] <= 2

    @pytest.mark.parametrize("channel", ["evt", "reg"])
    def test_what_is_framed_is_not_framed_again(self, world: Any, channel: str) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        station.state(case="x")
        station.edit(person, phone="13900000001")

        first, second = build(station, channel), build(station, channel)

        assert [f.hash for f in second] == [f.hash for f in first]
