# SPDX-License-Identifier: Apache-2.0
"""One pushed frame at the hub: idempotent by address, chained, and a hostile one changes not a byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import database, events, ids
from schema.errors import BadFrame, BadSignature, RefusedByPeer
from schema.events import GENESIS, Fact
from sync import codec, frame, inbox, outbox, receipt
from sync.codec import WireCell
from sync.inbox import Gap, Inbox, Node

Hub = tuple[Any, Any, Inbox, Node]


@pytest.fixture
def hub(world: Any) -> Hub:
    station = world.station()
    station.sync()
    box = Inbox(world.hub, world.hub_key, world.clock, lambda pub, fact: world.intake(pub, fact))
    public = station.key.public_key().public_bytes_raw()
    return world, station, box, Node(station.name, station.epoch, public, station.site, station.slices)


def make(station: Any, channel: str, content: Any, n: int = 1, prev: bytes = GENESIS, **header: Any) -> bytes:
    made = frame.Header(
        station.name,
        "hub",
        station.epoch,
        channel,
        "",
        frame.PUSH,
        n,
        prev,
        0,
        n,
        False,
        1,
        1,
        "2026-11-20T01:00:00.000Z",
    )
    return frame.build(replace(made, **header), content, station.key)


def fact(station: Any, seq: int = 1, prev: bytes = GENESIS, key: Any = None, **change: Any) -> Fact:
    made = Fact(
        ids.new_id(), station.name, station.epoch, seq, prev, "case_submitted", 1, ids.new_id(), station.officer,
        "2026-11-20T01:00:00.000Z", {"case": str(seq)},
    )  # fmt: skip
    return replace(made, **change).signed(key or station.officer_key)


def facts_frame(station: Any, *facts: Any, **more: Any) -> bytes:
    items = [f.to_wire() if isinstance(f, Fact) else f for f in facts]
    return make(station, "evt", {"facts": items}, **({"items": len(items)} | more))


def cells_frame(station: Any, *cells: WireCell, conflicts: Any = (), **more: Any) -> bytes:
    rows = len({(c.table, c.row_id) for c in cells}) + len(conflicts)
    content = {"cells": codec.pack_cells(cells), "conflicts": list(conflicts)}
    return make(station, "reg", content, **({"items": rows} | more))


def cell(row_id: bytes, **change: Any) -> WireCell:
    return WireCell("contact", row_id, "phone", "13900000001", 2, 1, 0)._replace(**change)


def bytes_of(world: Any) -> list[bytes]:
    """Every byte of the hub's database, write-ahead log included."""
    return [path.read_bytes() for path in sorted(world.folder.glob("hub.db*")) if not path.name.endswith("-shm")]


def refused(world: Any, data: bytes) -> list[tuple[str, str]]:
    return [(r.item, r.code) for r in receipt.read(data, world.hub_public).refused]


