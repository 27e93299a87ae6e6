# SPDX-License-Identifier: Apache-2.0
"""P11: a database restored from an older copy is led back: nothing lost, nothing twice, nothing overridden unseen."""

from __future__ import annotations

from typing import Any

import pytest

from schema import database, events, ids
from schema.crsqlite import Cell
from schema.errors import Unreachable
from sync.hub import grant
from sync.merging import conflicts as found
from sync.station import outbox, rebase
from sync.wire.codec import WireCell
from tests.sync.county import TOWNSHIP, Cut, Recorder
from tests.sync.disks import conflicts, facts, put_back, settled, take_image


class TestStationRestored:
    @pytest.mark.parametrize("syncs", [1, 6])
    def test_without_new_work_it_gets_back_what_it_forgot(self, world: Any, syncs: int) -> None:
        station, person = world.station(), world.person()
        station.state(case="before")
        station.sync()
        take_image(world, station.name)
        for n in range(syncs):
            station.edit(person, phone=f"1390000000{n}")
            station.state(case=f"lost {n}")
            station.sync()
        put_back(world, station.name)
        taken = len(world.taken)

        report = station.sync()

        assert (report.ok, report.equal) == (True, True)
        assert facts(station) == facts(world)
        assert len(facts(world)) == 1 + syncs
        assert len(world.taken) == taken
        assert [f.body["case"] for f in station.received] == [f"lost {n}" for n in range(syncs)]
        assert station.phone(person) == world.phone(person) == f"1390000000{syncs - 1}"
        assert conflicts(world) == set()

    def test_work_done_after_the_restore_reaches_the_hub(self, world: Any) -> None:
        station, first, second = world.station(), world.person(), world.person()
        station.sync()
        take_image(world, station.name)
        station.edit(first, phone="13900000001")
        lost = station.state(case="lost")
        station.sync()
        put_back(world, station.name)
        station.edit(second, phone="13900000002")
        new = station.state(case="new")
        assert (lost.seq, lost.epoch) == (new.seq, new.epoch)

        settled(world, station)

        assert facts(world) == facts(station) == {lost.id: lost.hash, new.id: new.hash}
        assert [f.body["case"] for f in world.taken] == ["lost", "new"]
        assert (world.phone(first), world.phone(second)) == ("13900000001", "13900000002")
        assert conflicts(world) == set()
        assert world.rows("SELECT seq, fork FROM fact ORDER BY fork") == [(1, 0), (1, 1)]

    def test_of_two_lives_that_wrote_one_cell_neither_value_vanishes(self, world: Any) -> None:
        station, person = world.station(), world.person()
        station.sync()
        take_image(world, station.name)
        station.edit(person, phone="13900000001")
        station.sync()
        put_back(world, station.name)
        station.edit(person, phone="13900000002")

        settled(world, station)

        kept = world.phone(person)
        lost = {"13900000001", "13900000002"} - {kept}
        assert conflicts(world) == {("phone", kept, *lost, station.name, station.name)}

    def test_an_edit_kept_through_it_still_meets_what_another_wrote_meanwhile(self, world: Any) -> None:
        station, other, person = world.station(), world.station("0100-2"), world.person()
        other.sync()
        station.sync()
        take_image(world, station.name)
        station.state(case="lost")
        station.sync()
        other.edit(person, phone="13900000002")
        other.sync()
        put_back(world, station.name)
        station.edit(person, phone="13900000003")
        station.edit(person, phone="13900000004")

        settled(world, station, other)

        assert conflicts(world) == {("phone", "13900000004", "13900000002", "0100-1", "0100-2")}

    def test_work_in_frames_without_a_receipt_is_not_lost_with_the_frames(self, world: Any) -> None:
        station, person = world.station(), world.person()
        station.sync()
        station.edit(person, note="在帧里")
        station.state(case="framed")
        with station.store.write() as db:
            for channel in ("evt", "reg"):
                outbox.build(db, channel, station.session()._certificate, station.key, world.clock)
        take_image(world, station.name)
        station.edit(person, phone="13900000001")
        station.sync()
        put_back(world, station.name)

        settled(world, station)

        assert world.rows("SELECT phone, note FROM contact") == [("13900000001", "在帧里")]
        assert [f.body["case"] for f in world.taken] == ["framed"]
        assert conflicts(world) == set()

    def test_the_restore_command_begins_a_new_life_even_where_nothing_shows(self, world: Any) -> None:
        station = world.station()
        station.sync()
        old = station.rows("SELECT value FROM setting WHERE name = 'epoch'")
        with station.store.write() as db:
            rebase.want(db, "restored")

        settled(world, station)

        assert station.rows("SELECT value FROM setting WHERE name = 'epoch'") != old
        assert world.granted == [(station.name, True)]

    def test_a_refused_fact_is_not_offered_again(self, world: Any) -> None:
        station = world.station()
        bad = station.state(key=station.key, case="bad")
        station.sync()
        with station.store.write() as db:
            rebase.want(db, "restored")

        settled(world, station)

        named = ids.to_text(bad.id)
        assert world.rows("SELECT count(*) FROM refusal WHERE item = ?", named) == [(1,)]

    def test_authors_of_former_lives_keep_their_name(self, world: Any) -> None:
        station, other, person = world.station(), world.station("0100-2"), world.person()
        other.sync()
        station.sync()
        station.edit(person, phone="13900000001")
        station.sync()
        with station.store.write() as db:
            rebase.want(db, "restored")
        station.sync()
        other.edit(person, phone="13900000002")
        settled(world, other, station)

        assert {row[3:] for row in conflicts(world)} == {("0100-2", "0100-1")}

    def test_conflicts_not_yet_told_are_told(self, world: Any) -> None:
        station, person = world.station(), world.person()
        station.sync()
        cell = WireCell("contact", person, "phone", "1", 2, 1, 0)
        mine = Cell("contact", person, "phone", "2", 2, 9, 1, None)
        with station.store.write() as db:
            for _ in range(2):
                found.keep_found(db, cell, mine, station.site, station.name, 0, "2026-11-20T01:00:00.000Z")
            db.execute("UPDATE conflict SET rev = -1 WHERE id = (SELECT min(id) FROM conflict)")
            rebase.want(db, "restored")

        settled(world, station)

        assert world.rows("SELECT count(*) FROM conflict") == [(2,)]

    def test_an_edit_of_a_person_who_left_meanwhile_goes_to_the_hub_and_is_listed(self, world: Any) -> None:
        station, person = world.station(), world.person()
        station.sync()
        station.edit(person, phone="13900000001")
        with station.store.write() as db:
            rebase.want(db, "restored")
        with world.hub.write() as db:
            db.execute("DELETE FROM slice_member")
            db.execute("DELETE FROM slice_feed WHERE tbl IN ('person', 'contact')")
        station.sync()

        listed = [("not_in_slice", f"contact/{person.hex()}")]
        assert station.rows("SELECT code, item FROM refusal") == listed
        assert world.rows("SELECT code, item FROM refusal WHERE content IS NOT NULL") == listed
        assert station.phone(person) is None


