# SPDX-License-Identifier: Apache-2.0
"""The fleet: which station was heard when, what it still holds, whether it was proven equal, who may not come in.

Everything here is as of the station's last contact: the hub knows no more, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from schema import rulebook
from schema.clock import parse_stamp, stamp
from schema.errors import UnknownSubject, WrongState
from sync.hub import grant

ONLINE_WITHIN = timedelta(days=1)
SOON_WITHIN = timedelta(days=3)
OVERDUE_AFTER = timedelta(days=7)
CERTIFICATE_WARNING = timedelta(days=30)


@dataclass(frozen=True)
class Station:
    """One station as the hub knows it. `age`: today, days (1-3), week (3-7), lost (over 7), never, revoked.

    `rules`: current, older (will switch with its next exchange), waiting (its program cannot use the new ones).
    """

    id: str
    name: str
    township: str
    township_name: str
    last_seen_at: str | None
    last_equal_at: str | None
    unsent: int
    not_after: str | None
    expires_soon: bool
    revoked_at: str | None
    revoked_reason: str | None
    refusals: int
    age: str
    in_doubt: bool = False
    permitted: bool = False
    rules: str = "current"

    @property
    def needs_a_look(self) -> bool:
        """Whether a technician should do something about it."""
        return self.age in ("week", "lost", "never") or self.expires_soon or self.refusals > 0 or self.troubled

    @property
    def troubled(self) -> bool:
        """Two machines of one name, or rules that its program cannot use."""
        return self.in_doubt or self.rules == "waiting"


@dataclass(frozen=True)
class Summary:
    """The fleet in figures, for the bar at the foot of every page. `overdue`: heard once, then silent for too long."""

    stations: int
    online: int
    overdue: int
    never: int
    unsent: int
    quarantined: int
    equal: int
    oldest_equal_at: str | None


def everyone(db: Any, now: datetime, today: date) -> list[Station]:
    """All stations, the one unheard for longest first."""
    rows = db.execute(
        "SELECT n.*, s.township, d.name AS township_name, "
        "(SELECT count(*) FROM refusal r WHERE r.peer = n.id AND r.handled_at IS NULL) AS refusals, "
        "EXISTS (SELECT 1 FROM incident i WHERE i.peer = n.id AND i.kind = 'clone' AND i.repaired_at IS NULL) "
        "OR EXISTS (SELECT 1 FROM refusal f WHERE f.peer = n.id AND f.code = 'frozen' AND f.handled_at IS NULL) "
        "AS in_doubt "
        "FROM node_record n LEFT JOIN station s ON s.id = n.id LEFT JOIN division d ON d.code = s.township "
        "ORDER BY n.revoked_at IS NOT NULL, coalesce(n.last_seen_at, ''), n.id"
    )
    in_force = rulebook.in_force(db)
    return [_station(row, now, today, in_force) for row in rows]


def permit(db: Any, station: str, at: str) -> None:
    """Let the next machine that asks in this station's name go on with a new epoch.

    Raises UnknownSubject, and WrongState for a revoked station.
    """
    row = db.execute("SELECT revoked_at FROM node_record WHERE id = ?", (station,)).fetchone()
    if row is None:
        raise UnknownSubject(f"中心没有站点 {station}", f"the hub knows no station {station}")
    if row["revoked_at"]:
        raise WrongState(f"站点 {station} 已注销", f"station {station} was revoked")
    grant.permit(db, station, at)


def summary(db: Any, now: datetime) -> Summary:
    """The figures of the bar; `equal`: proven so at the last contact. Revoked stations do not count."""
    row = db.execute(
        "SELECT count(*) AS stations, coalesce(sum(last_seen_at >= ?), 0) AS online, "
        "coalesce(sum(last_seen_at < ?), 0) AS overdue, coalesce(sum(last_seen_at IS NULL), 0) AS never, "
        "coalesce(sum(unsent), 0) AS unsent, "
        "coalesce(sum(last_equal_at >= last_seen_at), 0) AS equal, min(last_equal_at) AS oldest "
        "FROM node_record WHERE revoked_at IS NULL",
        (stamp(now - ONLINE_WITHIN), stamp(now - OVERDUE_AFTER)),
    ).fetchone()
    waiting = db.execute("SELECT count(*) FROM refusal WHERE handled_at IS NULL").fetchone()[0]
    return Summary(
        stations=row["stations"],
        online=row["online"],
        overdue=row["overdue"],
        never=row["never"],
        unsent=row["unsent"],
        quarantined=waiting,
        equal=row["equal"],
        oldest_equal_at=row["oldest"],
    )


def facts_per_day(db: Any, today: date, days: int = 14) -> list[tuple[str, int]]:
    """How many facts of stations were received on each of the last days."""
    rows = db.execute(
        "SELECT date(received_at, '+8 hours') AS day, count(*) AS n FROM fact "
        "WHERE origin <> 'hub' AND received_at >= ? GROUP BY day",
        ((today - timedelta(days=days)).isoformat(),),
    )
    found = {row["day"]: row["n"] for row in rows}
    listed = [(today - timedelta(days=n)).isoformat() for n in reversed(range(days))]
    return [(day, found.get(day, 0)) for day in listed]


def _station(row: Any, now: datetime, today: date, in_force: str) -> Station:
    ends = row["not_after"]
    soon = bool(ends) and row["public_key"] is not None and ends <= (today + CERTIFICATE_WARNING).isoformat()
    return Station(
        id=row["id"],
        name=row["name"],
        township=row["township"] or "",
        township_name=row["township_name"] or row["township"] or "",
        last_seen_at=row["last_seen_at"],
        last_equal_at=row["last_equal_at"],
        unsent=row["unsent"],
        not_after=ends,
        expires_soon=soon and row["revoked_at"] is None,
        revoked_at=row["revoked_at"],
        revoked_reason=row["revoked_reason"],
        refusals=row["refusals"],
        age=_age(row, now),
        in_doubt=bool(row["in_doubt"]) and row["revoked_at"] is None,
        permitted=row["permit_at"] is not None,
        rules=_rules(row, in_force),
    )


def _rules(row: Any, in_force: str) -> str:
    if row["revoked_at"] or row["rules"] is None or row["rules"] == in_force:
        return "current"
    return "waiting" if row["rules_waiting"] else "older"


def _age(row: Any, now: datetime) -> str:
    if row["revoked_at"]:
        return "revoked"
    if not row["last_seen_at"]:
        return "never"
    silent = now - parse_stamp(row["last_seen_at"])
    steps = ((ONLINE_WITHIN, "today"), (SOON_WITHIN, "days"), (OVERDUE_AFTER, "week"))
    return next((name for limit, name in steps if silent <= limit), "lost")
