# SPDX-License-Identifier: Apache-2.0
"""The review queue: which cases wait for this officer's posts and hands, most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hub import confidential
from hub.officers import WATCHING_ROLES
from schema.case import FORWARDING, STEPS
from schema.web.door import Officer

PAGE_ROWS = 50
NOTED, OFFLINE = "noted", "offline"
# Later than this between the counter and the hub, a case was taken offline.
OFFLINE_AFTER = timedelta(minutes=30)


@dataclass(frozen=True)
class Filter:
    """What of the queue is shown. `only`: '' for all, `noted` (with findings), `offline`."""

    township: str = ""
    service: str = ""
    only: str = ""


def steps_of(officer: Officer) -> tuple[str, ...]:
    """The steps an officer's roles allow; none for supervision and administration."""
    if set(officer.roles) & set(WATCHING_ROLES):
        return ()
    return tuple(step for step, about in STEPS.items() if about["role"] in officer.roles)


def waiting(db: Any, officer: Officer, wanted: Filter, limit: int = PAGE_ROWS) -> list[Any]:
    """Cases for this officer, by legal limit and receive time: overdue ones first, those without a limit last.

    Cases his hands have touched wait for others.
    """
    where, values = _mine(officer, wanted)
    sql = (
        "SELECT c.id, c.service, c.step, c.station, c.township, c.person_name, c.receipt_no, c.due_on, c.received_at, "
        f"c.stated_at, c.findings, d.name AS township_name FROM hub_case c LEFT JOIN division d ON d.code = c.township "
        f"WHERE {where} ORDER BY c.due_on IS NULL, c.due_on, c.received_at, c.id LIMIT ?"
    )
    return list(db.execute(sql, (*values, limit)))


def count(db: Any, officer: Officer, wanted: Filter | None = None) -> int:
    """How many cases wait for this officer."""
    where, values = _mine(officer, wanted or Filter())
    return int(db.execute(f"SELECT count(*) FROM hub_case c WHERE {where}", values).fetchone()[0])


def by_step(db: Any, officer: Officer, today: date) -> list[dict[str, Any]]:
    """For each of the officer's steps: how many wait, how many are due today, how many are late. Steps that few items
    have stand there only while something waits."""
    where, values = _mine(officer, Filter())
    sql = (
        "SELECT c.step, count(*) AS waiting, coalesce(sum(c.due_on = ?), 0) AS due, "
        f"coalesce(sum(c.due_on < ?), 0) AS late FROM hub_case c WHERE {where} GROUP BY c.step"
    )
    found = {row["step"]: row for row in db.execute(sql, (today.isoformat(), today.isoformat(), *values))}
    return [
        {"step": step} | ({n: found[step][n] for n in ("waiting", "due", "late")} if step in found else _NONE)
        for step in steps_of(officer)
        if step in found or step not in FORWARDING
    ]


def by_state(db: Any) -> dict[str, int]:
    """All cases of the county by state."""
    return {row[0]: row[1] for row in db.execute("SELECT state, count(*) FROM hub_case GROUP BY state ORDER BY state")}


def choices(db: Any, officer: Officer) -> tuple[list[Any], list[str]]:
    """The townships (code, name) and service ids that occur in this officer's queue, for the filters."""
    where, values = _mine(officer, Filter())
    townships = db.execute(
        "SELECT DISTINCT c.township AS code, coalesce(d.name, c.township) AS name FROM hub_case c "
        f"LEFT JOIN division d ON d.code = c.township WHERE {where} ORDER BY c.township",
        values,
    )
    services = db.execute(f"SELECT DISTINCT c.service FROM hub_case c WHERE {where} ORDER BY c.service", values)
    return list(townships), [row[0] for row in services]


_NONE = {"waiting": 0, "due": 0, "late": 0}

_HANDS = (
    "NOT EXISTS (SELECT 1 FROM pending_decision p WHERE p.case_id = c.id) "
    "AND NOT EXISTS (SELECT 1 FROM case_step s WHERE s.case_id = c.id AND s.officer = ? AND s.step <> c.step) "
    "AND NOT EXISTS (SELECT 1 FROM relative r WHERE r.operator_no = ? AND (r.person_id = c.person_id OR EXISTS "
    "(SELECT 1 FROM person p WHERE p.id = r.person_id AND p.household_id = c.household_id)))"
)


def _mine(officer: Officer, wanted: Filter) -> tuple[str, Sequence[Any]]:
    mine = steps_of(officer)
    marks = ", ".join("?" * len(mine)) or "NULL"
    parts = [f"c.step IN ({marks})", _HANDS]
    values: list[Any] = [*mine, officer.operator_no, officer.operator_no]
    if not confidential.may_see(officer.roles) and (hidden := confidential.services()):
        parts.append(f"c.service NOT IN ({', '.join('?' * len(hidden))})")
        values += hidden
    if wanted.township:
        parts.append("c.township = ?")
        values.append(wanted.township)
    if wanted.service:
        parts.append("c.service = ?")
        values.append(wanted.service)
    if wanted.only == NOTED:
        parts.append('(c.findings LIKE \'%"severity":"review"%\' OR c.findings LIKE \'%"severity":"block"%\')')
    if wanted.only == OFFLINE:
        parts.append("julianday(c.received_at) - julianday(c.stated_at) > ?")
        values.append(OFFLINE_AFTER / timedelta(days=1))
    return " AND ".join(parts), values
