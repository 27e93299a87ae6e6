# SPDX-License-Identifier: Apache-2.0
"""The month as pages and commands show it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.settlement import month
from hub.settlement.month import SCHEME, STEPS, Step
from schema import period

PAGE_ROWS = 50
NEXT = {None: "run", "computed": "approve", "approved": "pay", "paid": "close", "closed": None}
ROLES = {"run": "settle", "approve": "approve_month", "pay": "pay", "close": "close"}
HANDS = ("computed", "approved", "paid", "closed")


@dataclass(frozen=True)
class Mark:
    """A step with where it stands: done, now or todo, and since when (an instant) when done."""

    step: Step
    state: str
    at: str | None


@dataclass(frozen=True)
class Overview:
    """One month: its row (None before the first computation), what was kept with it, its steps, what comes next.

    `begins_on`: its first day while that is still to come; then nothing comes next.
    """

    month: str | None
    row: dict[str, Any]
    controls: list[dict[str, Any]]
    totals: dict[str, Any]
    paid: dict[str, Any]
    elapsed_ms: int
    marks: list[Mark]
    next_action: str | None
    months: list[str]
    open_month: str | None
    begins_on: date | None

    @property
    def state(self) -> str | None:
        """computed, approved, paid, closed; None before."""
        return self.row.get("state")

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        hands = {f"{hand}_by": self.row.get(f"{hand}_by") for hand in HANDS}
        return {
            "month": self.month, "state": self.state, "run_id": self.row.get("run_id"), **hands,
            "controls": self.controls, "totals": self.totals, "paid": self.paid, "next": self.next_action,
            "open_month": self.open_month,
        }  # fmt: skip


def overview(db: Any, today: date, asked: str | None = None) -> Overview:
    """The month asked for, else the open one, else the last."""
    months = month.settled(db)
    opened = month.open_month(db)
    shown = asked if asked and (asked in months or asked == opened) else opened
    found = month.find(db, shown) if shown else None
    row = dict(found) if found else {}
    first = period.first_day(shown) if shown else today
    kept = json.loads(row["controls"]) if row.get("controls") else {}
    return Overview(
        month=shown,
        row=row,
        controls=kept.get("controls", []),
        totals=kept.get("totals", {}),
        paid=kept.get("paid", {}),
        elapsed_ms=kept.get("elapsed_ms", 0),
        marks=_marks(row),
        next_action=NEXT[row.get("state")] if first <= today else None,
        months=months if not opened or opened in months else [opened, *months],
        open_month=opened,
        begins_on=first if first > today else None,
    )


def _marks(row: dict[str, Any]) -> list[Mark]:
    reached = HANDS.index(row["state"]) if row else -1
    marks, now_given = [], False
    for step in STEPS:
        done = HANDS.index(step.done_from) <= reached
        state = "done" if done else "todo" if now_given else "now"
        now_given = now_given or not done
        marks.append(Mark(step, state, row[f"{step.done_from}_at"] if done else None))
    return marks


@dataclass(frozen=True)
class People:
    """A page of persons of a month. `fen` is what they get, what waits, or what they paid, by kind."""

    rows: list[dict[str, Any]]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_ROWS))


KINDS = {
    "paid": (
        "l.basic_fen + l.account_fen + l.extra_fen > 0",
        "l.basic_fen + l.account_fen + l.extra_fen + l.arrears_fen",
    ),
    "credited": ("l.contribution_fen > 0", "l.contribution_fen + l.subsidy_fen"),
    "held": ("l.trace LIKE '%\"held\":%'", "json_extract(l.trace, '$.due_fen')"),
}


def people(db: Any, settled: str, kind: str, page: int) -> People:
    """Persons of a month by kind (paid, credited, held), the biggest amount first."""
    condition, amount = KINDS[kind]
    name = (SCHEME, settled)
    of_month = f"l.scheme = ? AND l.month = ? AND {condition}"
    total = db.execute(f"SELECT count(*) FROM settlement_line l WHERE {of_month}", name).fetchone()[0]
    last = max(1, -(-total // PAGE_ROWS))
    page = min(max(1, page), last)
    rows = db.execute(
        f"""SELECT l.person_id, p.name, p.id_number, coalesce(d.name, p.village) AS village, {amount} AS fen,
               json_extract(l.trace, '$.held') AS held, json_extract(l.trace, '$.months') AS months
            FROM (SELECT * FROM settlement_line l WHERE {of_month} ORDER BY {amount} DESC, l.person_id
                  LIMIT ? OFFSET ?) l
            JOIN person p ON p.id = l.person_id LEFT JOIN division d ON d.code = p.village
            ORDER BY {amount} DESC, l.person_id""",
        (*name, PAGE_ROWS, (page - 1) * PAGE_ROWS),
    )
    return People([dict(row) for row in rows], total, page)


def suspense(db: Any, limit: int = 200) -> list[dict[str, Any]]:
    """Receipts nobody was found for, oldest first."""
    rows = db.execute(
        "SELECT * FROM receipt WHERE scheme = ? AND state = 'suspense' ORDER BY received_on, no LIMIT ?",
        (SCHEME, limit),
    )
    return [dict(row) for row in rows]


def receipt_sums(db: Any) -> dict[str, tuple[int, int]]:
    """(receipts, fen) by state: suspense, matched, posted."""
    rows = db.execute("SELECT state, count(*), sum(amount_fen) FROM receipt WHERE scheme = ? GROUP BY state", (SCHEME,))
    return {state: (count, fen) for state, count, fen in rows}
