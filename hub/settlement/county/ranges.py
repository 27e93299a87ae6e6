# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a month may be, so that no product or sum of int64 wraps: numpy does that without a word, and
SQLite turns to floating point instead, so the two ways would differ as well.
"""

from __future__ import annotations

import numpy as np

from hub.settlement.county.adjusting import CREDITS
from hub.settlement.county.columns import AMOUNTS, FUNDS, NO_END, Inputs, Rates
from schema.errors import WrongState

AMOUNT_FEN = 2**24  # 167,772 yuan: one amount of one person in one month
WAGE_FEN = 2**40  # only ever clipped
UNIT_FEN = 2**34  # 170 million yuan of one unit: times all eight amounts of a person it stays below 2^62
BALANCE_FEN = 2**40
ROWS = 2**24
WHOLE, MILLION = 10_000, 1_000_000


def check(inputs: Inputs, rates: Rates) -> None:
    """Raises WrongState (code `out_of_range`) naming table and column."""
    for name, table in inputs.tables().items():
        if len(table) > ROWS:
            raise _refused(name, "rows")
        for column, values in table.columns():
            most = _LIMITS.get(column, AMOUNT_FEN)
            _within(name, column, values, -most if name in _SIGNED and column in _AMOUNTS else -1, most)
    for table_name, table in (("contributors", inputs.contributors), ("arrears", inputs.arrears),
                              ("adjustments", inputs.adjustments)):  # fmt: skip
        _within(table_name, "unit", table.unit, 0, max(len(inputs.units) - 1, 0))
    for table_name, paid in (("payees", inputs.payees), ("corrections", inputs.corrections),
                             ("claims", inputs.claims)):  # fmt: skip
        _within(table_name, "kind", paid.kind, 0, len(FUNDS) - 1)
    if not np.array_equal(inputs.units.unit, np.arange(len(inputs.units))):
        raise _refused("units", "unit")
    numbers = (*rates.employee, rates.flexible_pension, rates.flexible_medical, rates.account, rates.recovery_percent)
    if not all(0 <= number <= WHOLE for number in numbers) or not 0 <= rates.floor <= rates.cap <= AMOUNT_FEN:
        raise _refused("rates", "rate")
    _bills(inputs)


_LIMITS = {
    "received": UNIT_FEN, "carried": UNIT_FEN, "fee_owed": UNIT_FEN, "pension": BALANCE_FEN, "medical": BALANCE_FEN,
    "wage": WAGE_FEN, "received_on": 2**22, "injury_rate": MILLION, "person": ROWS - 1, "unit": ROWS - 1,
    "month": NO_END, "billed": NO_END, "paid_through": NO_END, "until": NO_END, "pension_months": 2**16,
    "amount": BALANCE_FEN,
}  # fmt: skip
# What late work changes may be less or more.
_SIGNED = ("adjustments", "corrections")
_AMOUNTS = (*AMOUNTS, *CREDITS, "pool", "account")


def _bills(inputs: Inputs) -> None:
    """What one unit may owe, or get back, in all: the largest product is a unit's money times a person's due."""
    owed = np.zeros(len(inputs.units), np.int64)
    for name in AMOUNTS:
        np.add.at(owed, inputs.arrears.unit, getattr(inputs.arrears, name))
        np.add.at(owed, inputs.adjustments.unit, np.abs(getattr(inputs.adjustments, name)))
    _within("arrears", "unit total", owed, 0, UNIT_FEN)


def _within(table: str, column: str, values: np.ndarray, least: int, most: int) -> None:
    if len(values) and (values.min() < least or values.max() > most):
        raise _refused(table, column)


def _refused(table: str, column: str) -> WrongState:
    return WrongState(
        f"数据超出可以计算的范围：{table} 的 {column}，请检查来源", f"out of the computable range: {column} of {table}",
        code="out_of_range",
    )  # fmt: skip
