# SPDX-License-Identifier: Apache-2.0
"""Exchanges by stick: the same end as over the line, mixed with it in any order, cut anywhere."""

from __future__ import annotations

import os
import zlib
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest

from schema import database, ids
from schema.errors import BadFrame, RefusedByPeer, UnknownSubject
from sync import box, bundle, codec, courier_hub, courier_node, digest, frame
from tests.sync.county import Cut, content, hub_fact, work
from tests.sync.forging import make
from tests.sync.sticks import answer, export, hub_takes, node, round_trip, takes


def digests(side: Any, slices: tuple[str, ...] = ()) -> dict[str, str]:
    """Of a station, or of the hub for these slices."""
    store = side.hub if slices else side.store
    with store.read() as db:
        if slices:
            return {f: digest.of_hub(db, held).hex() for f, held in digest.families(slices).items()}
        return {f: digest.of_node(db, f).hex() for f in digest.families(side.slices)}


def equal(world: Any, station: Any) -> bool:
    return digests(station) == digests(world, station.slices)


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

    def test_an_answer_joins_a_fetch_the_line_began(self, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A first load by stick, while the line trickles and has brought some pages that end elsewhere."""
        monkeypatch.setattr("sync.session.PAGE_BYTES", 2048)
        station = world.station()
        for n in range(30):
            world.person(phone=f"139000000{n:02d}", name="名" * 40)
        hub_takes(world, export(station))
        late = answer(world, station)
        station.sync(Cut(world.transport(), 5, delivered=False))
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


class TestRefused:
    """Each with its code, and written down where people look."""

    def refusals(self, world: Any) -> list[Any]:
        return world.rows("SELECT peer, item, code FROM refusal WHERE direction = 'in' ORDER BY code")

    def test_a_file_for_somebody_else(self, world: Any) -> None:
        first, second = world.station("0100-1"), world.station("0100-2")
        hub_takes(world, export(first))
        data = answer(world, first)

        for attempt in (lambda: takes(second, data), lambda: hub_takes(world, data)):
            with pytest.raises(BadFrame) as caught:
                attempt()
            assert caught.value.code == "bundle_recipient"

    def test_a_file_changed_to_another_name(self, world: Any) -> None:
        first, second = world.station("0100-1"), world.station("0100-2")
        hub_takes(world, export(first))
        with pytest.raises(BadFrame) as caught:
            takes(second, answer(world, first).replace(b"0100-1", b"0100-2", 1))
        assert caught.value.code == "bundle"

    def test_a_station_nobody_knows(self, world: Any) -> None:
        data = export(world.station()).replace(b"0100-1", b"0999-1", 1)
        with pytest.raises(RefusedByPeer) as caught:
            hub_takes(world, data)
        assert caught.value.code == "unknown_node"

    def test_a_damaged_file_is_written_down_once(self, world: Any) -> None:
        data = bytearray(export(world.station()))
        data[-200] ^= 1
        for _ in range(2):
            with pytest.raises(BadFrame) as caught:
                hub_takes(world, bytes(data))
            assert caught.value.code == "bundle"
        assert self.refusals(world) == [("0100-1", "bundle", "bundle")]

    def test_a_revoked_station_gets_nothing_in_and_nothing_out(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        hub_takes(world, export(station))
        station.state(case="two")
        data = export(station)
        with world.hub.write() as db:
            db.execute("UPDATE node_record SET revoked_at = '2026-11-20T01:00:00.000Z'")

        for attempt in (lambda: hub_takes(world, data), lambda: answer(world, station)):
            with pytest.raises(RefusedByPeer) as caught:
                attempt()
            assert caught.value.code == "revoked"
        assert len(world.taken) == 1
        assert self.refusals(world) == [("0100-1", "bundle", "revoked")]

    @pytest.mark.parametrize("code", ["frozen", "rebase"])
    def test_the_answer_tells_the_station_why(self, world: Any, code: str) -> None:
        station = world.station()
        station.state(case="one")
        if code == "frozen":
            with world.hub.write() as db:
                database.insert(db, "refusal", {
                    "id": ids.new_id(), "direction": "in", "peer": station.name, "channel": "evt", "frame_n": 1,
                    "item": "x", "code": "frozen", "reason": "x", "at": "2026-11-20T01:00:00.000Z",
                })  # fmt: skip
        else:
            with world.hub.write() as db:
                db.execute("UPDATE node_record SET epoch = ?", (ids.new_id(),))

        came = hub_takes(world, export(station))

        assert (came.code, came.taken, len(world.taken)) == (code, 0, 0)
        with pytest.raises(RefusedByPeer) as caught:
            takes(station, answer(world, station))
        assert caught.value.code == code

    def test_an_answer_for_the_life_before(self, world: Any) -> None:
        station = world.station()
        hub_takes(world, export(station))
        data = answer(world, station)
        with station.store.write() as db:
            station.epoch = ids.new_id()
            database.set_setting(db, "epoch", station.epoch)
        station.certificate = world.certify(station, serial=2)

        with pytest.raises(BadFrame) as caught:
            takes(station, data)
        assert caught.value.code == "bundle_epoch"

    def test_a_hub_that_forgot_what_it_signed_for(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        round_trip(world, station)
        with world.hub.write() as db:
            db.execute("DELETE FROM frame_ledger")
        hub_takes(world, export(station))

        with pytest.raises(RefusedByPeer) as caught:
            takes(station, answer(world, station))
        assert caught.value.code == "hub_behind"

    def test_an_answer_before_any_bundle(self, world: Any) -> None:
        with pytest.raises(UnknownSubject):
            answer(world, world.station())

    def test_a_bad_page_stops_only_its_place(self, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        station, person = world.station(), world.person()
        hub_fact(world, station.name)
        hub_takes(world, export(station))
        data = answer(world, station)

        def fails(db: Any, fact: Any) -> None:
            raise KeyError("a fault of the pages above")

        node_ = node(station)
        taken = courier_node.take(
            courier_node.Node(*(getattr(node_, f) for f in ("store", "key", "certificate", "hub_public", "clock")),
                              fails), BytesIO(data),
        )  # fmt: skip

        assert taken.bad_pages == [["node:0100-1/evt", "intake_failed"]]
        assert station.phone(person) == "13800000000"
        assert round_trip(world, station).equal is True


class TestHostile:
    """Whatever the bytes, a code comes out, and the hub's tables are as they were."""

    def tables(self, world: Any) -> list[Any]:
        names = ("fact", "contact", "frame_ledger", "slice_feed", "feed_head")
        return [world.rows(f"SELECT * FROM {name}") for name in names]

    @pytest.fixture
    def stick(self, world: Any) -> tuple[Any, Any, bytes]:
        station, person = world.station(), world.person()
        round_trip(world, station)
        station.edit(person, phone="13911111111")
        for _ in range(2):
            station.state(case=os.urandom(25_000).hex())  # more than one segment
        return world, station, export(station)

    def test_cut_at_any_place(self, stick: tuple[Any, Any, bytes]) -> None:
        world, _, data = stick
        before = self.tables(world)
        for length in (*range(0, len(data), 97), len(data) - 1, len(data) - 64):
            with pytest.raises(BadFrame) as caught:
                hub_takes(world, data[:length])
            assert caught.value.code == "bundle"
        assert self.tables(world) == before

    def test_any_bit_flipped(self, stick: tuple[Any, Any, bytes]) -> None:
        world, _, data = stick
        before = self.tables(world)
        for place in range(0, len(data), 61):
            changed = bytearray(data)
            changed[place] ^= 1 << place % 8
            with pytest.raises((BadFrame, RefusedByPeer)) as caught:
                hub_takes(world, bytes(changed))
            assert caught.value.code in ("bundle", "bundle_recipient", "unknown_node")
        assert self.tables(world) == before

    def test_frames_of_another_station_in_ones_own_bundle(self, stick: tuple[Any, Any, bytes]) -> None:
        world, _, data = stick
        other = world.station("0100-2")
        before = self.tables(world)

        came = hub_takes(world, rewritten(world, data, sender=other))

        assert (came.taken, came.code) == (0, "certificate_mismatch") or came.refused
        assert self.tables(world)[:4] == before[:4]

    def test_a_frame_that_swells_is_refused_alone(self, world: Any) -> None:
        station = world.station()
        bomb = swelling(station, 50_000_000)
        data = rewritten(world, export(station), sender=station, frames=[bomb])

        came = hub_takes(world, data)

        assert [code for _, code in came.refused] == ["payload"]
        assert world.rows("SELECT item, code FROM refusal") == [("evt/1", "payload")]
        assert takes(station, answer(world, station)).not_taken == [["evt/1", "payload"]]


def swelling(station: Any, length: int) -> bytes:
    """A frame of a few hundred KiB, well signed, that says it holds 1,000 bytes and holds `length`."""
    small = make(station, "evt", {"facts": [bytes(1000)]})
    fields = codec.load(small[8 : 8 + int.from_bytes(small[4:8], "big")])
    packed = zlib.compress(bytes(length), 9)
    head = codec.dump(fields | {"payload_sha256": sha256(packed).digest()})
    body = b"S1" + bytes((frame.VERSION, frame.ZLIB)) + len(head).to_bytes(4, "big") + head + packed
    return body + station.key.sign(body)


def rewritten(world: Any, data: bytes, *, sender: Any, frames: list[bytes] | None = None) -> bytes:
    """The bundle's members under another seal, with other frames when given."""
    source = BytesIO(data)
    members = list(bundle.members(source, box.address(source), world.hub_key))
    old = bundle.Header.read(members[0][1])
    sink = BytesIO()
    sealer = box.Sealer(sink, sender=sender.name, key=sender.key, recipient="hub", recipient_public=world.hub_public)
    rest = (old.epoch, old.created, old.answers, old.state, old.code)
    writer = bundle.Writer(sealer, bundle.Header(old.id, sender.name, "hub", *rest))
    kept = [m for m in members[1:-1] if frames is None or m[0] != bundle.FRAME]
    for kind, member in [*kept, *((bundle.FRAME, f) for f in frames or [])]:
        writer.add(kind, member)
    writer.close(frames={})
    return sink.getvalue()


def without(world: Any, station: Any, data: bytes, channel: str, n: int) -> bytes:
    """The bundle without one frame."""
    source = BytesIO(data)
    members = list(bundle.members(source, box.address(source), world.hub_key))
    pushed = [m for kind, m in members if kind == bundle.FRAME]
    kept = [f for f in pushed if (frame.peek(f)["chan"], frame.peek(f)["n"]) != (channel, n)]
    assert len(kept) == len(pushed) - 1
    return rewritten(world, data, sender=station, frames=kept)


class TestKilledBetweenTransactions:
    """Every transaction of an import is one place to be killed at; then the same file again."""

    class Killed(BaseException):
        pass

    def killing(self, monkeypatch: pytest.MonkeyPatch, store: Any, at: int) -> list[int]:
        """The `at`-th transaction of this store begins and is never committed."""
        count = [0]
        for name in ("write", "merging"):
            original = getattr(store, name)

            def counted(*args: Any, _original: Any = original, **more: Any) -> Any:
                count[0] += 1
                if count[0] == at:
                    raise TestKilledBetweenTransactions.Killed
                return _original(*args, **more)

            monkeypatch.setattr(store, name, counted)
        return count

    def test_of_the_hub(self, world: Any) -> None:
        station, person = world.station(), world.person()
        round_trip(world, station)
        at, killed = 1, True
        while killed and at < 50:
            work(world, station, person)
            data, before = export(station), len(world.taken)
            with pytest.MonkeyPatch.context() as patch:
                self.killing(patch, world.hub, at)
                try:
                    hub_takes(world, data)
                    killed = False
                except self.Killed:
                    pass
            hub_takes(world, data)
            assert takes(station, answer(world, station)).equal is True
            assert (len(world.taken) - before, content(station)) == (2, content(world))
            at += 1
        assert at > 4

    def test_of_the_station(self, world: Any) -> None:
        station, person = world.station(), world.person()
        round_trip(world, station)
        at, killed = 1, True
        while killed and at < 50:
            work(world, station, person)
            hub_takes(world, export(station))
            data, facts = answer(world, station), len(station.received)
            with pytest.MonkeyPatch.context() as patch:
                self.killing(patch, station.store, at)
                try:
                    takes(station, data)
                    killed = False
                except self.Killed:
                    pass
            assert takes(station, data).equal is True
            assert (len(station.received) - facts, content(station)) == (1, content(world))
            at += 1
        assert at > 8


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
            taken = takes(station, answer(world, station, limit_bytes=frame.MAX_FRAME))
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