class TestCutOnTheWayBack:
    @pytest.mark.parametrize("delivered", [False, True], ids=["before delivery", "after delivery"])
    def test_wherever_the_line_breaks_the_way_back_is_gone_once(self, world: Any, delivered: bool) -> None:
        station, first, second = world.station(), world.person(), world.person()
        station.sync()
        at, broken, said = 1, True, set()
        while broken:
            take_image(world, station.name)
            station.edit(first, phone=f"139000000{at:02d}")
            said.add(station.state(case="lost").id)
            station.sync()
            put_back(world, station.name)
            station.edit(second, phone=f"138000000{at:02d}")
            said.add(station.state(case="new").id)
            lives = len(world.granted)
            line = Cut(world.transport(), at, delivered=delivered)

            broken = station.sync(line).error_code == "unreachable"
            settled(world, station)

            assert set(facts(world)) == set(facts(station)) == said
            assert len(world.taken) == len(said)
            assert (world.phone(first), world.phone(second)) == (f"139000000{at:02d}", f"138000000{at:02d}")
            assert conflicts(world) == set()
            assert len(world.granted) == lives + 1
            world.clock.advance(days=2)
            at += 1
        assert at > 8, "the way back has fewer requests than the faults it should meet"

    def test_edits_made_while_it_loads_are_neither_lost_nor_overridden(self, world: Any) -> None:
        station, person = world.station(township=(TOWNSHIP, "330683101")), world.person()
        world.person(village="330683101201")
        station.sync()
        station.edit(person, phone="13900000001", note="早")
        with station.store.write() as db:
            rebase.want(db, "restored")

        class CutBeforeTheLastSlice:
            def request(self, method: str, path: str, query: Any, *rest: Any) -> Any:
                if path.endswith("330683101") and query.get("chan") == "reg":
                    raise Unreachable("线断了", "the line is cut")
                return inner.request(method, path, query, *rest)

        inner = world.transport()
        assert station.sync(CutBeforeTheLastSlice()).error_code == "unreachable"
        assert station.rows("SELECT count(*) FROM journal_cell") == [(2,)]
        assert station.phone(person) == "13800000000", "the row is there, the journal not yet written again"
        station.edit(person, phone="13900000002")

        settled(world, station)

        assert world.rows("SELECT phone, note FROM contact WHERE id = ?", person) == [("13900000002", "早")]
        # Who typed the later number was shown the hub's, not the earlier one.
        assert ("13900000002", "13900000001") in {found[1:3] for found in conflicts(world)}

    def test_a_second_restore_on_the_way_back_keeps_the_first_journal(self, world: Any) -> None:
        station, person = world.station(), world.person()
        station.sync()
        station.edit(person, phone="13900000001")
        fact = station.state(case="x")
        with station.store.write() as db:
            rebase.want(db, "restored")
        station.sync(Cut(world.transport(), 3, delivered=False))
        with station.store.write() as db:
            assert rebase.pending(db).phase == rebase.LOADING
            rebase.want(db, "restored")

        settled(world, station)

        assert (world.phone(person), set(facts(world))) == ("13900000001", {fact.id})


