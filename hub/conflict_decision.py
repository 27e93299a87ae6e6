# SPDX-License-Identifier: Apache-2.0
"""What an officer decides about a row that people changed without knowing of each other, and taking it back.

A decision is an ordinary edit by the hub and a line that is only ever added: who, when, why, what stood before. Taking
it back is a further line and a further edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub import conflict_row
from hub.conflict_row import Desk
from schema import crsqlite, database, ids, tables
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import UnknownSubject, WrongState
from schema.events import HUB
from schema.findings import Finding
from schema.table import Column
from sync.hub import publish
from sync.hub.publish import Publication
from sync.wire.words import words
from sync.wire.written import Written, remember_cell

KEEP, PICK, OTHER, UNDO = "keep", "pick", "other", "undo"
_REASON = Column("reason", limit=200)


class Moved(WrongState):
    """The row changed while the page was open."""

    code = "moved"


def judge(table: str, typed: Mapping[str, str | None], others: set[str], reason: str) -> list[Finding]:
    """What is wrong with the values chosen or typed; a value that nobody had needs a reason."""
    found = []
    for name, value in typed.items():
        column = tables.TABLES[table].column(name)
        code = "column" if column is None else column.accepts(value)
        if code:
            found.append(Finding(code, "block", name, *words(code)))
    if others and not reason.strip():
        found.append(Finding("reason", "block", "reason", "写一个新值要说明理由，如：打电话问过本人",
                             "Give the reason for a new value, e.g. called the resident"))  # fmt: skip
    if code := _REASON.accepts(reason.strip()):
        found.append(Finding(code, "block", "reason", *words(code)))
    return found


def decide(
    store: Store, row_id: bytes, stand: str, values: Mapping[str, str | None], reason: str, officer: str, clock: Clock
) -> int:
    """Write the values chosen for the fields that wait, and one line per conflict settled; returns how many changed.

    Raises UnknownSubject, Moved (look again), WrongState (nothing waits).
    """
    with publish.transaction(store) as pub:
        desk = conflict_row.read(pub.db, row_id)
        if desk is None:
            raise UnknownSubject("没有这条冲突", "no such conflict")
        if desk.stand != stand:
            raise Moved("打开以后这个人的资料又变了，请看过现在的值再定",
                        "The data has changed since you opened it: look at the values and decide again")  # fmt: skip
        if not desk.items:
            raise WrongState("这里没有要定的", "nothing waits here")
        waiting = {f.column: f for f in desk.fields if f.waits}
        changes = {c: v for c, v in values.items() if c in waiting and v != waiting[c].value}
        batch, at = ids.new_id(), stamp(clock.now())
        for item in desk.items:
            for column in filter(None, (item["col"], item["other_col"])):
                line = _line(desk, item, column, values.get(column, waiting[column].value))
                _add(pub.db, line | {"batch": batch, "reason": reason.strip() or None, "officer": officer, "at": at})
        return _write(pub, desk.table, row_id, changes, officer, at)


def take_back(store: Store, row_id: bytes, batch: bytes, officer: str, clock: Clock) -> int:
    """Put back what stood before a decision; what it settled waits again. Returns how many cells changed.

    Raises UnknownSubject; WrongState when it was taken back already or a value has moved since.
    """
    with publish.transaction(store) as pub:
        sql = "SELECT * FROM conflict_decision WHERE batch = ? AND row_id = ? AND undoes IS NULL"
        made = pub.db.execute(sql, (batch, row_id)).fetchall()
        if not made:
            raise UnknownSubject("没有这次决定", "no such decision")
        if pub.db.execute("SELECT 1 FROM conflict_decision WHERE undoes = ?", (made[0]["id"],)).fetchone():
            raise WrongState("这次决定已经撤回", "this decision was taken back already")
        table = made[0]["tbl"]
        row = pub.db.execute(f"SELECT * FROM {table} WHERE id = ?", (row_id,)).fetchone()
        if any((row[one["col"]] if row else None) != one["value"] for one in made):
            raise WrongState("决定以后又有人改过，不能撤回；请在「要人定」里另定",
                             "somebody has changed it since: it cannot be taken back, decide anew")  # fmt: skip
        at, undo = stamp(clock.now()), ids.new_id()
        for one in made:
            _add(pub.db, {
                "about": bytes(one["about"]), "tbl": table, "row_id": row_id, "col": one["col"], "choice": UNDO,
                "before": one["value"], "value": one["before"], "batch": undo, "reason": None, "officer": officer,
                "at": at, "undoes": bytes(one["id"]),
            })  # fmt: skip
        return _write(pub, table, row_id, {one["col"]: one["before"] for one in made}, officer, at)


def history(db: Any, row_id: bytes) -> list[Any]:
    """Decisions about a row, newest first: one entry per submit and column, `undone` when it was taken back."""
    return list(
        db.execute(
            "SELECT d.batch, d.col, d.choice, d.before, d.value, d.reason, d.officer, d.at, o.name AS officer_name, "
            "EXISTS (SELECT 1 FROM conflict_decision u WHERE u.about = d.about AND u.undoes = d.id) AS undone "
            "FROM conflict_decision d LEFT JOIN officer o ON o.operator_no = d.officer WHERE d.row_id = ? "
            "GROUP BY d.batch, d.col ORDER BY max(d.rowid) DESC",
            (row_id,),
        ).fetchall()
    )


def _line(desk: Desk, item: Any, column: str, value: str | None) -> dict[str, Any]:
    field = desk.field(column)
    known = any(value == choice.value for choice in field.choices)
    choice = KEEP if value == field.value else PICK if known else OTHER
    return {
        "about": bytes(item["id"]), "tbl": desk.table, "row_id": desk.row_id, "col": column, "choice": choice,
        "before": field.value, "value": value,
    }  # fmt: skip


def _add(db: Any, line: dict[str, Any]) -> None:
    database.insert(db, "conflict_decision", {"id": ids.new_id()} | line)


def _write(
    pub: Publication, table: str, row_id: bytes, changes: Mapping[str, str | None], officer: str, at: str
) -> int:
    """As the hub, noting who it was: the next conflict in this cell must be able to name the officer."""
    before = {c.column: c.col_version for c in crsqlite.cells_of(pub.db, table, row_id)}
    if not changes or not pub.cells(table, row_id, changes):
        return 0
    moved = [c for c in crsqlite.cells_of(pub.db, table, row_id) if c.column in changes]
    for cell in moved:
        remember_cell(pub.db, cell, HUB, Written(officer, at, at))
    return sum(cell.col_version != before.get(cell.column) for cell in moved)