class TestAddress:
    def test_the_same_frame_again_gets_the_same_receipt(self, hub: Hub) -> None:
        world, station, box, node = hub
        data = facts_frame(station, fact(station))

        first = box.accept(node, "evt", 1, data)
        world.clock.advance(hours=1)

        assert box.accept(node, "evt", 1, data) == first
        assert len(world.taken) == 1

    def test_an_old_frame_again_changes_nothing(self, hub: Hub) -> None:
        world, station, box, node = hub
        person = world.person()
        first = cells_frame(station, cell(person))
        box.accept(node, "reg", 1, first)
        second = cells_frame(station, cell(person, value="13900000002", col_version=3), n=2, prev=frame.hash_of(first))
        box.accept(node, "reg", 2, second)
        before = bytes_of(world)

        box.accept(node, "reg", 1, first)

        assert bytes_of(world) == before
        assert world.phone(person) == "13900000002"

    @pytest.mark.parametrize("channel", ["evt", "reg"])
    def test_another_frame_at_a_known_address_freezes_the_station(self, hub: Hub, channel: str) -> None:
        world, station, box, node = hub
        build: Callable[..., bytes] = facts_frame if channel == "evt" else cells_frame
        box.accept(node, channel, 1, build(station))

        with pytest.raises(RefusedByPeer) as error:
            box.accept(node, channel, 1, build(station, made_at="2026-11-20T02:00:00.000Z"))

        assert error.value.code == "frozen"
        assert world.rows("SELECT peer, channel, frame_n, code, handled_at FROM refusal") == [
            (station.name, channel, 1, "frozen", None)
        ]
        assert station.sync().error_code == "frozen"
        with world.hub.write() as db:
            db.execute("UPDATE refusal SET handled_at = '2026-11-20T03:00:00.000Z'")
            assert not inbox.is_frozen(db, station.name)

    def test_a_frame_that_does_not_continue_the_last_freezes_the_station(self, hub: Hub) -> None:
        _, station, box, node = hub
        box.accept(node, "evt", 1, facts_frame(station))

        with pytest.raises(RefusedByPeer) as error:
            box.accept(node, "evt", 2, facts_frame(station, n=2, prev=bytes(range(32))))

        assert error.value.code == "frozen"

    def test_a_gap_names_the_last_known_frame(self, hub: Hub) -> None:
        world, station, box, node = hub
        data = facts_frame(station)
        box.accept(node, "evt", 1, data)
        before = bytes_of(world)

        with pytest.raises(Gap) as gap:
            box.accept(node, "evt", 3, facts_frame(station, n=3, prev=frame.hash_of(data)))

        assert (gap.value.code, gap.value.known.n) == ("gap", 1)
        assert bytes_of(world) == before

    @pytest.mark.parametrize(
        "header",
        [
            {"node": "0100-2"}, {"to": "0100-2"}, {"epoch": bytes(range(16))}, {"chan": "reg"}, {"slice": "county"},
            {"dir": frame.PULL}, {"n": 2}, {"schema": 99}, {"more": True}, {"upto": 2_000_000}, {"items": 9},
        ],
        ids=str,
    )  # fmt: skip
    def test_a_frame_for_another_address_changes_nothing(self, hub: Hub, header: dict[str, Any]) -> None:
        world, station, box, node = hub
        data = make(station, header.pop("chan", "evt"), {"facts": []}, **({"items": 0} | header))
        before = bytes_of(world)

        with pytest.raises(BadFrame):
            box.accept(node, "evt", 1, data)

        assert bytes_of(world) == before

    def test_a_forged_signature_changes_nothing(self, hub: Hub) -> None:
        world, station, box, node = hub
        station.key = Ed25519PrivateKey.generate()
        before = bytes_of(world)

        with pytest.raises(BadSignature):
            box.accept(node, "evt", 1, facts_frame(station, fact(station)))

        assert bytes_of(world) == before


