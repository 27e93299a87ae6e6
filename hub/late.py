# SPDX-License-Identifier: Apache-2.0
"""Edits that arrived after the person had left the station's slices: what the station wrote beside what is known now.

A reviewer takes an edit over, as the hub's own, or refuses it; both can be undone until somebody changes the cell
again. How they get here: `sync.hub.late`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.case_view import place_name
from schema import database
from schema.clock import Clock, stamp
from schema.errors import UnknownSubject, WrongState
from sync.hub import publish
from sync.hub.late import ACCEPTED, REFUSED, WAITING
from sync.hub.publish import Publication
from sync.wire import codec

SHOWN = 200


@dataclass(frozen=True)
class LateCell:
    """One cell: what the station wrote, what the register holds now, what it held when the edit was taken over."""

    column: str
    value: Any
    now: Any
    before: Any


@dataclass(frozen=True)
class LateEdit:
    """One edit as the page shows it: cells that belong together, who wrote them when, what was decided."""

    row: Any
    village: str
    officer: str | None
    written_at: str | None
    cells: tuple[LateCell, ...]

    @property
    def can_undo(self) -> bool:
        """Whether nobody has changed the cells since the decision."""
        return self.row["state"] == REFUSED or all(c.now == c.value for c in self.cells)


def count(db: Any) -> int:
    """How many wait for a decision."""
    return int(db.execute("SELECT count(*) FROM late_edit WHERE state = ?", (WAITING,)).fetchone()[0])


def listing(db: Any, *, waiting: bool) -> list[LateEdit]:
    """Those that wait, the oldest first; or those decided, the newest first."""
    rows = db.execute(
        "SELECT e.*, p.name AS person_name, p.village, s.name AS station_name FROM late_edit e "
        "LEFT JOIN person p ON p.id = e.row_id LEFT JOIN station s ON s.id = e.station WHERE (e.state = ?) = ? "
        f"ORDER BY coalesce(e.decided_at, '') DESC, e.received_at, e.id LIMIT {SHOWN}",
        (WAITING, waiting),
    ).fetchall()
    return [_edit(db, row) for row in rows]


def decide(store: database.Store, late_id: bytes, state: str, officer: str, clock: Clock) -> None:
    """Take the edit over (`ACCEPTED`) or refuse it (`REFUSED`). Raises UnknownSubject, WrongState."""
    with publish.transaction(store, clock=clock) as pub:
        row = _row(pub.db, late_id)
        if row["state"] != WAITING or state not in (ACCEPTED, REFUSED):
            raise WrongState("这一条已经定过了", "This one was decided before")
        if state == ACCEPTED:
            cells = _cells(pub.db, row)
            for cell in cells:
                key = {"late_id": late_id, "col": cell.column}
                database.update(pub.db, "late_value", key, {"before": codec.dump(cell.now)})
            pub.cells(row["tbl"], bytes(row["row_id"]), {c.column: c.value for c in cells})
        _save(pub, row, state, officer, stamp(clock.now()))


def undo(store: database.Store, late_id: bytes, clock: Clock) -> None:
    """Take the decision back: the edit waits again, its cells are what they were. Raises UnknownSubject, WrongState."""
    with publish.transaction(store, clock=clock) as pub:
        row = _row(pub.db, late_id)
        edit = _edit(pub.db, row)
        if row["state"] == WAITING:
            raise WrongState("这一条还没有定", "This one is not decided yet")
        if not edit.can_undo:
            raise WrongState(
                "这一栏后来又有人改过，不能撤回。请在人员页直接改",
                "The field was changed since: it cannot be undone. Change it on the person's page",
            )
        if row["state"] == ACCEPTED:
            pub.cells(row["tbl"], bytes(row["row_id"]), {c.column: c.before for c in edit.cells})
        _save(pub, row, WAITING, None, None)


def _row(db: Any, late_id: bytes) -> Any:
    sql = "SELECT e.*, p.village FROM late_edit e LEFT JOIN person p ON p.id = e.row_id WHERE e.id = ?"
    row = db.execute(sql, (late_id,)).fetchone()
    if row is None:
        raise UnknownSubject("没有这一条", "There is no such edit")
    return row


def _save(pub: Publication, row: Any, state: str, officer: str | None, at: str | None) -> None:
    pub.put("late_edit", {"id": bytes(row["id"]), "state": state, "decided_by": officer, "decided_at": at})


def _edit(db: Any, row: Any) -> LateEdit:
    sql = "SELECT officer, written_at FROM late_value WHERE late_id = ? ORDER BY written_at DESC, col LIMIT 1"
    who = db.execute(sql, (row["id"],)).fetchone()
    village = place_name(db, row["village"]) if row["village"] else ""
    return LateEdit(row, village, who["officer"], who["written_at"], _cells(db, row))


def _cells(db: Any, row: Any) -> tuple[LateCell, ...]:
    found = db.execute(f"SELECT * FROM {row['tbl']} WHERE id = ?", (row["row_id"],)).fetchone()
    now = dict(found) if found else {}
    values = db.execute("SELECT col, value, before FROM late_value WHERE late_id = ? ORDER BY col", (row["id"],))
    return tuple(
        LateCell(
            v["col"], codec.load(v["value"]), now.get(v["col"]),
            None if v["before"] is None else codec.load(v["before"]),
        )
        for v in values
    )  # fmt: skip
