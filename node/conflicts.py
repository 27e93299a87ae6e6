# SPDX-License-Identifier: Apache-2.0
"""What did not go as intended: items refused by either side, and cells that two people changed at once."""

from __future__ import annotations

from typing import Any

from schema import database
from schema.clock import Clock, stamp

_CONFLICTS = """
    SELECT k.*, p.name FROM conflict k LEFT JOIN person p ON p.id = k.row_id
"""


# Refused edits of contact data have a page of their own (`lost`).
_OTHERS = "NOT (direction = 'out' AND channel = 'reg')"


def refusals(db: Any, limit: int = 100) -> list[Any]:
    """What was refused, newest first; those nobody has looked at come first. Without the refused edits (`lost`)."""
    sql = f"SELECT * FROM refusal WHERE {_OTHERS} ORDER BY handled_at IS NOT NULL, at DESC, id LIMIT ?"
    return list(db.execute(sql, (limit,)).fetchall())


def refusals_open(db: Any) -> int:
    """How many of these nobody has looked at."""
    return int(db.execute(f"SELECT count(*) FROM refusal WHERE handled_at IS NULL AND {_OTHERS}").fetchone()[0])


def handled(db: Any, refusal_id: bytes, clock: Clock) -> bool:
    """Somebody has looked at it and done what was needed. False when there is no such refusal."""
    found = db.execute("SELECT handled_at FROM refusal WHERE id = ?", (refusal_id,)).fetchone()
    if found and found["handled_at"] is None:
        database.update(db, "refusal", {"id": refusal_id}, {"handled_at": stamp(clock.now())})
    return found is not None


def listing(db: Any, person_id: bytes | None = None, limit: int = 100) -> list[Any]:
    """Edits that gave way to another one, newest first: both values are kept and shown."""
    where, values = ("WHERE k.row_id = ?", (person_id,)) if person_id else ("", ())
    return list(db.execute(f"{_CONFLICTS} {where} ORDER BY k.found_at DESC, k.id LIMIT ?", (*values, limit)).fetchall())
