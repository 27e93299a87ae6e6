# SPDX-License-Identifier: Apache-2.0
"""One pulled page at the station: all of it or nothing of it, whatever the hub sends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import crsqlite, events, ids
from schema.errors import BadFrame, BadSignature, Refusal
from schema.events import GENESIS, Fact
from sync.hub import publish
from sync.station import pull
from sync.wire import codec, frame
from sync.wire.codec import WireCell
from sync.wire.transport import Response

UNIT = {"id": bytes(range(16)), "uscc": "9", "name": "厂", "township": "330683100", "rev": 5}


def page(world: Any, station: Any, channel: str, content: Any, key: Any = None, **change: Any) -> frame.Frame:
    header = frame.Header(
        "hub", station.name, station.epoch, channel, "330683100", frame.PULL, 0, GENESIS, 0, 9, False, 1, 1,
        "2026-11-20T01:00:00.000Z",
    )  # fmt: skip
    return frame.open_frame(frame.build(replace(header, **change), content, world.hub_key), world.hub_public)


def apply(world: Any, station: Any, opened: frame.Frame) -> int:
    certificate, receive = station.session()._certificate, lambda db, fact: station.received.append(fact)
    return pull.apply(station.store, opened, certificate, station.key, world.clock, receive)


def rows(*units: dict[str, Any], table: str = "unit") -> dict[str, Any]:
    return {"rows": codec.pack_rows({table: list(units)}), "gone": []}


def hub_fact(world: Any, **change: Any) -> Fact:
    key = change.pop("key", world.hub_key)
    made = Fact(ids.new_id(), "hub", bytes(16), 1, GENESIS, "case_accepted", 1, ids.new_id(), "2001",
                "2026-11-20T01:00:00.000Z", {}, received_at="2026-11-20T01:00:00.000Z")  # fmt: skip
    return replace(made, **change).signed(key)


def snapshot(station: Any) -> list[Any]:
    tables = ("unit", "contact", "contact__crsql_clock", "fact", "cursor", "pull_mark", "conflict")
    return [station.rows(f"SELECT * FROM {name}") for name in tables]


class TestReferenceRows:
    def test_a_newer_row_replaces_and_an_older_one_does_not(self, world: Any) -> None:
        station = world.station()
        for rev, name in ((5, "甲"), (7, "乙"), (6, "丙"), (7, "丁")):
            content = rows(UNIT | {"rev": rev, "name": name})
            with station.store.write() as db:
                db.execute("DELETE FROM cursor")
            apply(world, station, page(world, station, "ref", content))

        assert station.rows("SELECT name, rev FROM unit") == [("乙", 7)]

    def test_rows_and_cursor_are_one_transaction(self, world: Any) -> None:
        station = world.station()

        items = apply(world, station, page(world, station, "ref", rows(UNIT)))

        assert items == 1
        assert station.rows('SELECT slice, channel, "after" FROM cursor') == [("330683100", "ref", 9)]

    def test_a_page_for_another_position_is_passed_over(self, world: Any) -> None:
        """Another session of the station was quicker: applying it would move the cursor over a hole."""
        station = world.station()

        assert apply(world, station, page(world, station, "ref", rows(UNIT), first=3)) == 0
        assert station.rows("SELECT count(*) FROM unit") == [(0,)]

    def test_a_page_that_begins_before_the_cursor_and_ends_behind_it_is_applied(self, world: Any) -> None:
        """A page that waited on a stick while the line brought its first rows."""
        station = world.station()
        second = UNIT | {"id": bytes(16), "rev": 9}
        apply(world, station, page(world, station, "ref", rows(UNIT), upto=5))

        assert apply(world, station, page(world, station, "ref", rows(UNIT, second))) == 2
        assert station.rows("SELECT count(*) FROM unit") == [(2,)]
        assert station.rows('SELECT slice, channel, "after" FROM cursor') == [("330683100", "ref", 9)]

    def test_a_page_that_ends_before_the_cursor_is_passed_over(self, world: Any) -> None:
        station = world.station()
        apply(world, station, page(world, station, "ref", rows(UNIT)))

        assert apply(world, station, page(world, station, "ref", rows(UNIT | {"rev": 6}), upto=5)) == 0
        assert station.rows("SELECT rev FROM unit") == [(5,)]

    @pytest.mark.parametrize(
        "content",
        [
            rows(UNIT | {"name": None}),
            rows(UNIT, UNIT | {"id": b"short"}),
            rows(UNIT | {"color": "red"}),
            rows({"name": "x", "value": b"1", "rev": 1}, table="setting"),
            rows({"name": "state", "value": "up", "rev": 1}, table="link"),
            {"rows": {}, "gone": [[3, "unit", UNIT["id"]]]},
            {"rows": {}},
            {"rows": [], "gone": []},
            {"rows": {}, "gone": [], "more": 1},
            [],
            None,
        ],
        ids=lambda content: str(content)[:40],
    )
    def test_a_page_with_one_fault_is_not_applied_at_all(self, world: Any, content: Any) -> None:
        station = world.station()
        before = snapshot(station)

        with pytest.raises(BadFrame):
            apply(world, station, page(world, station, "ref", content))

        assert snapshot(station) == before


class TestCells:
    def content(self, *cells: WireCell, sites: Any = (bytes(range(16)),)) -> dict[str, Any]:
        return {"cells": codec.pack_cells(cells), "sites": list(sites), "gone": []}

    def test_cells_keep_their_author(self, world: Any) -> None:
        station, row = world.station(), ids.new_id()
        cell = WireCell("contact", row, "phone", "13900000001", 3, 1, 0)

        apply(world, station, page(world, station, "reg", self.content(cell)))

        assert station.rows(
            "SELECT s.site_id, c.col_version FROM contact__crsql_clock c JOIN crsql_site_id s ON s.ordinal = c.site_id"
        ) == [(bytes(range(16)), 3)]

    @pytest.mark.parametrize(
        "change",
        [
            {"table": "person", "column": "name"}, {"column": "id"}, {"value": 7}, {"value": "x\x00"},
            {"col_version": 2**62}, {"causal_length": 0}, {"extra": 1}, {"extra": -1},
        ],
        ids=str,
    )  # fmt: skip
    def test_a_cell_out_of_form_stops_its_page(self, world: Any, change: dict[str, Any]) -> None:
        station = world.station()
        good = WireCell("contact", ids.new_id(), "phone", "13900000001", 3, 1, 0)
        before = snapshot(station)

        with pytest.raises(BadFrame):
            bad = good._replace(row_id=ids.new_id(), **change)
            apply(world, station, page(world, station, "reg", self.content(good, bad)))

        assert snapshot(station) == before

    def test_a_merge_that_fails_leaves_the_pages_connection_tracking(
        self, world: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """P1: planted is the state an unmended extension leaves; no merge may share a connection with the pages."""
        station, row = world.station(), ids.new_id()

        def stuck(db: Any, *rest: Any) -> int:
            db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
            raise RuntimeError("the merge failed")

        monkeypatch.setattr(crsqlite.Guards, "clear_sync_bit", False)
        monkeypatch.setattr(crsqlite, "apply", stuck)
        cell = WireCell("contact", row, "phone", "13900000001", 3, 1, 0)
        with pytest.raises(RuntimeError):
            apply(world, station, page(world, station, "reg", self.content(cell)))

        station.edit(row, note="tracked")
        assert station.rows("SELECT count(*) FROM contact__crsql_clock WHERE col_name = 'note'") == [(1,)]

    @pytest.mark.parametrize("sites", [[b""], ["x"], 7])
    def test_authors_must_be_authors(self, world: Any, sites: Any) -> None:
        station = world.station()
        with pytest.raises(BadFrame):
            apply(world, station, page(world, station, "reg", self.content() | {"sites": sites}))

    def test_the_hub_may_delete_a_row(self, world: Any) -> None:
        """Legal erasure is the hub's alone."""
        station = world.station()
        person = world.person()
        station.sync()
        gone = WireCell("contact", person, "-1", None, 2, 2, 0)
        at = station.rows('SELECT "after" FROM cursor WHERE channel = ? AND slice = ?', "reg", "330683100")[0][0]

        apply(world, station, page(world, station, "reg", self.content(gone), first=at, upto=at + 1))

        assert station.phone(person) is None