class TestGrant:
    def test_the_same_question_gets_the_same_life_again(self, world: Any) -> None:
        station = world.station()
        station.sync()
        with station.store.write() as db:
            rebase.want(db, "restored")
        station.sync(Cut(world.transport(), 1, delivered=True))
        serial = world.rows("SELECT serial FROM node_record")

        settled(world, station)

        assert world.rows("SELECT serial FROM node_record") == serial
        assert world.rows("SELECT count(*) FROM former_epoch") == [(1,)]

    def test_more_than_a_few_a_day_wait_for_a_person(self, world: Any) -> None:
        station = world.station()
        station.sync()
        for _ in range(grant.MAX_A_DAY):
            with station.store.write() as db:
                rebase.want(db, "restored")
            assert station.sync().ok
            world.clock.advance(minutes=1)
        with station.store.write() as db:
            rebase.want(db, "restored")

        report = station.sync()
        assert (report.ok, report.error_code) == (False, "rebase_waits")
        assert world.rows("SELECT kind, peer FROM incident WHERE kind = 'clone'") == [("clone", station.name)]
        with world.hub.write() as db:
            grant.permit(db, station.name, "2026-11-20T02:00:00.000Z")
        settled(world, station)

        assert world.rows("SELECT repaired_at IS NULL FROM incident WHERE kind = 'clone'") == [(0,)]

    def test_the_next_day_it_goes_on_by_itself(self, world: Any) -> None:
        station = world.station()
        for _ in range(grant.MAX_A_DAY + 2):
            with station.store.write() as db:
                rebase.want(db, "restored")
            assert station.sync().ok
            world.clock.advance(hours=13)

    def test_a_database_nobody_knows_waits_for_a_person(self, world: Any) -> None:
        station = world.station()
        with station.store.write() as db:
            database.set_setting(db, "epoch", ids.new_id())

        assert station.sync().error_code == "clone"

    def test_another_stations_site_id_is_not_given(self, world: Any) -> None:
        station, other = world.station(), world.station("0100-2")
        station.sync()
        with station.store.write() as db:
            wanted = rebase.want(db, "restored")
            rebase._put(db, rebase.Pending("ask", "restored", wanted.epoch, other.site))

        assert station.sync().error_code == "header"
        assert world.rows("SELECT count(*) FROM former_epoch") == [(0,)]

    def test_a_revoked_station_gets_nothing(self, world: Any) -> None:
        station = world.station()
        with station.store.write() as db:
            rebase.want(db, "restored")
        with world.hub.write() as db:
            db.execute("UPDATE node_record SET revoked_at = '2026-11-20T01:00:00.000Z'")

        assert station.sync().error_code == "revoked"

    def test_another_key_gets_nothing(self, world: Any) -> None:
        station, other = world.station(), world.station("0100-2")
        with world.hub.write() as db:
            db.execute("UPDATE node_record SET public_key = ? WHERE id = ?", (ids.new_id() * 2, station.name))
        with station.store.write() as db:
            rebase.want(db, "restored")

        assert station.sync().error_code == "certificate_mismatch"
        assert other.sync().ok

    def test_a_fact_of_an_epoch_that_was_never_its_own_is_refused(self, world: Any) -> None:
        station, other = world.station(), world.station("0100-2")
        other.state(case="x")
        stranger = other.state(case="y")
        with station.store.write() as db:
            events.store(db, stranger)
            database.insert(db, "reoffer", {"place": 1, "fact_id": stranger.id})

        station.sync()

        assert world.rows("SELECT code FROM refusal") == [("origin",)]
        assert facts(world) == {}


