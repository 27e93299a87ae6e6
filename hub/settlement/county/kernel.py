# SPDX-License-Identifier: Apache-2.0
"""The month in whole columns: assess, allocate, post, pay, book. Pure: nothing is read, written or drawn.

    base      = declared wage within floor and cap
    due       = base x rate, each amount rounded half up to the fen by itself
    allocated = a unit's money to its oldest month first; within a month in proportion to what each person owes, the
                fen left over to the largest remainders (ties: the lower person number); within a person in the order
                of `columns.AMOUNTS`
    credit    = only where the insurance of that month is paid in full: arrears give no years and no credit
                (浙江省职工基本养老保险条例 26)
    adjusted  = what late work makes more due of a closed month is a line of that month, what it makes less due is taken
                off what is unpaid of it, else goes back (`adjusting`)
    late fee  = what was paid late x daily rates of each day, after the principal (社会保险法 86)

Every product stays below 2^62: `ranges.check` refuses inputs that could overflow before anything is computed.
"""

from __future__ import annotations

import numpy as np

from hub.settlement.county import booking, paying, ranges
from hub.settlement.county.adjusting import Changed, adjust, returned_to
from hub.settlement.county.allocating import Given, allocate
from hub.settlement.county.assessing import assess
from hub.settlement.county.columns import Inputs, Ints, Outcome, Postings, Rates
from hub.settlement.county.grouping import found_at, starts_of, sums_at


def settle(inputs: Inputs, rates: Rates) -> Outcome:
    """Compute the month. Raises WrongState (code `out_of_range`) before any number could overflow."""
    ranges.check(inputs, rates)
    assessed, lines = assess(inputs.contributors, inputs.units, inputs.month, rates)
    changed = adjust(inputs.arrears, inputs.adjustments)
    given = allocate(lines, changed.arrears, returned_to(changed, len(inputs.units)), inputs, rates)
    payments, recoveries = paying.pay(inputs, rates)
    ledger = booking.book(given, changed, payments)
    posted = _post(inputs, given, changed)
    return Outcome(
        assessed, given.bills, given.payers, given.unpaid, posted, payments, ledger, changed.adjusted, recoveries
    )  # fmt: skip


def _post(inputs: Inputs, given: Given, changed: Changed) -> Postings:
    """The accounts of everybody with a line or an adjustment, after the month."""
    undone = changed.adjusted
    people = np.concatenate((given.lines.person, undone.person))
    order = np.argsort(people, kind="stable")
    first = starts_of(people[order])
    person = people[order][first]

    def change(given_now: Ints, taken_back: Ints) -> Ints:
        return sums_at(np.concatenate((given_now, -taken_back))[order], first)

    pension = change(given.credit_pension, undone.undone_pension)
    medical = change(given.credit_medical, undone.undone_medical)
    months = change(given.months, undone.undone_months)
    place, known = found_at(inputs.accounts.person, person)

    def before(column: Ints) -> Ints:
        return np.where(known, column[place], 0) if len(column) else np.zeros(len(person), np.int64)

    accounts = inputs.accounts
    return Postings(
        person=person, credit_pension=pension, credit_medical=medical, months=months,
        pension=before(accounts.pension) + pension, pension_months=before(accounts.pension_months) + months,
        medical=before(accounts.medical) + medical,
    )  # fmt: skip
