# SPDX-License-Identifier: Apache-2.0
"""The register of one moment as columns, with what the month before left over.

Persons and units are numbered in the order of their ids; a later month numbers anew, so what is carried over is looked
up by id (`Who`). Flexible workers pay for themselves: each is a payer behind the employers.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from hub.settlement import stops
from hub.settlement.county import adjustments, leftover
from hub.settlement.county.columns import (
    EMPLOYEE,
    FLEXIBLE,
    FUND_OF_KIND,
    FUNDS,
    NO_END,
    Accounts,
    Contributors,
    Corrections,
    Inputs,
    Ints,
    Payees,
    Units,
    Who,
)
from hub.settlement.county.earlier import Earlier
from hub.settlement.county.industries import Industries
from hub.settlement.county.insured import Bases, Declarations, Insured, alone, insured, left
from hub.settlement.county.late_work import Known
from hub.settlement.county.leftover import Leftover
from hub.settlement.inputs import month_named, number_of
from schema import period
from schema.parameter import Parameters

_STATES = {"active": 1, "suspended": 2, "ended": 3}


@dataclass(frozen=True)
class Frozen:
    """A month's inputs and who is in them."""

    inputs: Inputs
    who: Who


def freeze(db: Any, month: str, known_on: date, parameters: Parameters, before: Earlier | None) -> Frozen:
    """Read everything the month depends on. `before`: the months that are closed, None for the first one."""
    number = number_of(month)
    persons = [bytes(row[0]) for row in db.execute("SELECT id FROM person ORDER BY id")]
    bases = Bases(db)
    rows, receipts = _contributing(db, month, bases), _receipts(db, month)
    valid = parameters.at("contribution/declaration_valid_months", period.first_day(month), known_on).number
    known = Known(known_on, parameters, Industries(db, known_on, parameters), Declarations(db, valid))
    with nullcontext() if before is None else before.open(before.last) as last:
        earlier = leftover.read(last)
    person_no = {id_: n for n, id_ in enumerate(persons)}
    payees = _payees(db, person_no)
    late = adjustments.of(db, before, payees, persons, known)
    payers = {row.unit or row.person for row in rows} | receipts.keys() | earlier.payers() | set(late.payers(person_no))
    who = Who(persons, sorted(payers))
    unit_no = {id_: n for n, id_ in enumerate(who.units)}
    earlier.renumber(person_no, unit_no)
    units = _units(who, receipts, earlier, known, number)
    contributors = _as_columns(rows, bases, person_no, unit_no, earlier)
    corrected = late.corrections(person_no)
    adjusted = late.adjustments(person_no, unit_no, _billed(known, month))
    inputs = Inputs(
        number, contributors, units, earlier.arrears, _accounts(db, person_no, earlier),
        _with_corrected(db, payees, corrected, persons, number), adjusted, corrected,
        earlier.claims(before.held.get(before.last, set()) if before else set()),
    )  # fmt: skip
    return Frozen(inputs, who)


def _contributing(db: Any, month: str, bases: Bases) -> list[Insured]:
    """Everybody who is covered by anything that month."""
    rows = insured(db, [month])
    unsure = [row for row in rows if not row.unit and row.resting and bases.at(b"", row.person, month)]
    if unsure:
        ended = left(db, {row.person for row in unsure})
        also = {row.person: alone(row, bases, ended) for row in unsure}
        rows = [row if row.unit else row._replace(covered=row.covered | also.get(row.person, 0)) for row in rows]
    return [row for row in rows if row.covered]


def _billed(known: Known, month: str) -> int | None:
    """The month whose due day counts for the late fee of late work; None: each month's own."""
    on = period.first_day(month)
    notice = known.parameters.at("contribution/late_work_notice", on, known.on).number
    return number_of(month) if notice else None


def _receipts(db: Any, month: str) -> dict[bytes, tuple[int, int]]:
    """payer -> (fen, day of the last) of the money that arrived for this month and has a payer."""
    rows = db.execute(
        "SELECT payer_id, sum(amount_fen), max(received_on) FROM unit_receipt WHERE month = ? AND payer_id IS NOT NULL "
        "GROUP BY payer_id", (month,),
    )  # fmt: skip
    return {bytes(payer): (fen, date.fromisoformat(day).toordinal()) for payer, fen, day in rows}


def _as_columns(
    rows: list[Insured], bases: Bases, person_no: dict[bytes, int], unit_no: dict[bytes, int], earlier: Leftover
) -> Contributors:
    unit = _ints(unit_no[row.unit or row.person] for row in rows)
    person = _ints(person_no[row.person] for row in rows)
    order = np.lexsort((person, unit))
    declared = (bases.at(row.unit, row.person, row.month) for row in rows)
    wage = _ints(base[1] if base else row.wage for row, base in zip(rows, declared, strict=True))[order]
    covered = _ints(row.covered for row in rows)[order]
    kind = _ints(EMPLOYEE if row.unit else FLEXIBLE for row in rows)[order]
    unit, person = unit[order], person[order]
    last = {f"last_{name}": values for name, values in earlier.due_last_month(unit, person).items()}
    return Contributors(person=person, unit=unit, wage=wage, kind=kind, covered=covered, **last)


def _units(who: Who, receipts: dict[bytes, tuple[int, int]], earlier: Leftover, known: Known, number: int) -> Units:
    # Money of earlier months alone arrived before this one began; the day of freezing would make each day another run.
    begun = date(number // 12, number % 12 + 1, 1).toordinal()
    money = [receipts.get(id_, (0, begun)) for id_ in who.units]
    suspense, fee_owed = earlier.of_units(len(who.units))
    lapsed = known.declarations.lapsed(month_named(number))
    return Units(
        unit=np.arange(len(who.units)), injury_rate=_ints(known.industries.rate_of(id_, number) for id_ in who.units),
        declared=_ints(id_ not in lapsed for id_ in who.units), carried=suspense, received=_ints(m[0] for m in money),
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


def _with_corrected(
    db: Any, payees: Payees, corrected: Corrections, persons: list[bytes], number: int
) -> Payees:  # fmt: skip
    """Who draws nothing any more and is owed something of earlier months, as somebody who can be paid that."""
    drawing = set(zip(payees.person.tolist(), payees.kind.tolist(), strict=True))
    more = corrected.take((corrected.pool > 0) | (corrected.account > 0))
    gone = sorted(set(zip(more.person.tolist(), more.kind.tolist(), strict=True)) - drawing)
    if not gone:
        return payees
    sql = (
        "SELECT life_status = '1', EXISTS (SELECT 1 FROM bank_account k WHERE k.person_id = p.id AND account_no IS NOT "
        "NULL) FROM person p WHERE id = ?"
    )
    rows = []
    for person, kind in gone:
        alive, bank = db.execute(sql, (persons[person],)).fetchone()
        rows.append((person, kind, _STATES["ended"], alive, bank, number, number, 0, 0))
    joined = Payees.joined(payees, Payees(*(_ints(column) for column in zip(*rows, strict=True))))
    return joined.take(np.lexsort((joined.kind, joined.person)))


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
