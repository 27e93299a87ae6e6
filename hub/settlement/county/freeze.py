# SPDX-License-Identifier: Apache-2.0
"""The register of one moment as columns, with what the month before left over.

Persons and units are numbered in the order of their ids; a later month numbers anew, so what is carried over is looked
up by id (`Who`). Flexible workers pay for themselves: each is a payer behind the employers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from hub.settlement import stops
from hub.settlement.county import leftover
from hub.settlement.county.assessing import MEDICAL, OTHERS, PENSION
from hub.settlement.county.columns import (
    EMPLOYEE,
    FLEXIBLE,
    FUNDS,
    NO_END,
    Accounts,
    Contributors,
    Inputs,
    Ints,
    Payees,
    Units,
    Who,
)
from hub.settlement.county.leftover import Leftover
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.parameters import injury_rate
from hub.settlement.inputs import number_of
from schema.parameter import Parameters

_STATES = {"active": 1, "suspended": 2, "ended": 3}
FUND_OF_KIND = {"employee_pension": "pension", "resident_pension": "resident_pension", "unemployment": "unemployment",
                 "work_injury": "injury", "maternity": "medical", "employee_medical": "medical"}  # fmt: skip
# GB/T 4754 section -> class of the work-injury rate (人社部发〔2015〕71号, by the examples of its annex).
_INJURY_CLASS = {"A": 4, "B": 7, "C": 3, "D": 4, "E": 5, "F": 2, "G": 5, "H": 2, "I": 1, "J": 1, "K": 2, "L": 2,
                 "M": 2, "N": 3, "O": 2, "P": 2, "Q": 2, "R": 2, "S": 1}  # fmt: skip
_NO_CLASS = 4


@dataclass(frozen=True)
class Frozen:
    """A month's inputs and who is in them."""

    inputs: Inputs
    who: Who


def freeze(db: Any, month: str, known_on: date, parameters: Parameters, before: MonthFile | None) -> Frozen:
    """Read everything the month depends on. `before`: the file of the month before, None for the first one."""
    number = number_of(month)
    persons = [bytes(row[0]) for row in db.execute("SELECT id FROM person ORDER BY id")]
    rows, receipts = _contributors(db, month), _receipts(db, month)
    earlier = leftover.read(before)
    payers = {unit or person for unit, person, _, _ in rows} | receipts.keys() | earlier.payers()
    who = Who(persons, sorted(payers))
    person_no, unit_no = ({id_: n for n, id_ in enumerate(ids)} for ids in (who.persons, who.units))
    earlier.renumber(person_no, unit_no)
    units = _units(db, who, receipts, earlier, _Rates(number, known_on, parameters))
    contributors = _as_columns(rows, person_no, unit_no, earlier)
    accounts = _accounts(db, person_no, earlier)
    return Frozen(Inputs(number, contributors, units, earlier.arrears, accounts, _payees(db, person_no)), who)


def _contributors(db: Any, month: str) -> list[tuple[bytes, bytes, int, int]]:
    """(unit or b'', person, wage or chosen base, covered), once per unit and person."""
    found = db.execute(
        """WITH insured AS (
             SELECT person_id,
                    max(insurance = 'employee_pension') * ?2 + max(insurance = 'employee_medical') * ?3 AS bits,
                    max(grade_fen) AS chosen
             FROM enrolment WHERE insurance IN ('employee_pension', 'employee_medical') AND state = 'active'
               AND began_month <= ?1 AND (ended_month IS NULL OR ended_month >= ?1) GROUP BY person_id),
           employed AS (
             SELECT unit_id, person_id, max(wage_fen) AS wage FROM employment
             WHERE began_month <= ?1 AND (ended_month IS NULL OR ended_month >= ?1) GROUP BY unit_id, person_id)
           SELECT e.unit_id, e.person_id, e.wage, coalesce(i.bits, 0) + ?4
           FROM employed e JOIN insured i ON i.person_id = e.person_id
           UNION ALL
           SELECT x'', i.person_id, i.chosen, i.bits FROM insured i
           WHERE i.person_id NOT IN (SELECT person_id FROM employed)""",
        (month, PENSION, MEDICAL, OTHERS),
    )
    return [(bytes(unit), bytes(person), wage or 0, bits) for unit, person, wage, bits in found]


def _receipts(db: Any, month: str) -> dict[bytes, tuple[int, int]]:
    """payer -> (fen, day of the last) of the money that arrived for this month and has a payer."""
    rows = db.execute(
        "SELECT payer_id, sum(amount_fen), max(received_on) FROM unit_receipt WHERE month = ? AND payer_id IS NOT NULL "
        "GROUP BY payer_id", (month,),
    )  # fmt: skip
    return {bytes(payer): (fen, date.fromisoformat(day).toordinal()) for payer, fen, day in rows}


