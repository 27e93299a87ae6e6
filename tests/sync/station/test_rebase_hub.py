# SPDX-License-Identifier: Apache-2.0
"""P11: a hub restored from an older copy gets back from its stations what it forgot, and gives no number twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import events, ids
from schema.clock import stamp
from sync.hub import life, publish
from sync.station import blob
from tests.sync.county import Cut, Recorder
from tests.sync.disks import conflicts, facts, open_hub, put_back, restore_hub, settled, take_image


def test_behind_the_fence_no_station_is_answered(world: Any) -> None:
    station = world.station()
    station.sync()
    take_image(world, "hub")
    restore_hub(world)

    report = station.sync()

    assert (report.error_code, report.retry_after_s) == ("fenced", 600)
    assert station.rows("SELECT value FROM link WHERE name = 'state'") == [("down",)]
    assert world.rows("SELECT count(*) FROM incident WHERE kind = 'hub_restored' AND repaired_at IS NULL") == [(1,)]
    open_hub(world)
    settled(world, station)


def test_what_it_signed_for_and_forgot_comes_back(world: Any) -> None:
    station, one, two = world.station(), world.person(), world.person()
    station.state(case="kept")
    station.sync()
    take_image(world, "hub")
    station.edit(one, phone="13900000001")
    station.state(case="forgotten")
    station.sync()
    restore_hub(world)
    open_hub(world)
    station.edit(two, phone="13900000002")
    station.state(case="new")
    world.taken.clear()

    settled(world, station)

    assert [f.body["case"] for f in world.taken] == ["forgotten", "new"]
    assert facts(world) == facts(station)
    assert (world.phone(one), world.phone(two)) == ("13900000001", "13900000002")
    assert conflicts(world) == set()
    assert world.granted == [(station.name, False)]


def test_scans_that_it_forgot_are_sent_again_and_the_others_are_only_asked_for(world: Any) -> None:
    station = world.station()
    case = ids.new_id()
    state = {"case_id": case, "station": station.name, "service": "x", "receipt_no": "1", "state": "received"}
    with publish.transaction(world.hub) as pub:
        pub.put("case_state", state | {"received_at": "2026-11-20T01:00:00.000Z"})

    def scan(tail: bytes) -> bytes:
        data = blob.MEDIA["image/png"] + tail * 9_000
        with station.store.write() as db:
            return blob.keep(db, data, "image/png", case, stamp(world.clock.now()))

    kept = scan(b"1")
    station.sync()
    take_image(world, "hub")
    forgotten = scan(b"2")
    station.sync()
    assert {row[0] for row in world.rows("SELECT sha256 FROM blob")} == {kept, forgotten}
    restore_hub(world)
    open_hub(world)

    line = Recorder(world.transport())
    for _ in range(3):
        station.sync(line)

    sizes = [len(asked.body) for asked, _ in line.log if asked.path.startswith("/s1/blob/")]
    assert (len(sizes), sum(size > 0 for size in sizes)) == (3, 1)
    for side in (world, station):
        whole = side.rows("SELECT sha256 FROM blob WHERE done_at IS NOT NULL")
        assert {row[0] for row in whole} == {kept, forgotten}


def test_stations_at_different_positions_agree_with_it_and_each_other(world: Any) -> None:
    far, near, late = (world.station(f"0100-{n}") for n in (1, 2, 3))
    person, other = world.person(), world.person()
    late.sync()
    near.sync()
    take_image(world, "hub")
    far.edit(person, phone="13900000001")
    far.sync()
    with publish.transaction(world.hub) as pub:
        pub.put("unit", {"id": ids.new_id(), "uscc": "9" * 18, "name": "忘了的厂", "township": "330683100"})
    far.sync()
    near.edit(other, phone="13900000002")
    near.sync()
    restore_hub(world)
    open_hub(world)
    world.person()
    late.edit(person, note="迟来的")

    settled(world, late, near, far, late)

    assert world.rows("SELECT count(*) FROM unit") == [(0,)]
    assert world.rows("SELECT phone, note FROM contact WHERE id = ?", person) == [("13900000001", "迟来的")]
    assert world.phone(other) == "13900000002"
    assert conflicts(world) == set()


def test_an_edit_it_forgot_that_loses_to_one_made_without_knowing_it_is_a_conflict_again(world: Any) -> None:
    """The record was the hub's alone. An edit it had signed for was gone from everywhere, and nobody was told."""
    one, two, person = world.station("0100-1"), world.station("0100-2"), world.person()
    one.sync()
    two.sync()
    take_image(world, "hub")
    one.edit(person, phone="13900000001")
    two.edit(person, phone="13900000009")
    one.sync()
    two.sync()
    assert {found[1:3] for found in conflicts(world)} == {("13900000009", "13900000001")}
    restore_hub(world)
    open_hub(world)

    settled(world, two, one)

    assert world.phone(person) == "13900000009"
    assert {found[1:3] for found in conflicts(world)} == {("13900000009", "13900000001")}


