# SPDX-License-Identifier: Apache-2.0
"""What a month does to each person: whole fen, whole columns at once, nothing but the columns that came in.

    due months  = from the month after the last paid one (or the first of the benefit) to this month
    pension     = (basic + account part + add-on) for each due month
    from account= the account parts, at most what the account holds; what it lacks the pool pays
    closing     = opening + contributions + subsidy - from account

Law: 国发〔2014〕8号 (structure of the benefit). The pension ends with the month of death, so a dead person is never
paid here: what was still due belongs to a claim of the heirs. Months are whole numbers year x 12 + month - 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schema.errors import WrongState

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NONE, ACTIVE, SUSPENDED, ENDED, SEVERAL = range(5)  # benefit state of a person
HELD = ("", "several", "ended", "suspended", "dead", "no_amount", "no_bank_account")  # reasons, by number

# A product or sum of int64 wraps silently; these bounds keep every total of this module below 2^62.
AMOUNT_LIMIT_FEN = 2**30
BALANCE_LIMIT_FEN = 2**40
MONTHS_LIMIT = 2**11
PERSONS_LIMIT = 2**20


@dataclass(frozen=True)
class Columns:
    """One entry per person with money to credit or a benefit to look at. `paid_through` is -1 when never paid."""

    opening: Ints
    contribution: Ints
    subsidy: Ints
    benefit: Ints
    alive: Flags
    bank: Flags
    from_month: Ints
    paid_through: Ints
    basic: Ints
    account: Ints
    extra: Ints


@dataclass(frozen=True)
class Lines:
    """The result, one entry per person. Amounts of a held person are 0 and `due` says what waits."""

    held: Ints
    months: Ints
    first_month: Ints
    basic: Ints
    account: Ints
    extra: Ints
    arrears: Ints
    from_account: Ints
    closing: Ints
    due: Ints

    @property
    def payable(self) -> Ints:
        """What the bank is to pay to each person."""
        return self.basic + self.account + self.extra + self.arrears


def settle(month: int, c: Columns) -> Lines:
    """Compute the month. Raises WrongState (code `out_of_range`) before any number could overflow."""
    first = np.maximum(c.from_month, c.paid_through + 1)
    months = np.where(c.benefit == NONE, 0, np.maximum(month - first + 1, 0))
    _check_range(c, months)
    held = _held(c, months)
    paid_months = np.where((c.benefit == ACTIVE) & (held == 0), months, 0)
    pays = paid_months > 0
    monthly = c.basic + c.account + c.extra
    available = c.opening + c.contribution + c.subsidy
    from_account = np.minimum(available, c.account * paid_months)
    return Lines(
        held=held,
        months=paid_months,
        first_month=first,
        basic=np.where(pays, c.basic, 0),
        account=np.where(pays, c.account, 0),
        extra=np.where(pays, c.extra, 0),
        arrears=np.where(pays, monthly * (paid_months - 1), 0),
        from_account=from_account,
        closing=available - from_account,
        due=np.where(c.benefit == ENDED, 0, monthly * months),
    )


def _held(c: Columns, months: Ints) -> Ints:
    """Why a person with a benefit is not paid, the first reason that holds; 0 when nothing holds the payment back."""
    waiting = months > 0
    reasons = (
        (c.benefit == SEVERAL, "several"),
        (c.benefit == ENDED, "ended"),
        ((c.benefit == SUSPENDED) & waiting, "suspended"),
        ((c.benefit == ACTIVE) & waiting & ~c.alive, "dead"),
        ((c.benefit == ACTIVE) & waiting & (c.basic + c.account + c.extra == 0), "no_amount"),
        ((c.benefit == ACTIVE) & waiting & ~c.bank, "no_bank_account"),
    )
    return np.select([test for test, _ in reasons], [HELD.index(name) for _, name in reasons], 0).astype(np.int64)


def _check_range(c: Columns, months: Ints) -> None:
    """Every amount non-negative and below its bound, so that no product and no sum can wrap."""
    amounts = {
        "opening": (c.opening, BALANCE_LIMIT_FEN),
        "contribution": (c.contribution, AMOUNT_LIMIT_FEN),
        "subsidy": (c.subsidy, AMOUNT_LIMIT_FEN),
        "basic": (c.basic, AMOUNT_LIMIT_FEN // 4),
        "account": (c.account, AMOUNT_LIMIT_FEN // 4),
        "extra": (c.extra, AMOUNT_LIMIT_FEN // 4),
        "months": (months, MONTHS_LIMIT),
    }
    if len(c.opening) >= PERSONS_LIMIT:
        raise _out_of_range("persons", len(c.opening))
    for name, (column, limit) in amounts.items():
        bad = int(np.count_nonzero((column < 0) | (column >= limit)))
        if bad:
            raise _out_of_range(name, bad)


def _out_of_range(name: str, count: int) -> WrongState:
    return WrongState(
        f"有 {count} 个数超出范围（{name}），没有计算。请先核对名册里的金额和月份",
        f"{count} values are out of range ({name}); nothing was computed. Check amounts and months in the register",
        code="out_of_range",
    )
