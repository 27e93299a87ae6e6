# SPDX-License-Identifier: Apache-2.0
"""Cells that two people changed without knowing of each other: one value is in use, both are kept and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schema import database, tables
from schema.errors import UnknownSubject, WrongState
from sync import publish

RECENT = 200


@dataclass(frozen=True)
class Conflict:
    """One conflict with what the cell holds now. `in_use`: kept, lost, or other (changed again since)."""

    id: bytes
    row_id: bytes
    column: str
    kept: str | None
    lost: str | None
    kept_by: str
    lost_by: str
    kept_by_name: str
    lost_by_name: str
    found_at: str
    now: str | None
    person_name: str
    village: str

    @property
    def in_use(self) -> str:
        """Which of the two values the register holds."""
        if self.now == self.kept:
            return "kept"
        return "lost" if self.now == self.lost else "other"


def recent(db: Any) -> list[Conflict]:
    """The newest conflicts of the county."""
    return [_conflict(db, row) for row in db.execute(f"{_SELECT} ORDER BY c.found_at DESC LIMIT {RECENT}").fetchall()]


def of_row(db: Any, row_id: bytes) -> list[Conflict]:
    """All conflicts of one row, newest first."""
    rows = db.execute(f"{_SELECT} WHERE c.row_id = ? ORDER BY c.found_at DESC, c.col", (row_id,)).fetchall()
    return [_conflict(db, row) for row in rows]


def count(db: Any) -> int:
    """How many rows have any."""
    return int(db.execute("SELECT count(DISTINCT row_id) FROM conflict").fetchone()[0])


def use(store: database.Store, conflict_id: bytes, which: str) -> bool:
    """Put the kept or the lost value into the register; whether anything changed. Raises UnknownSubject, WrongState.

    The other one stays in the conflict: the choice can be changed back at any time.
    """
    with publish.transaction(store) as pub:
        row = pub.db.execute("SELECT * FROM conflict WHERE id = ?", (conflict_id,)).fetchone()
        if row is None:
            raise UnknownSubject("没有这条冲突", "no such conflict")
        if which not in ("kept", "lost"):
            raise WrongState("请选一个值", "choose one of the values")
        column = tables.TABLES[row["tbl"]].column(row["col"])
        if column is None or column.accepts(row[which]):
            raise WrongState("这个值不完整，不能直接用", "this value was cut and cannot be used as it is")
        return pub.cells(row["tbl"], bytes(row["row_id"]), {row["col"]: row[which]})


_SELECT = (
    "SELECT c.*, p.name AS person_name, d.name AS village, k.name AS kept_name, l.name AS lost_name FROM conflict c "
    "LEFT JOIN person p ON p.id = c.row_id LEFT JOIN division d ON d.code = p.village "
    "LEFT JOIN station k ON k.id = c.kept_by LEFT JOIN station l ON l.id = c.lost_by"
)


def _conflict(db: Any, row: Any) -> Conflict:
    # Both names come from our own declarations and are looked up there, never taken as they stand.
    table = tables.TABLES[row["tbl"]]
    column = table.column(row["col"])
    now = None
    if table.kind == "registry" and column is not None:
        found = db.execute(f"SELECT {column.name} FROM {table.name} WHERE id = ?", (row["row_id"],)).fetchone()
        now = str(found[0]) if found and found[0] is not None else None
    return Conflict(
        id=bytes(row["id"]),
        row_id=bytes(row["row_id"]),
        column=row["col"],
        kept=row["kept"],
        lost=row["lost"],
        kept_by=row["kept_by"],
        lost_by=row["lost_by"],
        kept_by_name=row["kept_name"] or "",
        lost_by_name=row["lost_name"] or "",
        found_at=row["found_at"],
        now=now,
        person_name=row["person_name"] or "",
        village=row["village"] or "",
    )