def test_two_edits_it_forgot_that_did_not_know_of_each_other_are_a_conflict_in_either_order(world: Any) -> None:
    """The one offered later took the present for what it was based on, and wrote over the other unnoticed."""
    one, two, person = world.station("0100-1"), world.station("0100-2"), world.person()
    one.sync()
    two.sync()
    take_image(world, "hub")
    one.edit(person, phone="13900000001")
    one.sync()
    two.edit(person, phone="13900000008")
    two.edit(person, phone="13900000009")
    two.sync()
    restore_hub(world)
    open_hub(world)

    settled(world, one, two)

    assert world.phone(person) == "13900000009"
    assert {found[1:3] for found in conflicts(world)} == {("13900000009", "13900000001")}


def test_feed_numbers_seen_before_are_not_given_again(world: Any) -> None:
    station = world.station()
    take_image(world, "hub")
    for _ in range(5):
        world.person()
    station.sync()
    seen = station.rows('SELECT max("after") FROM cursor')[0][0]
    restore_hub(world)

    assert world.rows("SELECT seq FROM feed_head")[0][0] > seen + life.JUMP // 2


@pytest.mark.parametrize("by_command", [True, False], ids=["restored by command", "file put back by hand"])
def test_a_hub_put_back_twice_loses_nothing(world: Any, by_command: bool) -> None:
    station, person = world.station(), world.person()
    station.sync()
    take_image(world, "hub")
    for n in range(2):
        station.edit(person, phone=f"1390000000{n}")
        station.state(case=f"{n}")
        assert station.sync().ok
        if by_command:
            restore_hub(world)
            open_hub(world)
        else:
            put_back(world, "hub")
        world.clock.advance(hours=1)
        settled(world, station)

        assert world.phone(person) == f"1390000000{n}"
        assert facts(world) == facts(station)
        assert conflicts(world) == set()


@pytest.mark.parametrize("delivered", [False, True], ids=["before delivery", "after delivery"])
def test_wherever_the_line_breaks_it_comes_back_once(world: Any, delivered: bool) -> None:
    station, person = world.station(), world.person()
    station.sync()
    take_image(world, "hub")
    at, broken = 1, True
    while broken:
        station.edit(person, phone=f"139000000{at:02d}")
        station.state(case="x")
        assert station.sync().ok
        restore_hub(world)
        open_hub(world)
        world.clock.advance(days=2)

        broken = station.sync(Cut(world.transport(), at, delivered=delivered)).error_code == "unreachable"
        settled(world, station)

        assert world.phone(person) == f"139000000{at:02d}"
        assert facts(world) == facts(station)
        assert len(facts(world)) == at
        assert conflicts(world) == set()
        at += 1
    assert at > 8, "the way back has fewer requests than the faults it should meet"


def test_a_conflict_that_everybody_has_seen_settled_is_not_forgotten_with_the_hub(world: Any) -> None:
    first, second, person = world.station(), world.station("0100-2"), world.person()
    for station in (first, second):
        station.sync()
    take_image(world, "hub")
    first.edit(person, phone="13900000001")
    second.edit(person, phone="13900000002")
    for station in (first, second, first):
        assert station.sync().ok
    before = conflicts(world)
    assert before == {("phone", "13900000002", "13900000001", "0100-2", "0100-1")}
    restore_hub(world)
    open_hub(world)

    settled(world, second, first)

    assert {c[:3] for c in before} <= {c[:3] for c in conflicts(world)}


class TestDecisionsForgotten:
    """What was decided and paid must not be decided and paid again by somebody who does not know."""

    def decide(self, world: Any, station: Any, key: Ed25519PrivateKey) -> events.Fact:
        with publish.transaction(world.hub) as pub:
            fact = events.state(
                pub.db, "case_approved", ids.new_id(), {"case_id": ids.new_id()}, officer="2001", key=key,
                clock=world.clock, received_at=stamp(world.clock.now()),
            )  # fmt: skip
            pub.fact(fact, station.name)
        return fact

    def test_stations_bring_them_back_as_evidence_and_people_are_told(self, world: Any) -> None:
        station, key = world.station(), Ed25519PrivateKey.generate()
        row = {"operator_no": "2001", "valid_from": stamp(world.clock.now() - timedelta(days=1)), "name": "乙",
               "roles": "approve", "public_key": key.public_key().public_bytes_raw()}  # fmt: skip
        with publish.transaction(world.hub) as pub:
            pub.put("officer_key", row)
        station.sync()
        take_image(world, "hub")
        made = self.decide(world, station, key)
        station.sync()
        restore_hub(world)
        open_hub(world)
        anew = self.decide(world, station, key)

        settled(world, station)

        listed = world.rows("SELECT kind, peer, detail FROM incident WHERE repaired_at IS NULL")
        assert listed == [("hub_restored", station.name, f"case_approved {made.subject.hex()}")]
        kept = world.rows("SELECT id, epoch = ? FROM fact WHERE origin = 'hub' ORDER BY 2", bytes(16))
        assert kept == [(anew.id, 0), (made.id, 1)]
        assert world.taken == []

    def test_one_that_no_officer_signed_is_refused_and_kept(self, world: Any) -> None:
        station = world.station()
        station.sync()
        take_image(world, "hub")
        made = self.decide(world, station, Ed25519PrivateKey.generate())
        station.sync()
        restore_hub(world)
        open_hub(world)

        settled(world, station)

        refused = world.rows("SELECT item, code, content IS NULL FROM refusal")
        assert refused == [(made.id.hex(), "officer_signature", 0)]