def _as_columns(
    rows: list[tuple[bytes, bytes, int, int]], person_no: dict[bytes, int], unit_no: dict[bytes, int], earlier: Leftover
) -> Contributors:
    unit = _ints(unit_no[unit or person] for unit, person, _, _ in rows)
    person = _ints(person_no[person] for _, person, _, _ in rows)
    order = np.lexsort((person, unit))
    wage, covered = _ints(r[2] for r in rows)[order], _ints(r[3] for r in rows)[order]
    kind = _ints(EMPLOYEE if r[0] else FLEXIBLE for r in rows)[order]
    unit, person = unit[order], person[order]
    last = {f"last_{name}": values for name, values in earlier.due_last_month(unit, person).items()}
    return Contributors(person=person, unit=unit, wage=wage, kind=kind, covered=covered, **last)


@dataclass(frozen=True)
class _Rates:
    """Rates of work injury in a month."""

    number: int
    known_on: date
    parameters: Parameters

    def of_industry(self, industry: str) -> int:
        """Per million of the base."""
        return injury_rate(self.number, self.known_on, self.parameters, _INJURY_CLASS.get(industry[:1], _NO_CLASS))


def _units(db: Any, who: Who, receipts: dict[bytes, tuple[int, int]], earlier: Leftover, rates: _Rates) -> Units:
    of_industry: dict[str, int] = {}
    industries = {bytes(row[0]): row[1] or "" for row in db.execute("SELECT id, industry FROM unit")}
    for industry in set(industries.values()):
        of_industry[industry] = rates.of_industry(industry)
    # Money of earlier months alone arrived before this one began; the day of freezing would make each day another run.
    begun = date(rates.number // 12, rates.number % 12 + 1, 1).toordinal()
    money = [receipts.get(id_, (0, begun)) for id_ in who.units]
    suspense, fee_owed = earlier.of_units(len(who.units))
    return Units(
        unit=np.arange(len(who.units)),
        injury_rate=_ints(of_industry[industries[id_]] if id_ in industries else 0 for id_ in who.units),
        declared=np.ones(len(who.units), np.int64), carried=suspense, received=_ints(m[0] for m in money),
        received_on=_ints(m[1] for m in money), fee_owed=fee_owed,
    )  # fmt: skip


def _accounts(db: Any, person_no: dict[bytes, int], earlier: Leftover) -> Accounts:
    """Pension accounts as the register has them, then as earlier months posted them; medical ones from those alone."""
    found = db.execute(
        "SELECT person_id, balance_fen, paid_months FROM account WHERE insurance = 'employee_pension' ORDER BY 1"
    ).fetchall()
    opening = {person_no[bytes(row[0])]: (row[1], row[2], 0) for row in found}
    opening |= earlier.accounts()
    persons = sorted(opening)
    columns = list(zip(*(opening[n] for n in persons), strict=True)) or [(), (), ()]
    return Accounts(_ints(persons), *(_ints(column) for column in columns))


def _payees(db: Any, person_no: dict[bytes, int]) -> Payees:
    rows = db.execute(
        """SELECT b.person_id, b.kind, max(b.state), max(p.life_status = '1'), max(k.account_no IS NOT NULL),
                  max(coalesce(b.paid_through, '')), max(b.from_month),
                  CASE WHEN count(*) = count(t.to_month) THEN max(t.to_month) END,
                  sum(b.basic_fen + b.extra_fen), sum(b.account_fen)
           FROM benefit b JOIN person p ON p.id = b.person_id LEFT JOIN bank_account k ON k.person_id = b.person_id
           LEFT JOIN benefit_term t ON t.id = b.id
           WHERE b.state <> 'ended' GROUP BY b.person_id, b.kind"""
    ).fetchall()
    stopped = {kind: stops.reported(db, kind) for kind in FUND_OF_KIND}
    found = sorted(
        (person_no[bytes(r[0])], FUNDS.index(FUND_OF_KIND[r[1]]),
         _STATES["suspended" if r[2] == "active" and bytes(r[0]) in stopped[r[1]] else r[2]], r[3], r[4],
         number_of(r[5]) if r[5] else number_of(r[6]) - 1, number_of(r[7]) if r[7] else NO_END, r[8], r[9])
        for r in rows if r[1] in FUND_OF_KIND
    )  # fmt: skip
    columns = list(zip(*found, strict=True)) or [()] * len(Payees.names())
    return Payees(*(_ints(column) for column in columns))


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
