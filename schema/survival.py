# SPDX-License-Identifier: Apache-2.0
"""Survival checks (资格认证): whoever draws a benefit is seen alive once in twelve months, counted from the last time.

The law wants data matching or self-service first, and a visit only for who remains (社会保险经办条例 §26). A check is a
fact of its own (`eligibility_checked`); an overdue one stops nothing by itself: it is proposed to the hub's officers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from schema import period
from schema.clock import CHINA, local, stamp
from schema.events import Fact
from schema.parameter import Parameters

KIND = "eligibility_checked"
SERVICE = "eligibility_check"
MONTHS = "survival/check_months"
AHEAD = "survival/ahead_days"
PER_MINUTE = "survival/most_per_minute"

FACE, ID_CARD, VISIT, MATCHING = "face", "id_card", "visit", "matching"
METHODS = (FACE, ID_CARD, VISIT, MATCHING)
NOTES = ("away", "elsewhere", "said_dead", "other")
NOTE_MAX_CHARS = 200

# Flags of the hub: words for people in the catalogue, `survival.flag_<word>`.
SAME_PHOTO, TOO_FAST = "R31", "R32"


@dataclass(frozen=True)
class Due:
    """A person who draws a benefit and when the next check is due."""

    person_id: bytes
    name: str
    id_number: str
    village: str
    birth_on: str
    drawing_since: str
    last_on: date | None
    due_on: date
    state: str


def noon(day: date) -> str:
    """The instant that stands for a day of which no hour is known."""
    return stamp(datetime.combine(day, time(12), CHINA))


def body(person_id: bytes, seen_at: str, method: str, found: bool, note: str | None, photo: bytes | None) -> Any:
    """What the fact of a check says. `seen_at`: when the officer saw it; the fact may be signed at the day's end."""
    return {
        "person_id": person_id, "checked_on": local(seen_at).date().isoformat(), "seen_at": seen_at, "method": method,
        "found": int(found), "note": note, "photo": photo,
    }  # fmt: skip


def row(fact: Fact, flags: list[str]) -> dict[str, Any]:
    """The hub's row of such a fact."""
    columns = ("person_id", "checked_on", "seen_at", "method", "found", "note", "photo")
    return {name: fact.body[name] for name in columns} | {
        "id": fact.subject, "station": fact.origin, "officer": fact.officer, "flags": " ".join(flags) or None,
    }  # fmt: skip


_DRAWING = """
    SELECT p.id, p.name, p.id_number, p.village, p.birth_on, min(b.from_month) AS since, {last} AS last_on
    FROM benefit b JOIN person p ON p.id = b.person_id
    WHERE b.state = 'active' AND p.life_status = '1' {where}
    GROUP BY p.id ORDER BY p.village, coalesce(last_on, ''), p.name
"""
_BY_HUB = "SELECT max(checked_on) FROM eligibility_check WHERE person_id = p.id AND found = 1"
# Signed here and not yet come back from the hub as its row.
_SIGNED_HERE = (
    "SELECT max(date(m.at, '+8 hours')) FROM survival_mark m "
    "WHERE m.person_id = p.id AND m.found = 1 AND m.fact_id IS NOT NULL"
)


def due(
    db: Any, today: date, parameters: Parameters, *, village: str = "", person_id: bytes | None = None,
    at_station: bool = True,
) -> list[Due]:  # fmt: skip
    """Who draws a benefit, with the day the next check is due; by village, those never checked first.

    `state` is overdue, due (within the days ahead) or seen.
    """
    where, values = "", []
    for column, wanted in (("p.village", village), ("p.id", person_id)):
        if wanted:
            where += f" AND {column} = ?"
            values.append(wanted)
    last = f"max(coalesce(({_BY_HUB}), ''), coalesce(({_SIGNED_HERE}), ''))" if at_station else f"({_BY_HUB})"
    months = parameters.at(MONTHS, today).number
    ahead = parameters.at(AHEAD, today).number
    rows = db.execute(_DRAWING.format(last=last, where=where), values)
    return [_due(r, today, months, ahead) for r in rows]


def _due(found: Any, today: date, months: int, ahead: int) -> Due:
    last = date.fromisoformat(found["last_on"]) if found["last_on"] else None
    due_on = months_after(last or period.first_day(found["since"]), months)
    state = "overdue" if due_on < today else "due" if (due_on - today).days <= ahead else "seen"
    return Due(
        bytes(found["id"]), found["name"], found["id_number"], found["village"], found["birth_on"], found["since"],
        last, due_on, state,
    )  # fmt: skip


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where that has no such day."""
    last = period.last_day(period.add_months(period.month_of(day), months))
    return last.replace(day=min(day.day, last.day))
