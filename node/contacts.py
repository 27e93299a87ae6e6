# SPDX-License-Identifier: Apache-2.0
"""Phone, address, job wishes and the like: registry cells that this station writes at once and the network merges.

What stood in a cell before is kept in `local_edit` until the hub has the change, so that the page can show both.
A row's id is the person's id; a vacancy has its own.
"""

from __future__ import annotations

from typing import Any

from schema import crsqlite, database, tables
from schema.clock import Clock, stamp
from schema.errors import Refusal, UnknownSubject
from sync.station import outbox
from sync.wire import codec

TABLE = "contact"
COLUMNS = tuple(c.name for c in tables.TABLES[TABLE].columns if c.nodes_write)
_COLUMNS = {t.name: tuple(c.name for c in t.columns if c.nodes_write) for t in tables.REGISTRY}


def of(db: Any, row_id: bytes, table: str = TABLE) -> dict[str, Any]:
    """The cells of a row, by default a person's contact data; all None when nothing is recorded."""
    row = db.execute(f"SELECT {', '.join(_COLUMNS[table])} FROM {table} WHERE id = ?", (row_id,)).fetchone()
    return dict(row) if row else dict.fromkeys(_COLUMNS[table])


def change(
    db: Any, row_id: bytes, wanted: dict[str, str | None], operator_no: str, clock: Clock, table: str = TABLE
) -> list[str]:
    """Write the cells that differ, in the caller's write transaction; returns their names.

    Raises Refusal for a cell this station may not write or a value that its column does not take (the form should
    have said so before): the hub's validator would refuse the whole row.
    """
    known = table in tables.OF_NOBODY or db.execute("SELECT 1 FROM person WHERE id = ?", (row_id,)).fetchone()
    if not known:
        raise UnknownSubject("名册里没有这个人", "this person is not in the register")
    before = of(db, row_id, table)
    changes = {column: value or None for column, value in wanted.items() if (value or None) != before.get(column)}
    for column, value in changes.items():
        declared = tables.TABLES[table].column(column)
        if declared is None or not declared.nodes_write or declared.accepts(value):
            raise Refusal(f"「{column}」不能写成这个值", f"this value cannot stand in {column}", code="cell")
    if not changes:
        return []
    unsent = set(unsent_columns(db, row_id, table))
    if database.update(db, table, {"id": row_id}, changes) == 0:
        database.insert(db, table, {"id": row_id, **changes})
    for column in changes:
        _remember(db, (table, row_id, column), before[column], column in unsent, operator_no, clock)
    return list(changes)


def _remember(
    db: Any, place: tuple[str, bytes, str], before: str | None, again: bool, operator_no: str, clock: Clock
) -> None:
    """Keep what the hub has. A second change before the first was sent must not hide it."""
    row: dict[str, Any] = {
        **dict(zip(("tbl", "row_id", "col"), place, strict=True)),
        "operator_no": operator_no,
        "changed_at": stamp(clock.now()),
    }
    if not again:
        row["before"] = before
    database.upsert(db, "local_edit", row)


def unsent_columns(db: Any, row_id: bytes, table: str = TABLE) -> dict[str, Any]:
    """Cells of this row changed here and not yet signed for: name -> the `local_edit` row, or None if unknown."""
    after = outbox.acked(db, "reg")
    cells = crsqlite.cells_of(db, table, row_id)
    mine = [c.column for c in cells if c.site is None and c.db_version > after and _is_edit(c)]
    noted = db.execute("SELECT * FROM local_edit WHERE tbl = ? AND row_id = ?", (table, row_id))
    edits = {row["col"]: row for row in noted}
    return {column: edits.get(column) for column in mine}


def unsent(db: Any, limit: int = 200) -> list[dict[str, Any]]:
    """All changes not yet signed for, table by table, oldest version first: whose, which cell, its value, and what
    stood there before. `person_id` is None for a vacancy, whose `name` is the job's."""
    after = outbox.acked(db, "reg")
    cells = [c for t in _COLUMNS for c in crsqlite.changed_since(db, t, after, own_only=True, limit=limit)]
    out = []
    for cell in filter(_is_edit, cells):
        row = db.execute(
            "SELECT coalesce(p.name, v.job_title) AS name, e.before, e.operator_no, e.changed_at "
            "FROM (SELECT ?1 AS id) x LEFT JOIN person p ON p.id = x.id LEFT JOIN vacancy v ON v.id = x.id "
            "LEFT JOIN local_edit e ON e.row_id = x.id AND e.tbl = ?2 AND e.col = ?3",
            (cell.row_id, cell.table, cell.column),
        ).fetchone()
        whose = None if cell.table in tables.OF_NOBODY else cell.row_id
        out.append({"person_id": whose, "column": cell.column, "value": cell.value, **dict(row)})
    return out


def kept(db: Any) -> list[dict[str, Any]]:
    """Changes kept aside while this database is loaded anew, as `unsent` shows them."""
    rows = db.execute(
        "SELECT j.row_id AS person_id, j.col AS column, j.value, p.name, e.before, e.operator_no, e.changed_at "
        "FROM journal_cell j LEFT JOIN person p ON p.id = j.row_id "
        "LEFT JOIN local_edit e ON e.tbl = j.tbl AND e.row_id = j.row_id AND e.col = j.col ORDER BY e.changed_at"
    )
    return [{**dict(row), "value": codec.load(row["value"])} for row in rows]


def _is_edit(cell: crsqlite.Cell) -> bool:
    """A cell that somebody wrote, and not the NULL that a new row left beside it."""
    return cell.column in _COLUMNS[cell.table] and (cell.value is not None or cell.col_version > 1)
