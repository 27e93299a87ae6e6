# SPDX-License-Identifier: Apache-2.0
"""Up to where each station's work was in when a month was computed, and whose work is missing.

What comes later about that month is never lost: it is booked as a difference with a later month (`late_work`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hub import stations
from schema import database
from schema.clock import parse_stamp, stamp


@dataclass(frozen=True)
class Mark:
    """A station and what was in of its work. `seq`: of its last fact; `unsent`: what it said it still holds.

    `late`: facts of a day before the computation that came after it.
    """

    station: str
    name: str
    seq: int
    last_seen_at: str | None
    unsent: int
    late: int = 0
    missing: bool = False


def record(db: Any, run_id: str) -> None:
    """Keep where every station stands, with the run."""
    for row in db.execute(_STANDS).fetchall():
        database.upsert(db, "month_watermark", {"run_id": run_id} | dict(row))


def now(db: Any, at: datetime) -> list[Mark]:
    """Every station as it stands, those whose work is missing first: not heard of for a day, or holding work back."""
    return _marked(db.execute(_STANDS).fetchall(), _names(db), at, {})


def of_run(db: Any, run_id: str, computed_at: str) -> list[Mark]:
    """As it stood when the run was made, with what came late since."""
    rows = db.execute("SELECT * FROM month_watermark WHERE run_id = ?", (run_id,)).fetchall()
    late = {
        row["station"]: db.execute(
            "SELECT count(*) FROM fact WHERE origin = ? AND received_at > ? AND stated_at <= ?",
            (row["station"], computed_at, computed_at),
        ).fetchone()[0]
        for row in rows
    }
    return _marked(rows, _names(db), parse_stamp(computed_at), late)


def to_json(marks: list[Mark]) -> list[dict[str, Any]]:
    """For scripts."""
    return [asdict(mark) for mark in marks]


_STANDS = """SELECT n.id AS station, n.epoch AS epoch, n.last_seen_at, coalesce(n.unsent, 0) AS unsent,
  coalesce((SELECT max(f.seq) FROM fact f WHERE f.origin = n.id AND f.epoch = n.epoch), 0) AS seq
  FROM node_record n WHERE n.revoked_at IS NULL"""


def _names(db: Any) -> dict[str, str]:
    return {row["id"]: row["name"] for row in db.execute("SELECT id, name FROM node_record")}


def _marked(rows: list[Any], names: dict[str, str], at: datetime, late: dict[str, int]) -> list[Mark]:
    heard_since = stamp(at - stations.ONLINE_WITHIN)
    marks = [
        Mark(
            row["station"], names.get(row["station"], ""), row["seq"], row["last_seen_at"], row["unsent"],
            late.get(row["station"], 0), row["unsent"] > 0 or (row["last_seen_at"] or "") < heard_since,
        )
        for row in rows
    ]  # fmt: skip
    return sorted(marks, key=lambda mark: (not mark.missing, mark.last_seen_at or "", mark.station))