class TestFacts:
    def content(self, *facts: Any) -> dict[str, Any]:
        return {"facts": [f.to_wire() if isinstance(f, Fact) else f for f in facts], "gone": []}

    def test_a_fact_is_stored_and_handed_over_once(self, world: Any) -> None:
        station, fact = world.station(), hub_fact(world)
        for _ in range(2):
            with station.store.write() as db:
                db.execute("DELETE FROM cursor")
            apply(world, station, page(world, station, "evt", self.content(fact)))

        assert [f.id for f in station.received] == [fact.id]
        assert station.rows("SELECT id, received_at FROM fact") == [(fact.id, "2026-11-20T01:00:00.000Z")]

    def test_an_officer_whose_key_is_known_must_have_signed(self, world: Any) -> None:
        station = world.station()
        with publish.transaction(world.hub) as pub:
            row = {"operator_no": "2001", "valid_from": "2026-01-01T00:00:00.000Z", "name": "乙", "roles": "accept"}
            pub.put("officer_key", row | {"public_key": world.hub_public})
        station.sync()
        forged = hub_fact(world, key=Ed25519PrivateKey.generate())

        at = station.rows('SELECT "after" FROM cursor WHERE channel = ? AND slice = ?', "evt", "330683100")[0][0]
        assert (
            apply(world, station, page(world, station, "evt", self.content(hub_fact(world)), first=at, upto=at + 1))
            == 1
        )
        with pytest.raises(BadFrame) as refused:
            apply(world, station, page(world, station, "evt", self.content(forged), first=at + 1, upto=at + 2))
        assert refused.value.code == "officer_signature"

    @pytest.mark.parametrize("kind", ["case_submitted", "free_money"])
    def test_a_kind_the_hub_may_not_state_is_refused(self, world: Any, kind: str) -> None:
        with pytest.raises(BadFrame) as refused:
            station = world.station()
            apply(world, station, page(world, station, "evt", self.content(hub_fact(world, kind=kind))))
        assert refused.value.code == "kind"

    @pytest.mark.parametrize("item", [None, [], ["x"] * 13, 7])
    def test_a_malformed_fact_is_refused(self, world: Any, item: Any) -> None:
        with pytest.raises(BadFrame) as refused:
            station = world.station()
            apply(world, station, page(world, station, "evt", self.content(item)))
        assert refused.value.code == "fact_form"

    def test_keys_arrive_before_the_facts_they_check(self, world: Any) -> None:
        """An officer's new key and the first fact signed with it come in one session."""
        station = world.station()
        old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        row = {"operator_no": "2001", "name": "乙", "roles": "accept"}
        for key, day in ((old, "2026-01-01"), (new, "2026-11-19")):
            with publish.transaction(world.hub) as pub:
                public = key.public_key().public_bytes_raw()
                pub.put("officer_key", row | {"valid_from": f"{day}T00:00:00.000Z", "public_key": public})
                fact = hub_fact(world, key=key, seq=1 if key is old else 2)
                events.store(pub.db, fact)
                pub.fact(fact, station.name)
            assert station.sync().error_code == ""
        assert len(station.received) == 2

    @pytest.mark.parametrize("error", [Refusal("不行", "no", code="nope"), KeyError("case_id")])
    def test_what_the_business_above_cannot_use_stops_only_its_channel(self, world: Any, error: Exception) -> None:
        station = world.station()
        person = world.person()
        with publish.transaction(world.hub) as pub:
            fact = hub_fact(world)
            events.store(pub.db, fact)
            pub.fact(fact, station.name)
        session = station.session()

        def fails(db: Any, fact: Fact) -> None:
            raise error

        session._receive = fails
        report = session.run()

        assert (report.ok, report.error_code, report.refused) == (False, "pull_refused", 1)
        assert station.phone(person) == "13800000000"
        assert station.rows("SELECT count(*) FROM fact") == [(0,)]
        assert station.rows("SELECT item, code FROM refusal") == [
            (f"node:{station.name}/evt", "nope" if isinstance(error, Refusal) else "intake_failed")
        ]
        assert station.sync().ok is True, "once the fault is mended the same page is used"


