# SPDX-License-Identifier: Apache-2.0
"""What the hub writes reaches exactly the slices it belongs to, and only when something changed."""

from __future__ import annotations

from typing import Any

import pytest

from schema import crsqlite, database, events, ids, tables
from schema.errors import StoreError
from sync import slices
from sync.hub import publish

PERSON = {
    "id_number": "330683195501010011", "name": "测试甲", "sex": "1", "birth_on": "1955-01-01",
    "village": "330683100201", "life_status": "1",
}  # fmt: skip


def feed(world: Any) -> list[tuple[Any, ...]]:
    return world.rows("SELECT slice, tbl, channel FROM slice_feed ORDER BY seq")


def test_a_row_is_written_fed_and_numbered_once(world: Any) -> None:
    unit = {"id": ids.new_id(), "uscc": "91330683MA00000000", "name": "厂", "township": "330683100"}

    with publish.transaction(world.hub) as pub:
        first, again, changed = pub.put("unit", unit), pub.put("unit", unit), pub.put("unit", unit | {"name": "新厂"})

    assert (first, again, changed) == (True, False, True)
    assert feed(world) == [("330683100", "unit", "ref")]
    assert world.rows("SELECT u.rev = f.seq, f.seq = h.seq, f.seq FROM unit u, slice_feed f, feed_head h") == [
        (1, 1, 2)
    ]


def test_columns_left_out_keep_their_value(world: Any) -> None:
    unit = ids.new_id()
    with publish.transaction(world.hub) as pub:
        pub.put("unit", {"id": unit, "uscc": "9", "name": "厂", "township": "330683100", "phone": "1"})
        pub.put("unit", {"id": unit, "name": "新厂"})

    assert world.rows("SELECT name, phone FROM unit") == [("新厂", "1")]


def test_a_new_person_is_placed_in_the_township_of_the_village(world: Any) -> None:
    person = ids.new_id()
    with publish.transaction(world.hub) as pub:
        pub.put("person", PERSON | {"id": person})

    assert world.rows("SELECT person_id, slice FROM slice_member") == [(person, "330683100")]
    assert feed(world) == [("330683100", "person", "ref")]


def test_a_slice_a_person_enters_gets_every_row_of_the_person(world: Any) -> None:
    person = world.person(phone="13800000000")
    with publish.transaction(world.hub) as pub:
        pub.put("bank_account", {"person_id": person, "bank": "农商银行", "account_no": "1", "holder": "甲"})
        pub.put(
            "account",
            {
                "person_id": person,
                "insurance": "resident_pension",
                "balance_fen": 1,
                "paid_months": 1,
                "as_of_month": "2026-10",
            },
        )
        pub.place(person, ["330683100", "330683101"])

    entered = [(t, c) for s, t, c in feed(world) if s == "330683101"]
    assert sorted(entered) == [("account", "ref"), ("bank_account", "ref"), ("contact", "reg"), ("person", "ref")]
    last = world.rows("SELECT max(seq) FROM slice_feed WHERE slice = '330683101'")[0][0]
    assert world.rows("SELECT since_seq > ? FROM slice_member WHERE slice = '330683101'", last) == [(1,)]


def test_rows_of_a_person_in_two_townships_go_to_both(world: Any) -> None:
    person = world.person()
    with publish.transaction(world.hub) as pub:
        pub.place(person, ["330683101"])
        pub.put("bank_account", {"person_id": person, "bank": "农商银行", "account_no": "1", "holder": "甲"})

    found = world.rows("SELECT slice FROM slice_feed WHERE tbl = 'bank_account' ORDER BY slice")
    assert found == [("330683100",), ("330683101",)]


@pytest.mark.parametrize(
    ("table", "row", "expected"),
    [
        ("division", {"code": "330683100"}, ["county"]),
        ("station", {"id": "0100-1"}, ["county"]),
        ("officer_key", {"operator_no": "3001"}, ["county"]),
        ("officer", {"operator_no": "3001", "station": "0100-1"}, ["node:0100-1"]),
        ("officer", {"operator_no": "2001", "station": None}, []),
        ("officer", {"operator_no": "2001", "station": ""}, []),
        ("receipt_block", {"station": "0100-1"}, ["node:0100-1"]),
        ("case_state", {"station": "0100-1"}, ["node:0100-1"]),
        ("household", {"village": "330683100201"}, ["330683100"]),
        ("unit", {"township": "330683100"}, ["330683100"]),
        ("enrolment", {"person_id": bytes(16)}, []),
    ],
)
def test_each_table_has_its_slices(world: Any, table: str, row: dict[str, Any], expected: list[str]) -> None:
    with world.hub.read() as db:
        assert publish.slices_of(db, table, row) == expected


