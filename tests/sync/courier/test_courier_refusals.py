# SPDX-License-Identifier: Apache-2.0
"""What a stick may not bring: each with its code, written down, and nothing half taken in."""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any

import pytest

from schema import database, ids
from schema.errors import BadFrame, RefusedByPeer, UnknownSubject
from sync.courier import node as courier_node
from tests.sync.county import hub_fact
from tests.sync.forging import make
from tests.sync.sticks import answer, export, hub_takes, node, rewritten, round_trip, swelling, takes


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

    @pytest.mark.parametrize(
        "state",
        [
            {"after": {"330683101": {"evt": 0, "ref": 0, "reg": 0}}, "complete": {"330683101": 0}},
            {"after": {}, "complete": {}},
            {"after": {"county": {"evt": -1, "ref": 0, "reg": 0}}, "complete": {"county": 0}},
            {"complete": {"county": "0"}},
            {"acked": {"evt": True, "reg": 0, "ctl": 0}},
            {"acked": {}},
            {"furthest": 2**60},
            {"digests": {"county": b"x"}},
            {"digests": []},
            {"more": 1},
        ],
    )
    def test_a_state_out_of_form_or_of_anothers_slices_is_refused(self, world: Any, state: dict[str, Any]) -> None:
        station = world.station()
        data = rewritten(world, export(station), sender=station, **state)
        with pytest.raises(BadFrame) as caught:
            hub_takes(world, data)
        assert caught.value.code == "bundle"
        with pytest.raises(UnknownSubject):
            answer(world, station)

    def test_a_frame_that_swells_is_refused_alone(self, world: Any) -> None:
        station = world.station()
        bomb = swelling(station, 50_000_000)
        data = rewritten(world, export(station), sender=station, frames=[bomb, make(station, "evt", {"facts": []}, 2)])

        came = hub_takes(world, data)

        assert came.missing == {}
        assert [code for _, code in came.refused] == ["payload"]
        assert world.rows("SELECT item, code FROM refusal") == [("evt/1", "payload")]
        assert takes(station, answer(world, station)).not_taken == [["evt/1", "payload"]]