class TestHeader:
    @pytest.mark.parametrize(
        "change",
        [
            {"node": "0100-2"}, {"to": "0100-2"}, {"epoch": bytes(range(16))}, {"chan": "evt"}, {"slice": "county"},
            {"dir": "push"}, {"n": 1}, {"prev": bytes(range(32))}, {"first": 1}, {"more": True, "upto": 0},
        ],
        ids=str,
    )  # fmt: skip
    def test_only_the_page_that_was_asked_for_is_taken(self, world: Any, change: dict[str, Any]) -> None:
        station = world.station()
        channel = change.pop("chan", "ref")
        opened = page(world, station, channel, rows(UNIT), **change)

        with pytest.raises(BadFrame) as refused:
            pull.check_header(opened, station.session()._certificate, "330683100", "ref", 0)

        assert refused.value.code == "address"

    def test_a_page_signed_by_somebody_else_ends_the_session(self, world: Any) -> None:
        station = world.station()
        world.person()

        class Impostor:
            def request(self, method: str, path: str, *rest: Any) -> Response:
                answer = inner.request(method, path, *rest)
                if "/feed/" not in path:
                    return answer
                key = Ed25519PrivateKey.generate()
                body = answer.body[:-64]
                return Response(200, {}, body + key.sign(body))

        inner = world.transport()
        report = station.sync(Impostor())

        assert (report.ok, report.error_code) == (False, "signature")
        assert station.rows("SELECT count(*) FROM person") == [(0,)]


_NAMES = st.sampled_from(["rows", "cells", "facts", "sites", "gone", "unit", "c", "v", "id"])
_RUBBISH = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(max_size=4) | st.binary(max_size=17),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=10,
)
_FUZZ = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@_FUZZ
@given(st.sampled_from(["evt", "ref", "reg"]), _RUBBISH)
def test_no_content_raises_anything_but_bad_frame(world: Any, channel: str, content: Any) -> None:
    station = world.stations[0] if world.stations else world.station()
    before = snapshot(station)
    if isinstance(content, dict):
        content = {"gone": []} | content
    try:
        apply(world, station, page(world, station, channel, content))
    except (BadFrame, BadSignature):
        assert snapshot(station) == before
    with station.store.write() as db:
        db.execute("DELETE FROM cursor")
        db.execute("DELETE FROM pull_mark")
