# SPDX-License-Identifier: Apache-2.0
"""Who is paid what: the monthly amounts for each month not paid yet, unless something holds the payment back."""

from __future__ import annotations

import numpy as np

from hub.settlement.county.columns import Payees, Payments

ACTIVE, SUSPENDED, ENDED = 1, 2, 3
# Why a payment waits, by number; the first that holds.
HELD = ("", "ended", "suspended", "dead", "no_bank_account", "no_amount")


def pay(payees: Payees, month: int) -> Payments:
    """The pension ends with the month of death: what was due before belongs to a claim of the heirs."""
    months = np.maximum(month - payees.paid_through, 0)
    held = np.select(
        [payees.state == ENDED, payees.state == SUSPENDED, payees.alive == 0, payees.bank == 0,
         payees.pool + payees.account == 0],
        [1, 2, 3, 4, 5], 0,
    ).astype(np.int64)  # fmt: skip
    paid = np.where((held == 0), months, 0)
    return Payments(
        person=payees.person, kind=payees.kind, held=held, months=paid, pool=payees.pool * paid,
        account=payees.account * paid,
    )  # fmt: skip
