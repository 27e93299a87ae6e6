# SPDX-License-Identifier: Apache-2.0
"""Survival checks at the hub: each station's check becomes a row that every station of the person gets.

A check that looks wrong is kept and flagged, never refused: the person was perhaps there. R31, the same photo for
another person; R32, more checks by one verifier in a minute than anybody can make.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hub import pack
from schema import survival
from schema.clock import parse_stamp, stamp
from schema.events import Fact
from schema.toml_reader import Text
from sync.hub.publish import Publication


def take(pub: Publication, fact: Fact, body: dict[str, Any]) -> None:
    """Write the check of this fact."""
    pub.put("eligibility_check", survival.row(fact, _flags(pub.db, fact, body)))


def flagged(db: Any, limit: int = 200) -> list[Any]:
    """Checks with a flag, newest first, with person and station."""
    return list(
        db.execute(
            "SELECT e.*, p.name, s.name AS station_name, s.name_en AS station_name_en, o.name AS officer_name "
            "FROM eligibility_check e JOIN person p ON p.id = e.person_id "
            "LEFT JOIN station s ON s.id = e.station LEFT JOIN officer o ON o.operator_no = e.officer "
            "WHERE e.flags IS NOT NULL ORDER BY e.seen_at DESC LIMIT ?",
            (limit,),
        )
    )


def _flags(db: Any, fact: Fact, body: dict[str, Any]) -> list[str]:
    flags = []
    if body["photo"] and db.execute(
        "SELECT 1 FROM eligibility_check WHERE photo = ? AND person_id <> ?", (body["photo"], body["person_id"])
    ).fetchone():
        flags.append(survival.SAME_PHOTO)
    # A match in the data is accepted in bulk; only a person who was looked at takes time.
    if body["method"] != survival.MATCHING:
        at = parse_stamp(body["seen_at"])
        since = stamp(at - timedelta(minutes=1))
        sql = (
            "SELECT count(*) FROM eligibility_check "
            "WHERE officer = ? AND seen_at > ? AND seen_at <= ? AND method <> ?"
        )
        made = db.execute(sql, (fact.officer, since, body["seen_at"], survival.MATCHING)).fetchone()[0]
        most = pack.parameters().at(survival.PER_MINUTE, at.date()).number
        if made >= most:
            flags.append(survival.TOO_FAST)
    return flags


@dataclass(frozen=True)
class Township:
    """How far a township is: who draws a benefit there, and whose check is overdue or due soon."""

    name: Text
    drawing: int
    overdue: int
    due: int


def by_township(db: Any, today: date) -> list[Township]:
    """Every township with somebody who draws a benefit, the most overdue first."""
    sql = "SELECT code, name AS zh, coalesce(name_en, name) AS en FROM division WHERE level = 'township'"
    names = {r["code"]: {"zh": r["zh"], "en": r["en"]} for r in db.execute(sql)}
    states: dict[str, list[str]] = {}
    for person in survival.due(db, today, pack.parameters(), at_station=False):
        states.setdefault(person.village[:9], []).append(person.state)
    found = [
        Township(names.get(code, {"zh": code, "en": code}), len(of), of.count("overdue"), of.count("due"))
        for code, of in states.items()
    ]
    return sorted(found, key=lambda t: (-t.overdue, t.name["zh"]))