def test_every_travelling_table_knows_its_way() -> None:
    for table in (*tables.REGISTRY, *tables.REFERENCE):
        assert slices.person_column(table) or slices.expression(table.name, "t.")
        assert slices.family_of_table(table.name) in slices.FAMILIES


def test_unchanged_cells_get_no_new_version_and_no_feed(world: Any) -> None:
    person = world.person(phone="13800000001")
    before = world.rows("SELECT * FROM contact__crsql_clock"), feed(world), world.rows("SELECT seq FROM feed_head")

    with publish.transaction(world.hub) as pub:
        assert pub.cells("contact", person, {"phone": "13800000001"}) is False

    assert (
        world.rows("SELECT * FROM contact__crsql_clock"),
        feed(world),
        world.rows("SELECT seq FROM feed_head"),
    ) == before


def test_a_number_taken_in_a_savepoint_goes_back_with_it(world: Any) -> None:
    unit = {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": "330683100"}
    with publish.transaction(world.hub) as pub:
        pub.put("unit", unit)
        with pytest.raises(KeyError), database.savepoint(pub.db):
            pub.put("unit", unit | {"id": ids.new_id()})
            raise KeyError
        pub.put("unit", unit | {"name": "新"})

    assert world.rows("SELECT seq FROM feed_head") == [(2,)]
    assert world.rows("SELECT rev FROM unit") == [(2,)]


def test_nothing_happened_when_the_transaction_fails(world: Any) -> None:
    with pytest.raises(RuntimeError), publish.transaction(world.hub) as pub:
        pub.put("unit", {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": "330683100"})
        raise RuntimeError

    assert (feed(world), world.rows("SELECT * FROM unit"), world.rows("SELECT * FROM feed_head")) == ([], [], [])


def test_each_feed_number_remembers_its_crdt_version(world: Any) -> None:
    """Rule H translates a station's base with it."""
    person = world.person(phone="13800000001")
    with world.hub.read() as db:
        one, at_one = publish.head(db), crsqlite.max_version(db, ["contact"])
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", person, {"phone": "13800000002"})
    with publish.transaction(world.hub) as pub:
        pub.put("unit", {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": "330683100"})

    with world.hub.read() as db:
        assert publish.version_at(db, one) == at_one
        assert publish.version_at(db, publish.head(db)) == crsqlite.max_version(db, ["contact"]) > at_one
        assert publish.version_at(db, 0) == 0


def test_a_fact_goes_to_its_station_alone(world: Any) -> None:
    with publish.transaction(world.hub) as pub:
        fact = events.state(
            pub.db, "case_accepted", ids.new_id(), {}, officer="2001", key=world.hub_key, clock=world.clock
        )
        pub.fact(fact, "0100-1")

    assert feed(world) == [("node:0100-1", "fact", "evt")]


def test_a_station_cannot_publish(world: Any) -> None:
    with pytest.raises(StoreError), publish.transaction(world.station().store):
        pass


@pytest.mark.parametrize(("table", "method"), [("contact", "put"), ("setting", "put"), ("unit", "cells")])
def test_a_table_of_another_kind_is_refused(world: Any, table: str, method: str) -> None:
    with pytest.raises(StoreError), publish.transaction(world.hub) as pub:
        if method == "put":
            pub.put(table, {"id": bytes(16), "name": "x"})
        else:
            pub.cells(table, bytes(16), {"name": "x"})


@pytest.mark.parametrize("table", [t.name for t in tables.REFERENCE])
def test_the_feeds_key_leads_back_to_the_row(table: str) -> None:
    declared = tables.TABLES[table]
    row = {c: {"id": bytes(range(16)), "text": "值", "int": 7}[declared.column(c).type] for c in declared.key}  # type: ignore[union-attr]

    key = slices.feed_key(declared, row)

    assert slices.key_values(declared, key) == list(row.values())
    assert len(key) <= 400
