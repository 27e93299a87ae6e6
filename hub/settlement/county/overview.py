# SPDX-License-Identifier: Apache-2.0
"""One month of the county as its console shows it: where it stands, its steps, totals, what comes next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.settlement import month
from hub.settlement.county import jobs, steps, summary
from hub.settlement.county.controls import Control
from hub.settlement.county.runs import County, Run
from hub.settlement.county.steps import Mark
from hub.settlement.county.summary import Summary
from hub.settlement.county.verify import Verified
from hub.settlement.month import COUNTY
from hub.settlement.views import NEXT
from schema import database, period
from schema.clock import stamp
from schema.errors import UnknownSubject


@dataclass(frozen=True)
class Overview:
    """`row`: the month's row of `period`, empty before the first run; then there is no `run` and no `figures` either.
    `before`: the figures of the month before, to compare with. `begins_on`: its first day while that is to come.
    """

    month: str
    row: dict[str, Any]
    run: Run | None
    figures: Summary | None
    before: Summary | None
    marks: list[Mark]
    paid: dict[str, int]
    verified: list[dict[str, Any]]
    stop: jobs.Stop | None
    verify_stop: jobs.Stop | None
    months: list[str]
    open_month: str | None
    next_action: str | None
    begins_on: date | None

    @property
    def state(self) -> str | None:
        """computed, approved, paid, closed; None before."""
        return self.row.get("state")

    @property
    def controls(self) -> list[Control]:
        return self.run.controls if self.run else []

    @property
    def last_month(self) -> str:
        """The month before this one."""
        return period.add_months(self.month, -1)


def next_action(db: Any, today: date) -> str | None:
    """What the open month waits for: run, approve, pay, close. Nothing before the first: nobody must begin."""
    opened = month.open_month(db, COUNTY)
    if opened is None:
        return None
    row = month.find(db, opened, COUNTY)
    return NEXT[row["state"] if row else None] if period.first_day(opened) <= today else None


def overview(county: County, asked: str | None = None) -> Overview:
    """The month asked for, else the open one; before the first of all, the present one."""
    today = county.clock.today()
    with county.store.read() as db:
        months = month.settled(db, COUNTY)
        opened = month.open_month(db, COUNTY)
        wanted = [asked] if asked and (asked in months or (opened is None and period.is_month(asked))) else []
        shown = [*wanted, opened or period.month_of(today)][0]
        found = month.find(db, shown, COUNTY)
        row = dict(found) if found else {}
        stops = [jobs.stop_of(db, shown, kind) for kind in ("run", "verify")]
        verified = _verified(db, row["run_id"]) if row else []
    run = next((run for run in county.runs() if run.month == shown), None)
    figures = summary.of(county, shown) if run else None
    last = period.add_months(shown, -1)
    first = period.first_day(shown)
    return Overview(
        month=shown, row=row, run=run, figures=figures, before=summary.of(county, last) if last in months else None,
        marks=steps.marks(row, figures.counts if figures else {}, run.controls if run else []),
        paid=json.loads(row["controls"]).get("paid", {}) if row else {}, verified=verified,
        stop=stops[0], verify_stop=stops[1],
        months=months if opened is None or opened in months else [opened, *months], open_month=opened,
        next_action=NEXT[row.get("state")] if first <= today else None, begins_on=first if first > today else None,
    )  # fmt: skip


def record(county: County, settled: str, engine: str, officer: str | None, found: Verified, elapsed_ms: int) -> None:
    """Keep what a recomputation came to. `engine`: its name alone, an address may hold a password."""
    name = engine.partition(":")[0]
    with county.store.write() as db:
        database.upsert(db, "month_verified", {
            "run_id": county.get(db, settled)["run_id"], "engine": name[:20], "at": stamp(county.clock.now()),
            "officer": officer, "root": found.root, "agrees": int(found.agrees),
            "differing": " ".join(found.differing)[:200], "elapsed_ms": elapsed_ms,
        })  # fmt: skip


def _verified(db: Any, run_id: str) -> list[dict[str, Any]]:
    """The last recomputation by each engine, the newest first."""
    rows = db.execute(
        "SELECT *, max(at) FROM month_verified WHERE run_id = ? GROUP BY engine ORDER BY at DESC", (run_id,)
    )
    return [dict(row) for row in rows]


def require_settled(county: County, settled: str) -> None:
    """Raises UnknownSubject for a month that was never run."""
    with county.store.read() as db:
        if not period.is_month(settled):
            raise UnknownSubject("没有这个月份", "there is no such month")
        county.get(db, settled)
