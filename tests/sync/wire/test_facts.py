# SPDX-License-Identifier: Apache-2.0
"""Facts at the hub: who may state what, in which order, signed by whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database, events
from sync.wire import codec, frame
from tests.sync.forging import Hub, fact, facts_frame, refused


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


def test_hub_facts_are_not_taken_from_stations_under_the_hubs_name(hub: Hub) -> None:
    world, station, box, node = hub
    forged = fact(station, origin=events.HUB, kind="case_approved")

    said = box.accept(node, "evt", 1, facts_frame(station, forged))

    assert [code for _, code in refused(world, said)] == ["origin"]
