# SPDX-License-Identifier: Apache-2.0
"""The month's rates out of the dated parameters, as numbers for the kernel."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from hashlib import sha256

import numpy as np

from hub.settlement.county.columns import Rates
from schema.errors import ParameterNotFound
from schema.parameter import Parameters

_EMPLOYEE = (
    "pension_employee_rate", "pension_employer_rate", "medical_employee_rate", "medical_employer_rate",
    "unemployment_employee_rate", "unemployment_employer_rate", "", "maternity_rate",
)  # fmt: skip
# Before that there is no late fee to count; arrears of these systems begin later.
FEE_FROM = date(1999, 10, 1)
DUE_DAY = 10  # 浙江省职工基本养老保险条例 13: by the tenth of the following month
PPM_OF_POINT = 100


def rates_of(month: int, known_on: date, parameters: Parameters) -> Rates:
    """The rates in force on the first day of the month, as known on a day. Raises ParameterNotFound."""
    on = date(month // 12, month % 12 + 1, 1)

    def number(name: str) -> int:
        return parameters.at(f"contribution/{name}", on, known_on).number

    return Rates(
        floor=number("base_floor_fen"), cap=number("base_cap_fen"),
        employee=tuple(number(name) if name else 0 for name in _EMPLOYEE),
        flexible_pension=number("pension_flexible_rate"), flexible_medical=number("medical_flexible_rate"),
        account=number("pension_account_rate"), undeclared_percent=number("undeclared_percent"),
        fee_from=FEE_FROM.toordinal(), fee_points=_points(known_on, parameters),
        fee_cap_percent=number("late_fee_cap_percent"), due_day=DUE_DAY,
        recovery_percent=parameters.at("benefit/recovery_percent", on, known_on).number,
    )  # fmt: skip


def injury_rate(month: int, known_on: date, parameters: Parameters, injury_class: int) -> int:
    """The employer's rate per million of the base, by industry class, without a floating rate."""
    on = date(month // 12, month % 12 + 1, 1)
    return parameters.at("contribution/injury_rate", on, known_on).table[injury_class] * PPM_OF_POINT


def digest(month: int, known_on: date, parameters: Parameters) -> str:
    """A hash of what a month's assessment depends on; '' where there are no rates for that month."""
    try:
        rates = rates_of(month, known_on, parameters)
    except ParameterNotFound:
        return ""
    on = date(month // 12, month % 12 + 1, 1)
    injury = parameters.at("contribution/injury_rate", on, known_on).table
    known = [rates.floor, rates.cap, rates.employee, rates.flexible_pension, rates.flexible_medical, rates.account,
             rates.undeclared_percent, sorted(injury.items())]  # fmt: skip
    return sha256(repr(known).encode()).hexdigest()


@lru_cache(maxsize=8)
def _points(known_on: date, parameters: Parameters) -> np.ndarray:
    """The sum of daily late-fee rates before each day, up to the day at which all is reckoned."""
    daily = []
    day = FEE_FROM
    while day <= known_on:
        daily.append(parameters.at("contribution/late_fee_daily", day, known_on).number)
        day += timedelta(days=1)
    return np.concatenate(([0], np.cumsum(np.array(daily, np.int64))))
