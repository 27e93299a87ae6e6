# SPDX-License-Identifier: Apache-2.0
"""Items that are refused: named with their reason on both sides, and the rest goes on."""

from __future__ import annotations

from typing import Any

from schema import ids
from schema.errors import Refusal
from sync.hub import publish
from sync.station import outbox
from tests.sync.county import hub_fact


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

        assert (report.ok, report.refused, report.equal) == (True, 1, True), "the refused value gave way"
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
        """P8: a delete would beat every edit of everybody. The station's database refuses it too."""
        station = world.station()
        person = world.person()
        station.sync()
        with station.store.write() as db:
            db.execute("DROP TRIGGER contact_never_goes")
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
