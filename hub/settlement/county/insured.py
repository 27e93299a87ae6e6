# SPDX-License-Identifier: Apache-2.0
"""Who is insured through work in which month, on what amount, as the register says it now; and which employer declared.

The register keeps from which month on things hold, so a closed month can be asked for again. What it keeps without a
month (a relation that rests, a wage without a declaration) is only true of now: `late_work` says what is made of it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hub.settlement.county.assessing import MEDICAL, OTHERS, PENSION
from schema import period

DECLARATION = "base_declaration"


class Insured(NamedTuple):
    """One person at one employer in one month; `unit` is empty for who pays alone.

    `covered`: bits as in `columns.Contributors`; `resting`: those of relations that rest now, since nobody knows when.
    """

    month: str
    unit: bytes
    person: bytes
    wage: int
    covered: int
    resting: int


def insured(db: Any, months: Sequence[str], persons: Iterable[bytes] | None = None) -> list[Insured]:
    """Once per month, unit and person; of everybody, or of these. What rests of an employee
    who left began to rest with that, so it is in `covered` until then.
    """
    only = "" if persons is None else "AND person_id IN (SELECT unhex(value) FROM json_each(?5))"
    found = db.execute(
        f"""WITH month(m) AS (SELECT value FROM json_each(?1)),
           relation AS (
             SELECT person_id, began_month, ended_month, coalesce(grade_fen, 0) AS grade_fen,
               (insurance = 'employee_pension') * ?2 + (insurance = 'employee_medical') * ?3 AS bit,
               state = 'suspended' AS rests
             FROM enrolment WHERE insurance IN ('employee_pension', 'employee_medical')
               AND (state IN ('active', 'suspended') OR ended_month IS NOT NULL) {only}),
           insured AS (
             SELECT m, person_id, max(bit = ?2 AND NOT rests) * ?2 + max(bit = ?3 AND NOT rests) * ?3 AS bits,
               max(bit = ?2 AND rests) * ?2 + max(bit = ?3 AND rests) * ?3 AS resting, max(grade_fen) AS chosen
             FROM month, relation WHERE began_month <= m AND (ended_month IS NULL OR ended_month >= m)
             GROUP BY m, person_id),
           employed AS (
             SELECT m, unit_id, person_id, max(wage_fen) AS wage, max(ended_month IS NOT NULL) AS left_it
             FROM month, employment
             WHERE began_month <= m AND (ended_month IS NULL OR ended_month >= m) {only}
             GROUP BY m, unit_id, person_id)
           SELECT e.m, e.unit_id, e.person_id, e.wage,
             CASE WHEN i.bits | (e.left_it * i.resting) THEN i.bits | (e.left_it * i.resting) | ?4 ELSE 0 END, i.resting
           FROM employed e JOIN insured i ON i.m = e.m AND i.person_id = e.person_id
           UNION ALL
           SELECT i.m, x'', i.person_id, i.chosen, i.bits, i.resting FROM insured i
           WHERE NOT EXISTS (SELECT 1 FROM employed e WHERE e.m = i.m AND e.person_id = i.person_id)""",
        (json.dumps(months), PENSION, MEDICAL, OTHERS, *([] if persons is None else [hexes(persons)])),
    )
    return [Insured(m, bytes(unit), bytes(person), wage or 0, *bits) for m, unit, person, wage, *bits in found]


def hexes(ids: Iterable[bytes]) -> str:
    """Ids as SQL takes a list of them."""
    return json.dumps([id_.hex() for id_ in ids])


class Bases:
    """Declared amounts by employer and person, each from a month on; of the same month the one that came last."""

    def __init__(self, db: Any, persons: Iterable[bytes] | None = None) -> None:
        only = "" if persons is None else "WHERE person_id IN (SELECT unhex(value) FROM json_each(?))"
        rows = db.execute(
            f"SELECT coalesce(unit_id, x''), person_id, from_month, base_fen FROM contribution_base {only} "
            "ORDER BY from_month, rev", [] if persons is None else [hexes(persons)],
        )  # fmt: skip
        self._of: dict[tuple[bytes, bytes], list[tuple[str, int]]] = {}
        for unit, person, month, base in rows:
            self._of.setdefault((bytes(unit), bytes(person)), []).append((month, base))

    def at(self, unit: bytes, person: bytes, month: str) -> tuple[str, int] | None:
        """(since which month, how much) is declared there for that month."""
        known = self._of.get((unit, person), [])
        place = bisect_right(known, month, key=lambda entry: entry[0])
        return known[place - 1] if place else None


def left(db: Any, persons: Iterable[bytes]) -> dict[bytes, list[str]]:
    """The last months of these persons' jobs."""
    rows = db.execute(
        "SELECT person_id, ended_month FROM employment WHERE ended_month IS NOT NULL "
        "AND person_id IN (SELECT unhex(value) FROM json_each(?))", (hexes(persons),),
    )  # fmt: skip
    out: dict[bytes, list[str]] = {}
    for person, month in rows:
        out.setdefault(bytes(person), []).append(month)
    return out


def alone(row: Insured, bases: Bases, jobs_left: dict[bytes, list[str]]) -> int:
    """What somebody without an employer that month is covered by, having said from a month on to pay alone.

    A job that ended since is over with its relations. One that ends later took them along: until then they held.
    """
    said, ended = bases.at(b"", row.person, row.month), jobs_left.get(row.person, [])
    if said is None or any(said[0] <= month < row.month for month in ended):
        return 0
    return row.covered | (row.resting if any(month >= row.month for month in ended) else 0)


class Declarations:
    """Up to which month each employer's declarations hold (社会保险法 62): a unit that once declared and let it lapse
    has declared nothing. One whose wages came with the register and that never declared is taken to have declared.
    """

    def __init__(self, db: Any, valid_months: int) -> None:
        rows = db.execute(
            "SELECT DISTINCT b.unit_id, b.from_month FROM contribution_base b JOIN hub_case c ON c.id = b.case_id "
            "WHERE c.service = ? AND b.unit_id IS NOT NULL ORDER BY b.from_month", (DECLARATION,),
        )  # fmt: skip
        self._valid = valid_months
        self._of: dict[bytes, list[str]] = {}
        for unit, month in rows:
            self._of.setdefault(bytes(unit), []).append(month)

    def lapsed(self, month: str) -> set[bytes]:
        """The units that have declared nothing for that month."""
        return {unit for unit in self._of if not self.hold(unit, month)}

    def hold(self, unit: bytes, month: str) -> bool:
        """Whether a declaration of the unit covers that month."""
        known = self._of.get(unit, [])
        place = bisect_right(known, month)
        return not place or period.months_between(known[place - 1], month) < self._valid
