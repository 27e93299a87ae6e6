# SPDX-License-Identifier: Apache-2.0
"""What stands before the extension: every hostile cell has its reason, every honest one passes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import crsqlite, tables
from schema.crsqlite import Cell
from sync.merging import merge
from sync.wire import validator
from sync.wire.codec import WireCell

ROW = bytes(range(16))
GOOD = WireCell("contact", ROW, "phone", "13900000001", 2, 1, 5)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, ""),
        ({"value": None}, ""),
        ({"table": "person"}, "table"),
        ({"table": "sqlite_master"}, "table"),
        ({"row_id": b""}, "arity"),
        ({"row_id": b"x" * 17}, "arity"),
        ({"col_version": -1}, "range"),
        ({"col_version": 2**63 - 1}, "range"),
        ({"causal_length": 0}, "range"),
        ({"causal_length": 2**63 - 1}, "range"),
        ({"causal_length": 2}, "tombstone"),
        ({"column": "-1", "value": None, "col_version": 1}, "sentinel"),
        ({"column": "-1", "value": None, "col_version": 2, "causal_length": 2}, "sentinel"),
        ({"column": "id"}, "column"),
        ({"column": "rev"}, "column"),
        ({"column": "phone; DROP TABLE contact"}, "column"),
        ({"value": 13900000001}, "type"),
        ({"value": b"13900000001"}, "type"),
        ({"value": "1" * 21}, "length"),
        ({"value": "1390000\x000001"}, "characters"),
        ({"value": "\ud800"}, "characters"),
        ({"value": "not a phone"}, "format"),
    ],
    ids=str,
)
def test_a_pushed_cell_is_judged(change: dict[str, Any], code: str) -> None:
    assert validator.bad_cell(GOOD._replace(**change), from_node=True) == code


def test_dirt_of_an_old_register_does_not_stop_a_station() -> None:
    """The hub's own odd value would otherwise stop the slice of every station for ever."""
    dirty = GOOD._replace(value="电话：没有")

    assert validator.bad_cell(dirty, from_node=True) == "format"
    assert validator.bad_cell(dirty, from_node=False) == ""
    assert validator.bad_cell(GOOD._replace(value="1" * 50), from_node=False) == ""


def test_the_hub_may_send_what_a_station_may_not() -> None:
    deleted = GOOD._replace(column="-1", value=None, col_version=2, causal_length=2)

    assert validator.bad_cell(deleted, from_node=False) == ""
    assert validator.bad_cell(deleted._replace(value="x"), from_node=False) == "sentinel"
    assert validator.bad_cell(deleted._replace(col_version=3), from_node=False) == "sentinel"


def stored(version: int, length: int = 1) -> dict[str, Cell]:
    return {"phone": Cell("contact", ROW, "phone", "1", version, 9, length, None)}


@pytest.mark.parametrize(
    ("row", "known", "member", "code"),
    [
        ([GOOD], {}, True, ""),
        ([GOOD], stored(1), True, ""),
        ([GOOD], stored(1), False, "not_in_slice"),
        ([GOOD._replace(extra=11)], stored(1), True, "range"),
        ([GOOD._replace(extra=-1)], stored(1), True, "range"),
        ([GOOD._replace(col_version=10_001)], stored(1), True, ""),
        ([GOOD._replace(col_version=10_002)], stored(1), True, "range"),
        ([GOOD._replace(col_version=10_001)], {}, True, "range"),
        ([GOOD], stored(1, length=2), True, "tombstone"),
        ([GOOD, GOOD._replace(column="note", value=7)], {}, True, "type"),
        ([GOOD._replace(value="no phone")], {}, False, "format"),
    ],
)
def test_a_pushed_row_is_taken_or_set_aside_as_a_whole(
    row: list[WireCell], known: dict[str, Cell], member: bool, code: str
) -> None:
    assert validator.bad_pushed_row(row, known, member=member, head=10) == code


# One field or a few of an honest cell replaced by something hostile.
hostile = st.fixed_dictionaries(
    {},
    optional={
        "table": st.sampled_from(["person", "crsql_changes", ""]),
        "row_id": st.binary(max_size=20),
        "column": st.sampled_from(["note", "id", "-1", "nothing"]),
        "value": st.one_of(st.none(), st.text(max_size=25), st.integers(), st.binary(max_size=9)),
        "col_version": st.integers(-5, 2**63 - 1) | st.integers(0, 3),
        "causal_length": st.integers(-5, 2**63 - 1) | st.integers(1, 3),
        "extra": st.integers(),
    },
).map(lambda change: GOOD._replace(**change))


def test_what_passes_is_harmless_to_the_extension(make_store: Any) -> None:
    """Raw, such cells kill the process (K3), stop the database (P4) or leave the connection deaf (K1)."""
    store = make_store("hub")
    passed: list[WireCell] = []

    @settings(max_examples=600, derandomize=True, database=None)
    @given(hostile)
    def judge(cell: WireCell) -> None:
        if validator.bad_cell(cell, from_node=True) == "":
            passed.append(cell)

    judge()
    assert len(passed) > 20
    with store.merging() as db:
        crsqlite.apply(db, [merge.as_cell(c) for c in passed], bytes(16))
    with store.write() as db:
        assert db.execute("SELECT count(*) FROM contact WHERE id <> ?", (ROW,)).fetchone()[0] == 0
        db.execute("UPDATE contact SET note = 'still writable' WHERE id = ?", (ROW,))
        found = {c.column: c for c in crsqlite.cells_of(db, "contact", ROW)}
        assert found["note"].value == "still writable"
        assert found["note"].site is None, "the edit is tracked as our own"
        assert found["note"].db_version < 10_000


UNIT = {"id": ROW, "uscc": "9", "name": "厂", "township": "330683100", "rev": 3}


@pytest.mark.parametrize(
    ("table", "change", "code"),
    [
        ("unit", {}, ""),
        ("unit", {"phone": None}, ""),
        ("fact", {}, "table"),
        ("contact", {}, "table"),
        ("setting", {}, "table"),
        ("unit", {"rev": -1}, "range"),
        ("unit", {"rev": None}, "range"),
        ("unit", {"rev": True}, "range"),
        ("unit", {"secret": 1}, "column"),
        ("unit", {"name": None}, "null"),
        ("unit", {"id": None}, "null"),
        ("unit", {"id": b"short"}, "length"),
        ("unit", {"name": 7}, "type"),
        ("unit", {"name": "a\x00"}, "characters"),
        ("unit", {"township": "3" * 30}, ""),
    ],
    ids=str,
)
def test_a_reference_row_is_judged_at_the_station(table: str, change: dict[str, Any], code: str) -> None:
    assert validator.bad_reference_row(table, UNIT | change) == code


@pytest.mark.parametrize("name", ["id", "name", "rev"])
def test_a_reference_row_must_be_complete(name: str) -> None:
    row = {k: v for k, v in UNIT.items() if k != name}

    assert validator.bad_reference_row("unit", row) in ("null", "range")


def test_every_registry_column_that_stations_write_is_bounded() -> None:
    for table in tables.REGISTRY:
        for column in table.columns:
            if column.nodes_write:
                assert column.type == "int" or column.limit <= 300, "a conflict row must be able to keep the loser"