class TestHostileFrames:
    def test_whatever_is_signed_is_taken_whole_or_changes_not_a_byte(self, hub: Hub) -> None:
        """Valid frames are mutated before signing: header, content, single values. Only BadFrame may come out."""
        world, station, box, node = hub
        person = world.person()
        contents: dict[str, Any] = {
            "evt": {"facts": [fact(station).to_wire()]},
            "reg": {"cells": codec.pack_cells([cell(person)]), "conflicts": []},
        }
        rubbish = st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.binary(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=6,
        )
        taken: list[int] = []

        @settings(
            max_examples=150, deadline=None, derandomize=True, database=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )  # fmt: skip
        @given(st.sampled_from(["evt", "reg"]), rubbish, st.randoms(use_true_random=False))
        def attack(channel: str, junk: Any, rng: random.Random) -> None:
            with world.hub.read() as db:
                last = inbox.known(db, node, channel)
            content = _mutated(contents[channel], junk, rng)
            data = make(
                station, channel, content, n=last.n + 1, prev=last.hash, upto=last.upto + 1, items=rng.choice([0, 1])
            )
            before = bytes_of(world)
            try:
                receipt.read(box.accept(node, channel, last.n + 1, data), world.hub_public)
                taken.append(1)
            except BadFrame:
                assert bytes_of(world) == before

        attack()
        assert 5 < len(taken) < 145, "both outcomes must have been seen"
        assert world.rows("PRAGMA integrity_check") == [("ok",)]
        assert station.sync().error_code in ("", "rebase")
        with world.hub.write() as db:
            assert database.update(db, "contact", {"id": person}, {"note": "still tracked"}) == 1

    @settings(max_examples=60, deadline=None, derandomize=True, database=None,
              suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
    @given(place=st.integers(0, 10**6), bits=st.integers(1, 255))
    def test_a_frame_damaged_on_the_way_changes_not_a_byte(self, hub: Hub, place: int, bits: int) -> None:
        world, station, box, node = hub
        data = bytearray(facts_frame(station, fact(station)))
        data[place % len(data)] ^= bits
        before = bytes_of(world)

        with pytest.raises((BadFrame, BadSignature)):
            box.accept(node, "evt", 1, bytes(data))

        assert bytes_of(world) == before


def _mutated(value: Any, junk: Any, rng: random.Random) -> Any:
    """The value with one part of it, at any depth, replaced."""
    if not isinstance(value, list | dict) or not value or rng.random() < 0.2:
        return junk
    if isinstance(value, list):
        place = rng.randrange(len(value))
        return [_mutated(v, junk, rng) if i == place else v for i, v in enumerate(value)]
    name = rng.choice(sorted(value))
    return {k: _mutated(v, junk, rng) if k == name else v for k, v in value.items()}


class TestFacts:
    def test_good_facts_are_stored_with_the_hubs_receive_time(self, hub: Hub) -> None:
        world, station, box, node = hub
        stated = fact(station)

        box.accept(node, "evt", 1, facts_frame(station, stated))

        assert world.rows("SELECT id, received_at FROM fact") == [(stated.id, "2026-11-20T01:00:00.000Z")]
        assert world.taken[0].received_at == "2026-11-20T01:00:00.000Z"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"kind": "case_approved"}, "kind"),
            ({"kind": "free_money"}, "kind"),
            ({"version": 2}, "kind"),
            ({"officer": "9999"}, "officer_unknown"),
            ({"key": Ed25519PrivateKey.generate()}, "officer_signature"),
            ({"origin": "0100-2"}, "origin"),
            ({"epoch": bytes(range(16))}, "origin"),
            ({"seq": 3}, "chain"),
            ({"prev": bytes(range(32))}, "chain"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_a_fact_that_may_not_be_is_set_aside_with_its_reason(
        self, hub: Hub, change: dict[str, Any], code: str
    ) -> None:
        world, station, box, node = hub
        bad = fact(station, **change)

        said = box.accept(node, "evt", 1, facts_frame(station, bad))

        assert refused(world, said) == [(bad.id.hex(), code)]
        assert (world.taken, world.rows("SELECT * FROM fact")) == ([], [])
        kept = world.rows("SELECT direction, peer, item, code, content FROM refusal")
        assert kept == [("in", station.name, bad.id.hex(), code, codec.dump(bad.to_wire()))]

    def test_the_chain_goes_on_past_a_fact_that_was_set_aside(self, hub: Hub) -> None:
        world, station, box, node = hub
        bad = fact(station, kind="case_approved")
        good = fact(station, seq=2, prev=bad.hash)

        said = box.accept(node, "evt", 1, facts_frame(station, bad, good))

        assert refused(world, said) == [(bad.id.hex(), "kind")]
        assert [f.id for f in world.taken] == [good.id]

    def test_the_chain_goes_on_past_a_fact_that_cannot_be_read(self, hub: Hub) -> None:
        world, station, box, node = hub
        good = fact(station, seq=2, prev=bytes(range(32)))

        said = box.accept(node, "evt", 1, facts_frame(station, ["rubbish"], good))

        assert refused(world, said) == [("?", "fact_form")]
        assert [f.id for f in world.taken] == [good.id]

    def test_a_missing_fact_is_noticed_once_and_in_a_later_frame_too(self, hub: Hub) -> None:
        world, station, box, node = hub
        one = fact(station)
        two = fact(station, seq=2, prev=one.hash)
        three = fact(station, seq=3, prev=two.hash)
        four = fact(station, seq=4, prev=three.hash)
        first = facts_frame(station, one)
        box.accept(node, "evt", 1, first)

        said = box.accept(node, "evt", 2, facts_frame(station, three, four, n=2, prev=frame.hash_of(first)))

        assert refused(world, said) == [(three.id.hex(), "chain")]
        assert [f.id for f in world.taken] == [one.id, four.id]

    def test_a_fact_is_accepted_once_by_id(self, hub: Hub) -> None:
        world, station, box, node = hub
        one = fact(station)
        again = replace(one, seq=2, prev=one.hash).signed(station.officer_key)

        said = box.accept(node, "evt", 1, facts_frame(station, one, again))

        assert refused(world, said) == [(one.id.hex(), "id_reused")]
        assert len(world.taken) == 1

    def test_a_disabled_officer_is_refused_whatever_the_station_believes(self, hub: Hub) -> None:
        world, station, box, node = hub
        with world.hub.write() as db:
            db.execute("UPDATE officer_key SET disabled_at = '2026-11-19T00:00:00.000Z'")

        said = box.accept(node, "evt", 1, facts_frame(station, fact(station)))

        assert [code for _, code in refused(world, said)] == ["officer_disabled"]

    def test_a_day_of_dismissal_counts_too(self, hub: Hub) -> None:
        world, station, box, node = hub
        with world.hub.write() as db:
            db.execute("UPDATE officer SET disabled_on = '2026-11-20'")

        said = box.accept(node, "evt", 1, facts_frame(station, fact(station)))

        assert [code for _, code in refused(world, said)] == ["officer_disabled"]

    def test_an_officer_of_another_station_is_refused(self, hub: Hub) -> None:
        world, station, box, node = hub
        other = world.station("0100-2")

        said = box.accept(
            node, "evt", 1, facts_frame(station, fact(station, officer=other.officer, key=other.officer_key))
        )

        assert [code for _, code in refused(world, said)] == ["officer_station"]

    def test_an_earlier_key_of_the_officer_still_signs_what_was_stated_offline(self, hub: Hub) -> None:
        world, station, box, node = hub
        with world.hub.write() as db:
            key = {
                "operator_no": station.officer,
                "valid_from": "2026-11-20T00:30:00.000Z",
                "name": "甲",
                "roles": "clerk",
            }
            database.insert(db, "officer_key", key | {"public_key": bytes(range(32)), "rev": 1})

        said = box.accept(node, "evt", 1, facts_frame(station, fact(station)))

        assert refused(world, said) == []

    def test_a_full_disk_is_no_reason_to_refuse_a_fact(self, hub: Hub) -> None:
        """What the database says of itself must fail the frame, which is sent again; only bad data is set aside."""
        world, station, box, node = hub
        data = facts_frame(station, fact(station))
        fill_up = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 999) SELECT randomblob(4000) x FROM n"
        )

        def full(pub: Any, fact: Any) -> None:
            pages = pub.db.execute("PRAGMA page_count").fetchone()[0]
            pub.db.execute(f"PRAGMA max_page_count = {pages}")
            try:
                pub.db.execute(f"CREATE TABLE big AS {fill_up}")
            finally:
                pub.db.execute("PRAGMA max_page_count = 1000000")

        world.intake = full
        before = world.rows("SELECT count(*) FROM refusal"), world.rows("SELECT count(*) FROM frame_ledger")
        with pytest.raises(database.OperationalError):
            box.accept(node, "evt", 1, data)

        assert (world.rows("SELECT count(*) FROM refusal"), world.rows("SELECT count(*) FROM frame_ledger")) == before
        world.intake = lambda pub, fact: world.taken.append(fact)
        assert refused(world, box.accept(node, "evt", 1, data)) == []
        assert len(world.taken) == 1