class TestCertificates:
    def test_it_is_renewed_before_it_ends(self, world: Any) -> None:
        station = world.station()
        station.certificate = world.certify(station, not_after="2026-12-20")
        assert station.sync().ok

        world.clock.advance(days=200)

        assert station.sync().ok
        assert world.rows("SELECT not_after FROM node_record") == [("2028-11-19",)]

    def test_a_station_away_for_longer_than_its_certificate_comes_back(self, world: Any) -> None:
        station, person = world.station(), world.person()
        station.certificate = world.certify(station, not_after="2027-03-31")
        station.sync()
        station.edit(person, phone="13900000001")
        station.state(case="x")
        world.clock.advance(days=200)

        settled(world, station)

        assert world.phone(person) == "13900000001"
        assert len(world.taken) == 1
        assert world.rows("SELECT count(*) FROM former_epoch") == [(0,)]

    def test_one_the_hub_gave_while_its_clock_was_years_ahead_is_replaced(self, world: Any) -> None:
        station = world.station()
        station.certificate = world.certify(station, not_after="2027-03-31")
        world.clock.advance(days=3650)
        assert station.sync().ok
        world.clock.advance(days=-3650)

        assert station.sync().equal is True

    def test_a_revoked_station_gets_no_new_one(self, world: Any) -> None:
        station = world.station()
        station.certificate = world.certify(station, not_after="2026-11-19")
        with world.hub.write() as db:
            db.execute("UPDATE node_record SET revoked_at = '2026-11-20T01:00:00.000Z'")

        assert station.sync().error_code == "revoked"

    def test_one_that_lasts_is_left_alone(self, world: Any) -> None:
        station = world.station()
        line = Recorder(world.transport())
        station.sync(line)
        before = world.rows("SELECT not_after FROM node_record")
        world.clock.advance(days=300)
        station.sync()

        assert world.rows("SELECT not_after FROM node_record") == before
