# SPDX-License-Identifier: Apache-2.0
"""Journal lines of the month, each a debit and a credit of one fund's books, so that every fund balances by itself.

社会保险基金会计制度: money arrives at the treasury (国库存款) and is income of the unit's or of the person's part; what
belongs to nobody yet is 暂收款; what turns out not to have been due is taken out of income again; a late fee is other
income; a benefit is paid out of the payment account (支出户存款).
"""

from __future__ import annotations

import numpy as np

from hub.settlement.county.adjusting import Changed
from hub.settlement.county.allocating import Given
from hub.settlement.county.columns import AMOUNTS, FUND_OF, FUNDS, OWN_PART, Ints, Ledger, Payments
from hub.settlement.county.grouping import starts_of, sums_at

TREASURY, PAYMENT_ACCOUNT, SUSPENSE = 1005, 1003, 2001
INCOME_UNIT, INCOME_PERSON, OTHER_INCOME, BENEFITS = 400101, 400102, 4007, 5001
CONTRIBUTION, LATE_FEE, TO_SUSPENSE, FROM_SUSPENSE, BENEFIT, RETURNED = 1, 2, 3, 4, 5, 6
NO_UNIT = -1
# A unit's late fee and its money without a bill stand in one fund's books: they are of the unit, not of an insurance.
UNITS_FUND = FUNDS.index("pension")


def book(given: Given, changed: Changed, payments: Payments) -> Ledger:
    """All lines, in the order of their columns."""
    parts = [
        *_income(CONTRIBUTION, given.lines.unit, given.paid), *_income(RETURNED, changed.unit, changed.returned),
        *_of_units(given), *_benefits(payments),
    ]  # fmt: skip
    columns = [np.concatenate([part[i] for part in parts]) for i in range(len(Ledger.names()))]
    ledger = Ledger(*columns)
    return ledger.take(np.lexsort(tuple(columns[::-1])))


Part = tuple[Ints, Ints, Ints, Ints, Ints, Ints]


def _part(fund: int, event: int, unit: Ints, debit: int, credit: int, amount: Ints) -> Part:
    some = amount > 0
    unit, amount = unit[some], amount[some]

    def same(value: int) -> Ints:
        return np.full(len(unit), value, np.int64)

    return same(fund), same(event), unit, same(debit), same(credit), amount


def _income(event: int, units: Ints, amounts: dict[str, Ints]) -> list[Part]:
    """Contributions that came in, or went out of income again: then the sides change places."""
    first = starts_of(units)
    unit = units[first]
    sums: dict[tuple[str, bool], Ints] = {}
    for name, fund, own in zip(AMOUNTS, FUND_OF, OWN_PART, strict=True):
        amount = sums_at(amounts[name], first)
        sums[fund, own] = sums.get((fund, own), np.zeros(len(unit), np.int64)) + amount
    parts = []
    for (fund, own), amount in sums.items():
        sides = (TREASURY, INCOME_PERSON if own else INCOME_UNIT)
        debit, credit = sides if event == CONTRIBUTION else sides[::-1]
        parts.append(_part(FUNDS.index(fund), event, unit, debit, credit, amount))
    return parts


def _of_units(given: Given) -> list[Part]:
    payers = given.payers
    change = payers.suspense - payers.carried
    return [
        _part(UNITS_FUND, LATE_FEE, payers.unit, TREASURY, OTHER_INCOME, payers.late_fee),
        _part(UNITS_FUND, TO_SUSPENSE, payers.unit, TREASURY, SUSPENSE, change),
        _part(UNITS_FUND, FROM_SUSPENSE, payers.unit, SUSPENSE, TREASURY, -change),
    ]


def _benefits(payments: Payments) -> list[Part]:
    paid = payments.pool + payments.account
    nobody = np.full(1, NO_UNIT, np.int64)
    return [
        _part(fund, BENEFIT, nobody, BENEFITS, PAYMENT_ACCOUNT, np.array([paid[payments.kind == fund].sum()], np.int64))
        for fund in range(len(FUNDS))
    ]