class TestCells:
    def test_the_author_is_the_station_of_the_record_and_not_on_the_wire(self, hub: Hub) -> None:
        world, station, box, node = hub
        person = world.person()

        box.accept(node, "reg", 1, cells_frame(station, cell(person)))

        authors = world.rows(
            "SELECT c.col_name, s.site_id = ? FROM contact__crsql_clock c "
            "JOIN crsql_site_id s ON s.ordinal = c.site_id "
            "WHERE c.col_name = 'phone'",
            station.site,
        )
        assert authors == [("phone", 1)]

    def test_a_stations_counter_cannot_move_the_hubs(self, hub: Hub) -> None:
        """P4: a far-ahead db_version would stop the hub's sync for ever; it is not even on the wire."""
        world, station, box, node = hub
        person = world.person()

        box.accept(node, "reg", 1, cells_frame(station, cell(person), upto=900_000))

        assert world.rows("SELECT max(db_version) < 10 FROM contact__crsql_clock") == [(1,)]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"col_version": 2**53}, "range"),
            ({"causal_length": 2}, "tombstone"),
            ({"column": "-1", "value": None, "col_version": 1}, "sentinel"),
            ({"column": "-1", "value": None, "col_version": 2, "causal_length": 2}, "sentinel"),
            ({"table": "person", "column": "name"}, "table"),
            ({"extra": 2**40}, "range"),
        ],
        ids=str,
    )
    def test_hostile_cells_are_set_aside_and_listed(self, hub: Hub, change: dict[str, Any], code: str) -> None:
        world, station, box, node = hub
        bad, good = world.person(), world.person()

        said = box.accept(node, "reg", 1, cells_frame(station, cell(bad, **change), cell(good)))

        assert refused(world, said) == [(f"{change.get('table', 'contact')}/{bad.hex()}", code)]
        assert (world.phone(bad), world.phone(good)) == ("13800000000", "13900000001")
        assert world.rows("SELECT direction, peer, code FROM refusal") == [("in", station.name, code)]

    def test_a_conflict_the_station_found_is_published_once(self, hub: Hub) -> None:
        world, station, box, node = hub
        person, found = world.person(), ids.new_id()
        item = [found, "contact", person, "phone", "1", "2", station.site]
        first = cells_frame(station, conflicts=[item])
        box.accept(node, "reg", 1, first)

        said = box.accept(node, "reg", 2, cells_frame(station, conflicts=[item], n=2, prev=frame.hash_of(first)))

        assert receipt.read(said, world.hub_public).conflicts == 0
        assert world.rows("SELECT id, kept, lost, kept_by, lost_by FROM conflict") == [
            (found, "1", "2", "0100-1", "0100-1")
        ]
        assert world.rows("SELECT slice FROM slice_feed WHERE tbl = 'conflict'") == [("330683100",)]

    @pytest.mark.parametrize("wrong", ["slice", "column", "table", "length", "author", "arity"])
    def test_a_conflict_out_of_form_or_slice_is_refused(self, hub: Hub, wrong: str) -> None:
        world, station, box, node = hub
        item: list[Any] = [ids.new_id(), "contact", world.person(), "phone", "1", "2", station.site]
        place, value = {
            "slice": (2, world.person(village="330683101201")), "column": (3, "nothing"), "table": (1, "person"),
            "length": (4, "x" * 400), "author": (6, b""), "arity": (5, []),
        }[wrong]  # fmt: skip
        item[place] = value

        said = box.accept(node, "reg", 1, cells_frame(station, conflicts=[item]))

        assert refused(world, said) == [(f"conflict/{item[0].hex()}", "conflict_form")]
        assert world.rows("SELECT count(*) FROM conflict") == [(0,)]


def test_frames_built_by_the_outbox_are_accepted(hub: Hub) -> None:
    world, station, box, node = hub
    person = world.person()
    station.sync()
    station.edit(person, phone="13900000001")
    with station.store.write() as db:
        outbox.build(db, "reg", station.session()._certificate, station.key, world.clock)
        built = outbox.frame_at(db, "reg", 1)
    assert built is not None

    said = receipt.read(box.accept(node, "reg", 1, built.data), world.hub_public)

    assert (said.applied, said.refused) == (1, ())


def test_hub_facts_are_not_taken_from_stations_under_the_hubs_name(hub: Hub) -> None:
    world, station, box, node = hub
    forged = fact(station, origin=events.HUB, kind="case_approved")

    said = box.accept(node, "evt", 1, facts_frame(station, forged))

    assert [code for _, code in refused(world, said)] == ["origin"]
