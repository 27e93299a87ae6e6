# SPDX-License-Identifier: Apache-2.0
"""Who is paid what: the monthly amounts for each month not paid yet, unless something holds the payment back; what late
work adds to months that were paid; less what is kept for benefits paid too much.

Too much is claimed back as a whole (社会保险经办条例 46: return, else by agreement out of later benefits). From a
month's benefit no more is kept than the parameter allows, while what is paid for earlier months pays the claim first.
"""

from __future__ import annotations

import numpy as np

from hub.settlement.county.columns import FUNDS, Inputs, Ints, Payees, Payments, Rates, Recoveries
from hub.settlement.county.grouping import found_at, starts_of, sums_at

ACTIVE, SUSPENDED, ENDED = 1, 2, 3
# Why a payment waits, by number; the first that holds.
HELD = ("", "ended", "suspended", "dead", "no_bank_account", "no_amount")


def pay(inputs: Inputs, rates: Rates) -> tuple[Payments, Recoveries]:
    """The pension ends with the month of death: what was due before belongs to a claim of the heirs."""
    payees, corrections = inputs.payees, inputs.corrections
    held = held_back(payees)
    due = np.maximum(np.minimum(inputs.month, payees.until) - payees.paid_through, 0)
    months = np.where(held == 0, due, 0)
    reachable = (payees.state != SUSPENDED) & (payees.alive == 1) & (payees.bank == 1)
    key = _key(payees.person, payees.kind)
    wanted = _key(corrections.person, corrections.kind)
    extra = {
        name: np.where(reachable, _summed(key, wanted, np.maximum(getattr(corrections, name), 0)), 0)
        for name in ("pool", "account")
    }
    pool, account = payees.pool * months + extra["pool"], payees.account * months + extra["account"]
    corrected = extra["pool"] + extra["account"]
    owed, carried, added = _claimed(inputs)
    place, known = found_at(owed, key)
    claim = np.where(known, (carried + added)[place], 0) if len(owed) else np.zeros(len(key), np.int64)
    deducted = np.minimum(claim, corrected + (pool + account - corrected) * rates.recovery_percent // 100)
    of_pool = np.minimum(deducted, pool)
    payments = Payments(
        person=payees.person, kind=payees.kind, held=held, months=months, corrected=corrected, deducted=deducted,
        pool=pool - of_pool, account=account - (deducted - of_pool),
    )  # fmt: skip
    kept = _summed(owed, key, deducted)
    return payments, Recoveries(
        person=owed // len(FUNDS), kind=owed % len(FUNDS), carried=carried, added=added, deducted=kept,
        open=carried + added - kept,
    )  # fmt: skip


def held_back(payees: Payees) -> Ints:
    """Why each one's months wait, 0 where nothing is in the way."""
    held: Ints = np.select(
        [payees.state == ENDED, payees.state == SUSPENDED, payees.alive == 0, payees.bank == 0,
         payees.pool + payees.account == 0],
        [1, 2, 3, 4, 5], 0,
    ).astype(np.int64)  # fmt: skip
    return held


def _claimed(inputs: Inputs) -> tuple[Ints, Ints, Ints]:
    """(key, open before, added now) of everybody who was paid too much, in order."""
    claims, corrections = inputs.claims, inputs.corrections
    before, now = _key(claims.person, claims.kind), _key(corrections.person, corrections.kind)
    less = np.maximum(-corrections.pool, 0) + np.maximum(-corrections.account, 0)
    keys = np.unique(np.concatenate((before, now[less > 0])))
    return keys, _summed(keys, before, claims.amount), _summed(keys, now, less)


def _key(person: Ints, kind: Ints) -> Ints:
    return person * len(FUNDS) + kind


def _summed(keys: Ints, of: Ints, amounts: Ints) -> Ints:
    """For each of the keys, which are in order, the sum of the amounts; those of no key are left out."""
    total = np.zeros(len(keys), np.int64)
    order = np.argsort(of, kind="stable")
    first = starts_of(of[order])
    place, there = found_at(keys, of[order][first])
    total[place[there]] = sums_at(amounts[order], first)[there]
    return total
