# SPDX-License-Identifier: Apache-2.0
"""Every table says how it travels and why, and the data layer keeps the rules nobody may break."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schema import database, ids, tables
from schema.database import IntegrityError, Store
from schema.table import Column


@pytest.mark.parametrize("side", ["node", "hub"])
def test_every_table_in_a_database_is_declared_with_its_way_to_travel_and_a_reason(
    make_store: Callable[..., Store], side: str
) -> None:
    names = set(make_store(side).utils.table_names())
    own = {n for n in names if not n.startswith(("crsql_", "_sqlite", "sqlite_")) and "__crsql_" not in n}
    assert own == {t.name for t in tables.on_side(side)}
    assert all(t.why and t.kind in ("fact", "registry", "reference", "local") for t in tables.TABLES.values())


def test_registry_tables_have_one_random_id_as_key_and_hold_no_amount() -> None:
    for table in tables.REGISTRY:
        assert table.key == ("id",)
        assert table.column("id").type == "id"
        assert not [c.name for c in table.columns if c.name.endswith("_fen")]
        assert not {"name", "id_number", "birth_on", "account_no", "life_status"} & set(table.names)


def test_reference_tables_carry_the_hub_s_revision() -> None:
    assert all(t.column("rev") for t in tables.REFERENCE)


def test_money_columns_are_whole_fen() -> None:
    for table in tables.TABLES.values():
        assert all(c.type == "int" for c in table.columns if c.name.endswith("_fen"))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (Column("phone", limit=20, pattern=r"[0-9]+"), "138", ""),
        (Column("phone", limit=20, pattern=r"[0-9]+"), "13x", "format"),
        (Column("name", limit=3), "四个汉字", "length"),
        (Column("name"), "a\x00b", "characters"),
        (Column("name"), "\ud800", "characters"),
        (Column("name"), 5, "type"),
        (Column("name", required=True), None, "null"),
        (Column("n", "int"), True, "type"),
        (Column("n", "int"), 1.0, "type"),
        (Column("n", "int"), 2**63, "type"),
        (Column("k", "id"), b"short", "length"),
        (Column("k", "blob", limit=4), b"12345", "length"),
    ],
)
def test_a_column_refuses_what_may_not_stand_in_it(column: Column, value: object, reason: str) -> None:
    assert column.accepts(value) == reason


def step(case_id: bytes, name: str, officer: str) -> dict[str, object]:
    return {
        "id": ids.new_id(), "case_id": case_id, "round": 1, "step": name, "decision": "agree",
        "officer": officer, "at": "2026-11-23T01:00:00.000Z",
    }  # fmt: skip


def test_the_database_itself_keeps_the_steps_of_a_case_in_different_hands(hub_store: Store) -> None:
    case = ids.new_id()
    with hub_store.write() as db:
        database.insert(db, "case_step", step(case, "accept", "2101"))
        database.insert(db, "case_step", step(ids.new_id(), "calculate", "2101"))
        with pytest.raises(IntegrityError, match="four_eyes"):
            database.insert(db, "case_step", step(case, "review", "2101"))


def test_a_posted_journal_entry_is_neither_changed_nor_removed(hub_store: Store) -> None:
    entry = {
        "id": ids.new_id(), "fund": "resident_pension", "month": "2026-11", "event": "receipt", "debit": "1005",
        "credit": "4001-02", "amount_fen": 100, "at": "2026-11-23T01:00:00.000Z",
    }  # fmt: skip
    with hub_store.write() as db:
        database.insert(db, "journal_entry", entry)
        for attack in ("UPDATE journal_entry SET amount_fen = 1", "DELETE FROM journal_entry"):
            with pytest.raises(IntegrityError):
                db.execute(attack)
        for bad in ({"credit": "1005"}, {"amount_fen": 0}, {"amount_fen": -1}):
            with pytest.raises(IntegrityError):
                database.insert(db, "journal_entry", entry | {"id": ids.new_id()} | bad)
