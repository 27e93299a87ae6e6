# SPDX-License-Identifier: Apache-2.0
"""Rows as plain values for the views of a person, a unit, a household; the same queries at a station and at the hub."""

from __future__ import annotations

import json
from typing import Any

from schema import case
from schema.tables import TABLES

Row = dict[str, Any]
_NOT_PLAIN = "answers ->> 'id_number' GLOB '*[^0-9Xx]*'"  # typed with blanks or wide digits: looked at one by one
_OPEN = ", ".join(f"'{state}'" for state in case.OPEN_STATES)


def plain(row: Any) -> Row:
    """A database row as a dict without `rev`."""
    return {key: row[key] for key in row.keys() if key != "rev"}  # noqa: SIM118 - a database row, not a dict


def one(db: Any, sql: str, *values: Any) -> Row:
    """The first row found, {} when there is none."""
    found = db.execute(sql, values).fetchone()
    return plain(found) if found else {}


def many(db: Any, sql: str, *values: Any) -> list[Row]:
    """All rows found."""
    return [plain(r) for r in db.execute(sql, values)]


def of_person(db: Any, table: str, person_id: bytes) -> list[Row]:
    """The person's rows of a table that has persons, in order of their keys."""
    declared = TABLES[table]
    return many(db, f"SELECT * FROM {table} WHERE {declared.owner_column} = ? ORDER BY {declared.key[0]}", person_id)


def by_id(db: Any, table: str, row_id: bytes) -> Row:
    """The row with that id, {} when there is none."""
    return one(db, f"SELECT * FROM {TABLES[table].name} WHERE id = ?", row_id)


def is_hub(db: Any) -> bool:
    """Whether this is the hub's database."""
    if db.is_hub is None:
        db.is_hub = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'hub_case'").fetchone() is not None
    return bool(db.is_hub)


def open_cases(
    db: Any, column: str, subject: bytes | None, except_case: bytes | None, numbers: tuple[str, ...] = ()
) -> list[Row]:
    """Cases not yet decided whose `column` (person_id, unit_id, household_id) is that id, or NULL for None.

    Each: id, service, receipt_no, state, submitted_at, operator_no, answers (a dict), officer (the name).
    `except_case` is left out: a case under examination must not object to itself. With `numbers`, the plain forms of
    one ID number, those of other plain numbers are left out: of thousands of new people few are read.
    """
    columns = "submitted_at, operator_no, answers FROM case_file"
    if is_hub(db):
        columns = "stated_at AS submitted_at, submitted_by AS operator_no, answers FROM hub_case"
    where, arguments = (f"{column} = ?", (subject,)) if subject is not None else (f"{column} IS NULL", ())
    if numbers:
        where += f" AND (answers ->> 'id_number' IN ({', '.join('?' * len(numbers))}) OR {_NOT_PLAIN})"
    query = f"SELECT id, service, receipt_no, state, {columns} WHERE {where} AND state IN ({_OPEN})"
    found = [plain(r) for r in db.execute(f"{query} ORDER BY submitted_at, id", (*arguments, *numbers))]
    if subject is not None and not is_hub(db):
        found += _told_by_hub(db, column, subject, {c["id"] for c in found})
    for c in found:
        c["answers"] = json.loads(c["answers"]) if c.get("answers") else {}
        c["officer"] = _officer_name(db, c.get("operator_no"))
    return [c for c in found if c["id"] != except_case]


def _told_by_hub(db: Any, column: str, subject: bytes, seen: set[bytes]) -> list[Row]:
    """Open cases taken elsewhere, which this station knows from the hub only."""
    rows = db.execute(
        "SELECT case_id AS id, service, receipt_no, state, received_at AS submitted_at, station FROM case_state "
        f"WHERE {column} = ? AND state IN ({_OPEN})",
        (subject,),
    )
    return [c for c in map(plain, rows) if c["id"] not in seen]


def _officer_name(db: Any, operator_no: str | None) -> str:
    found = db.execute(
        "SELECT name FROM officer_key WHERE operator_no = ? ORDER BY valid_from DESC LIMIT 1", (operator_no,)
    ).fetchone()
    return found[0] if found else operator_no or ""
