# SPDX-License-Identifier: Apache-2.0
"""Urgent copies overtake the queue, are acted on once, and can neither be forged nor stand for another fact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schema.errors import BadFrame, RefusedByPeer, Unreachable
from sync.wire import frame
from sync.wire.transport import Request
from tests.sync.county import Cut, Recorder, hub_fact
from tests.sync.forging import Hub, bytes_of, fact, facts_frame, make, refused


def copies(station: Any, *facts: Any, **more: Any) -> bytes:
    return make(station, "ctl", {"facts": [f.to_wire() for f in facts]}, **({"items": len(facts)} | more))


def puts(line: Recorder) -> list[str]:
    return [request.path.split("/")[-2] for request, _ in line.log if request.method == "PUT"]


class TestOvertaking:
    def test_an_urgent_fact_reaches_the_hub_before_the_queue_and_acts_once(self, world: Any) -> None:
        station = world.station()
        for case in ("one", "two"):
            station.state(case=case)
        station.state(case="death", urgent=True)
        line = Recorder(world.transport())

        report = station.sync(line)

        assert puts(line) == ["ctl", "evt"]
        assert [f.body["case"] for f in world.taken] == ["death", "one", "two"]
        assert (report.ok, report.equal, report.refused) == (True, True, 0)
        assert world.rows("SELECT count(*) FROM fact") == [(3,)]
        assert world.rows("SELECT count(*) FROM refusal") == [(0,)]

    def test_nothing_urgent_costs_no_request(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        line = Recorder(world.transport())
        station.sync(line)
        assert puts(line) == ["evt"]

    def test_it_is_received_though_the_queue_is_cut_off_behind_it(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        urgent = station.state(case="death", urgent=True)

        station.sync(Cut(world.transport(), 3, delivered=False))

        assert station.rows("SELECT id, received_at IS NOT NULL FROM fact ORDER BY seq")[1] == (urgent.id, 1)
        assert station.rows("SELECT count(*) FROM fact WHERE received_at IS NULL") == [(1,)]
        assert [f.id for f in world.taken] == [urgent.id]
        assert station.sync().ok
        assert station.rows("SELECT count(*) FROM fact WHERE received_at IS NULL") == [(0,)]
        assert len(world.taken) == 2
        assert station.rows("SELECT received_at FROM fact") == world.rows("SELECT received_at FROM fact")

    def test_a_copy_whose_receipt_was_lost_is_not_acted_on_again(self, world: Any) -> None:
        station = world.station()
        station.state(case="death", urgent=True)

        station.sync(Cut(world.transport(), 2, delivered=True))

        assert station.sync().ok
        assert len(world.taken) == 1

    def test_what_the_hub_signed_for_in_the_queue_needs_no_copy(self, world: Any) -> None:
        station = world.station()
        station.state(case="one", urgent=True)
        station.sync()
        line = Recorder(world.transport())
        station.sync(line)
        assert puts(line) == []

    def test_a_case_taken_while_a_long_fetch_runs_goes_between_two_pages(self, world: Any) -> None:
        station = world.station()
        station.sync()
        hub_fact(world, station.name)
        world.person()

        class ClerkAtWork(Recorder):
            def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Any:
                if query.get("chan") == "evt":
                    station.state(case="death", urgent=True)
                return super().request(method, path, query, headers, body)

        line = ClerkAtWork(world.transport())
        station.sync(line)

        kinds = [query.query.get("chan") or query.path.split("/")[2] for query, _ in line.log]
        assert kinds.index("chunk") < kinds.index("ref")
        assert [f.body["case"] for f in world.taken] == ["death"]

    def test_a_chain_that_does_not_fit_is_still_told_at_a_fact_whose_copy_came_ahead(self, hub: Hub) -> None:
        world, station, box, node = hub
        one = fact(station)
        three = fact(station, seq=3, prev=bytes(range(32)))
        box.accept(node, "ctl", 1, copies(station, three))

        said = box.accept(node, "evt", 1, facts_frame(station, one, three))

        assert refused(world, said) == [(three.id.hex(), "chain")]
        assert [f.id for f in world.taken] == [three.id, one.id]

    def test_a_copy_refused_for_now_is_not_shown_as_refused_when_the_queue_brings_it_through(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        station.state(case="death", urgent=True)
        world.intake = after_the_first(world)

        report = station.sync()

        assert (report.ok, report.refused) == (True, 0)
        assert station.rows("SELECT count(*) FROM refusal") == [(0,)]
        assert len(world.taken) == 2
        assert world.rows("SELECT channel, code FROM refusal") == [("ctl", "intake_failed")]


def after_the_first(world: Any) -> Any:
    def intake(pub: Any, fact: Any) -> None:
        if fact.body["case"] != "one" and not world.taken:
            raise LookupError("the first is not there yet")
        world.taken.append(fact)

    return intake


class TestHostile:
    @pytest.mark.parametrize("kind", ["case_withdrawn", "case_resubmitted", "officer_key_changed", "case_approved"])
    def test_only_facts_that_stand_alone_may_overtake(self, hub: Hub, kind: str) -> None:
        world, station, box, node = hub
        said = box.accept(node, "ctl", 1, copies(station, fact(station, kind=kind)))
        assert [code for _, code in refused(world, said)] == ["kind"]
        assert world.taken == []
        assert world.rows("SELECT channel, code FROM refusal") == [("ctl", "kind")]

    def test_a_forged_copy_is_refused_and_the_true_fact_still_comes_through(self, hub: Hub) -> None:
        world, station, box, node = hub
        true = fact(station)
        forged = replace(true, body={"case": "another"})

        said = box.accept(node, "ctl", 1, copies(station, forged))

        assert [code for _, code in refused(world, said)] == ["officer_signature"]
        assert refused(world, box.accept(node, "evt", 1, facts_frame(station, true))) == []
        assert [f.body["case"] for f in world.taken] == ["1"]

    def test_another_fact_under_the_id_of_a_copy_is_refused_in_the_queue(self, hub: Hub) -> None:
        world, station, box, node = hub
        copy = fact(station)
        other = replace(copy, body={"case": "another"}).signed(station.officer_key)
        box.accept(node, "ctl", 1, copies(station, copy))

        said = box.accept(node, "evt", 1, facts_frame(station, other))

        assert refused(world, said) == [(copy.id.hex(), "id_reused")]
        assert [f.body for f in world.taken] == [copy.body]

    def test_another_fact_in_the_place_of_a_copy_is_a_second_history(self, hub: Hub) -> None:
        world, station, box, node = hub
        copy, other = fact(station), fact(station)
        box.accept(node, "ctl", 1, copies(station, copy))

        said = box.accept(node, "evt", 1, facts_frame(station, other))

        assert refused(world, said) == [(other.id.hex(), "chain")]
        assert [f.id for f in world.taken] == [copy.id]

    def test_a_copy_for_a_place_the_chain_has_passed_is_refused(self, hub: Hub) -> None:
        world, station, box, node = hub
        box.accept(node, "evt", 1, facts_frame(station, fact(station)))
        late = fact(station)
        said = box.accept(node, "ctl", 1, copies(station, late))
        assert refused(world, said) == [(late.id.hex(), "chain")]

    def test_the_copy_behind_its_fact_counts_as_received_and_does_nothing(self, hub: Hub) -> None:
        world, station, box, node = hub
        one = fact(station)
        box.accept(node, "evt", 1, facts_frame(station, one))

        said = box.accept(node, "ctl", 1, copies(station, one))

        assert refused(world, said) == []
        assert len(world.taken) == 1

    def test_the_same_frame_again_gets_the_same_receipt_and_another_one_freezes(self, hub: Hub) -> None:
        world, station, box, node = hub
        data = copies(station, fact(station))
        first = box.accept(node, "ctl", 1, data)
        assert box.accept(node, "ctl", 1, data) == first
        assert len(world.taken) == 1

        other = copies(station, fact(station, seq=2), n=2, prev=bytes(range(32)))
        with pytest.raises(RefusedByPeer) as error:
            box.accept(node, "ctl", 2, other)
        assert error.value.code == "frozen"

    def test_another_stations_fact_is_refused(self, hub: Hub) -> None:
        world, station, box, node = hub
        other = world.station("0100-2")
        said = box.accept(node, "ctl", 1, copies(station, fact(other)))
        assert [code for _, code in refused(world, said)] == ["origin"]

    def test_ctl_is_no_channel_of_the_feed(self, world: Any) -> None:
        station = world.station()
        line = Recorder(world.transport())
        station.sync(line)
        headers = line.log[1][0].headers
        answer = world.request(
            "GET", "/s1/feed/county", {"chan": "ctl", "after": "0", "max": "4096"}, headers=dict(headers)
        )
        assert answer.status == 400

    def test_a_refused_frame_of_copies_changes_not_a_byte(self, hub: Hub) -> None:
        world, station, box, node = hub
        before = bytes_of(world)
        with pytest.raises(BadFrame):
            box.accept(node, "ctl", 1, make(station, "ctl", {"facts": "x"}))
        assert bytes_of(world) == before


def test_a_held_frame_of_copies_does_not_hold_the_queue(world: Any) -> None:
    station = world.station()
    station.state(case="death", urgent=True)

    class Refuses:
        def request(self, method: str, path: str, *rest: Any) -> Any:
            if "/ctl/" in path:
                return world.server.handle(frame_too_large())
            return inner.request(method, path, *rest)

    inner = world.transport()
    assert station.sync(Refuses()).error_code == "size"

    report = station.sync(Refuses())

    assert report.error_code == "held"
    assert [f.body["case"] for f in world.taken] == ["death"]


def frame_too_large() -> Any:
    return Request("PUT", "/s1/chunk", body=bytes(frame.MAX_FRAME + 1))


def test_a_broken_line_before_the_copy_loses_nothing(world: Any) -> None:
    station = world.station()
    station.state(case="death", urgent=True)

    class Dead:
        def request(self, *args: Any) -> Any:
            raise Unreachable("线断了", "the line is cut")

    assert station.sync(Dead()).error_code == "unreachable"
    assert station.sync().ok
    assert len(world.taken) == 1
