# SPDX-License-Identifier: Apache-2.0
"""What stands on a unit's page: who it is, its roster, cases and vacancies, as far as this station may see it.

Employment rows travel with their person, so a roster here is of those who live in this station's slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node import case_state
from schema.errors import UnknownSubject

ROSTER_PAGE = 50
CASES_SHOWN = 20
_VACANCIES = """
    SELECT id, job_title, places, wage_from_yuan, wage_to_yuan, open_until_on FROM vacancy
    WHERE employer_code = ? AND vacancy_open = 'yes' ORDER BY open_until_on
"""
_WORKING = "e.unit_id = ? AND e.ended_month IS NULL"
_ROSTER = """
    SELECT p.id, p.name, p.sex, p.id_number, p.life_status, e.wage_fen, e.began_month, e.ended_month, a.paid_months
    FROM employment e JOIN person p ON p.id = e.person_id
    LEFT JOIN account a ON a.person_id = e.person_id AND a.insurance = 'employee_pension'
    WHERE e.unit_id = ? ORDER BY e.ended_month IS NOT NULL, p.pinyin, p.id_number LIMIT ? OFFSET ?
"""


@dataclass(frozen=True)
class UnitPage:
    """One unit, ready to be shown. `roster` is one page of `known` members; `working` and `wages_fen` are of now.

    `cases`: taken here about the unit; `vacancies`: its jobs on offer.
    """

    unit: dict[str, Any]
    place: str
    roster: list[Any]
    known: int
    working: int
    wages_fen: int
    cases: list[Any]
    vacancies: list[Any]


def read(db: Any, unit_id: bytes, page: int = 1) -> UnitPage:
    """Raises UnknownSubject."""
    unit = db.execute("SELECT * FROM unit WHERE id = ?", (unit_id,)).fetchone()
    if unit is None:
        raise UnknownSubject("本站没有这家单位", "this unit is not known at this station")
    place = db.execute("SELECT name FROM division WHERE code = ?", (unit["township"],)).fetchone()
    known = db.execute("SELECT count(*) FROM employment WHERE unit_id = ?", (unit_id,)).fetchone()[0]
    now = db.execute(f"SELECT count(*), coalesce(sum(wage_fen), 0) FROM employment e WHERE {_WORKING}", (unit_id,))
    working, wages = now.fetchone()
    return UnitPage(
        unit=dict(zip(unit.keys(), unit, strict=True)),
        place=place["name"] if place else unit["township"],
        roster=db.execute(_ROSTER, (unit_id, ROSTER_PAGE, (page - 1) * ROSTER_PAGE)).fetchall(),
        known=int(known),
        working=int(working),
        wages_fen=int(wages),
        cases=case_state.listing(db, unit_id=unit_id, limit=CASES_SHOWN)[0],
        vacancies=db.execute(_VACANCIES, (unit["uscc"],)).fetchall(),
    )
