# SPDX-License-Identifier: Apache-2.0
"""Workload per officer number (工号): what was done offline at a station counts like what was done at the hub.

A counter's case counts on the day it was taken, not on the day the line came back.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from schema import case, period

STEPS = ("submit", *case.STEPS)
# China's civil time: a case taken at 00:30 belongs to that day, not to the day before.
_MONTH = "strftime('%Y-%m', s.at, '+8 hours')"
_DAY = "date(s.at, '+8 hours')"


def of_month(db: Any, month: str) -> list[dict[str, Any]]:
    """One entry per officer who did anything: counts by step, decisions against, total; most first."""
    rows = db.execute(
        f"SELECT s.officer, s.step, count(*) AS n, sum(s.decision IN ('return', 'reject')) AS turned, o.name, "
        f"coalesce(t.name, '') AS station FROM case_step s LEFT JOIN officer o ON o.operator_no = s.officer "
        f"LEFT JOIN station t ON t.id = o.station WHERE {_MONTH} = ? GROUP BY s.officer, s.step",
        (month,),
    )
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        start = {
            "officer": row["officer"],
            "name": row["name"] or "",
            "station": row["station"],
            "turned": 0,
            "total": 0,
        }
        entry = found.setdefault(row["officer"], start | dict.fromkeys(STEPS, 0))
        entry[row["step"]] = row["n"]
        entry["turned"] += row["turned"]
        entry["total"] += row["n"]
    return sorted(found.values(), key=lambda e: (-e["total"], e["officer"]))


def months(db: Any, today: date, limit: int = 12) -> list[str]:
    """The months in which anything was done, newest first; always this one."""
    rows = db.execute(f"SELECT DISTINCT {_MONTH} AS month FROM case_step s ORDER BY month DESC LIMIT ?", (limit,))
    return sorted({period.month_of(today), *(row["month"] for row in rows)}, reverse=True)[:limit]


def of_officer(db: Any, operator_no: str, day: date) -> list[Any]:
    """What one officer did on a day, newest first."""
    return list(
        db.execute(
            f"SELECT s.case_id, s.step, s.decision, s.at, c.person_name, c.service, c.receipt_no, c.state "
            f"FROM case_step s JOIN hub_case c ON c.id = s.case_id WHERE s.officer = ? AND {_DAY} = ? "
            "ORDER BY s.at DESC LIMIT 50",
            (operator_no, day.isoformat()),
        )
    )
