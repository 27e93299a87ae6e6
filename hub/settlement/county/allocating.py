# SPDX-License-Identifier: Apache-2.0
"""Whose money it is: a unit's payment to its oldest month first, within a month by largest remainder, within a person
in the order of the law. What is left over pays late fees, and the rest waits in suspense.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.settlement.county.columns import AMOUNTS, Bills, Inputs, Ints, Lines, Payers, Rates
from hub.settlement.county.grouping import starts_of, sums_at
from hub.settlement.county.late_fees import fees


@dataclass(frozen=True)
class Given:
    """The outcome of allocating. `lines`: all that was due; `paid`: by column of `AMOUNTS`, what of it was paid now."""

    lines: Lines
    paid: dict[str, Ints]
    unpaid: Lines
    bills: Bills
    payers: Payers
    credit_pension: Ints
    credit_medical: Ints
    months: Ints


def allocate(current: Lines, arrears: Lines, returned: Ints, inputs: Inputs, rates: Rates) -> Given:
    """Give every fen that arrived its place. `arrears`: as adjusted; `returned`: what that gave back to each payer."""
    lines = _in_order(Lines.joined(arrears, current))
    units = inputs.units
    due = sum((getattr(lines, name) for name in AMOUNTS), np.zeros(len(lines), np.int64))
    first = starts_of(lines.unit, lines.month, lines.billed)
    bill_unit, bill_month, bill_due = lines.unit[first], lines.month[first], sums_at(due, first)
    bill_paid = _oldest_first(bill_unit, bill_due, units.carried + units.received + returned)
    billed = lines.billed[first]
    bill_fee = fees(billed, bill_paid, units.received_on[bill_unit], inputs.month, rates)
    bills = Bills(unit=bill_unit, month=bill_month, billed=billed, due=bill_due, paid=bill_paid, late_fee=bill_fee)
    paid = _waterfall(lines, _by_largest_remainder(lines, due, first, bill_due, bill_paid))
    pension, medical = _full(lines, paid, "pension"), _full(lines, paid, "medical")
    credits = {
        "credit_pension": np.where(pension, lines.credit_pension, 0), "months": np.where(pension, lines.months, 0),
        "credit_medical": np.where(medical, lines.credit_medical, 0),
    }  # fmt: skip
    unpaid = _left(lines, paid, credits)
    return Given(lines, paid, unpaid, bills, _payers(inputs, returned, bills), **credits)


def _in_order(lines: Lines) -> Lines:
    return lines.take(np.lexsort((lines.person, lines.billed, lines.month, lines.unit)))


def _oldest_first(unit: Ints, due: Ints, money: Ints) -> Ints:
    """Bills are by (unit, month, billed): each gets what the earlier ones of its unit have left."""
    before = np.cumsum(due) - due
    first = starts_of(unit)
    sizes = np.diff(np.append(first, len(unit)))
    before -= np.repeat(before[first], sizes)
    return np.clip(money[unit] - before, 0, due)


def _by_largest_remainder(lines: Lines, due: Ints, first: Ints, bill_due: Ints, bill_paid: Ints) -> Ints:
    """What each line gets of its bill: the whole part of its share, and the fen left over to the largest remainders."""
    bill = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(lines))))
    got = np.where(bill_paid[bill] == bill_due[bill], due, 0)
    short = np.flatnonzero((bill_paid[bill] > 0) & (bill_paid[bill] < bill_due[bill]))
    of = bill[short]
    share, remainder = np.divmod(bill_paid[of] * due[short], bill_due[of])
    order = np.lexsort((lines.person[short], -remainder, of))
    of = of[order]
    begins = starts_of(of)
    sizes = np.diff(np.append(begins, len(of)))
    left = np.repeat(bill_paid[of[begins]] - sums_at(share[order], begins), sizes)
    rank = np.arange(len(of)) - np.repeat(begins, sizes)
    got[short[order]] = share[order] + (rank < left)
    return got


def _waterfall(lines: Lines, got: Ints) -> dict[str, Ints]:
    paid, rest = {}, got
    for name in AMOUNTS:
        paid[name] = np.minimum(rest, getattr(lines, name))
        rest = rest - paid[name]
    return paid


def _full(lines: Lines, paid: dict[str, Ints], insurance: str) -> np.ndarray:
    """Where this insurance of the month is paid in full by now, so that the account gets its part."""
    full = np.ones(len(lines), bool)
    for name in (f"{insurance}_employee", f"{insurance}_employer"):
        full &= paid[name] == getattr(lines, name)
    return full


def _left(lines: Lines, paid: dict[str, Ints], credits: dict[str, Ints]) -> Lines:
    """What is carried over, with the credits that are still to come."""
    rest = {name: getattr(lines, name) - paid[name] for name in AMOUNTS}
    owing = sum(rest.values(), np.zeros(len(lines), np.int64)) > 0
    left = Lines(
        unit=lines.unit, month=lines.month, billed=lines.billed, person=lines.person, **rest,
        **{name: getattr(lines, name) - given for name, given in credits.items()},
    )  # fmt: skip
    return left.take(owing)


def _payers(inputs: Inputs, returned: Ints, bills: Bills) -> Payers:
    units = inputs.units
    money = units.carried + units.received + returned
    allocated, fee = (np.zeros(len(units), np.int64) for _ in range(2))
    first = starts_of(bills.unit)
    allocated[bills.unit[first]] = sums_at(bills.paid, first)
    fee[bills.unit[first]] = sums_at(bills.late_fee, first)
    owed = units.fee_owed + fee
    late_fee = np.minimum(money - allocated, owed)
    return Payers(
        unit=units.unit, carried=units.carried, received=units.received, returned=returned, allocated=allocated,
        late_fee=late_fee, suspense=money - allocated - late_fee, fee_owed=owed - late_fee,
    )  # fmt: skip
