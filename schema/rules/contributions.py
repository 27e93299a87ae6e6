# SPDX-License-Identifier: Apache-2.0
"""What is due each month: the base within its limits, shares per insurance, 110 % where nothing was declared, late fee.

Each share is rounded half up to the fen by itself, so that a unit's bill is the sum of its persons' lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from schema.money import half_up
from schema.parameter import Parameters, Value
from schema.rules.trace import Trace, rule

START = date(1999, 1, 22)
EMPLOYEE_SCHEMES = ("employee_pension", "employee_medical", "unemployment", "work_injury", "maternity")
LAW = "社会保险法 十二、二十三、三十五、四十四、五十三、社会保险费征缴暂行条例 三"
# The parameters of each insurance: the employer's rate and the employee's; '' where there is none.
_RATES = {
    "employee_pension": ("contribution/pension_employer_rate", "contribution/pension_employee_rate"),
    "employee_medical": ("contribution/medical_employer_rate", "contribution/medical_employee_rate"),
    "unemployment": ("contribution/unemployment_employer_rate", "contribution/unemployment_employee_rate"),
    "maternity": ("contribution/maternity_rate", ""),
}
_FLEXIBLE = {
    "employee_pension": "contribution/pension_flexible_rate",
    "employee_medical": "contribution/medical_flexible_rate",
}


@dataclass(frozen=True)
class Shares:
    """One month of one insurance, in fen. `account_fen` is the part of it credited to the individual account."""

    employer_fen: int
    employee_fen: int
    account_fen: int = 0

    @property
    def total_fen(self) -> int:
        """What must arrive."""
        return self.employer_fen + self.employee_fen


@rule("contribution.base", since=START, law="社会保险费征缴暂行条例 三、浙江省职工基本养老保险条例 九、十一")
def base(wage_fen: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None) -> int:
    """缴费基数: the declared wage within the limits of that month."""
    floor = parameters.at("contribution/base_floor_fen", on, known_on)
    cap = parameters.at("contribution/base_cap_fen", on, known_on)
    amount = min(max(wage_fen, floor.number), cap.number)
    if trace is not None:
        inputs: dict[str, int | str] = {"wage_fen": wage_fen}
        trace.record("申报工资，限在下限和上限之间", "declared wage within floor and cap", inputs, amount, (floor, cap))
    return amount


@rule("contribution.undeclared", since=START, law="社会保险法 六十二、社会保险费征缴暂行条例 十")
def undeclared(
    last_fen: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> int:
    """What is assessed for a month that nothing was declared for: 110 % of the month before."""
    percent = parameters.at("contribution/undeclared_percent", on, known_on)
    amount = half_up(last_fen * percent.number, 100)
    if trace is not None:
        trace.record("上月数额 × 110%", "110 % of last month", {"last_fen": last_fen}, amount, (percent,))
    return amount


@rule("contribution.monthly", since=START, law=LAW)
def monthly(
    insurance: str, base_fen: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None, injury_class: int = 1, float_percent: int = 100,
) -> Shares:  # fmt: skip
    """A month of an employee: the employer's and the employee's share of one insurance.

    Work injury is the employer's alone, by industry class and its floating rate. Raises KeyError for an insurance that
    employees do not have or a class that the law does not know, ValueError for a float that is not allowed.
    """
    if insurance == "work_injury":
        return _injury(base_fen, on, known_on, parameters, trace, injury_class, float_percent)
    employer_name, employee_name = _RATES[insurance]
    employer = parameters.at(employer_name, on, known_on)
    values: tuple[Value, ...] = (employer,)
    employee_fen = account_fen = 0
    if employee_name:
        employee = parameters.at(employee_name, on, known_on)
        employee_fen = half_up(base_fen * employee.number, 10_000)
        values += (employee,)
    if insurance == "employee_pension":
        account_fen, account = _account_part(base_fen, on, known_on, parameters)
        values += (account,)
    out = Shares(half_up(base_fen * employer.number, 10_000), employee_fen, account_fen)
    _record(trace, insurance, base_fen, out, values)
    return out


@rule("contribution.flexible", since=START, law="浙江省职工基本养老保险条例 十一、二十四")
def flexible(
    insurance: str, base_fen: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> Shares:  # fmt: skip
    """A month of a flexible worker, all of it the person's own; of the pension 8 % of the base go to the account.

    Raises KeyError for an insurance that flexible workers do not have.
    """
    rate = parameters.at(_FLEXIBLE[insurance], on, known_on)
    values: tuple[Value, ...] = (rate,)
    account_fen = 0
    if insurance == "employee_pension":
        account_fen, account = _account_part(base_fen, on, known_on, parameters)
        values += (account,)
    out = Shares(0, half_up(base_fen * rate.number, 10_000), account_fen)
    _record(trace, insurance, base_fen, out, values)
    return out


@rule("contribution.late_fee", since=START, law="社会保险法 八十六、社会保险费征缴暂行条例 十三、行政强制法 四十五")
def late_fee(
    unpaid_fen: int, default_on: date, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> int:  # fmt: skip
    """滞纳金 of an amount unpaid from `default_on` (counted) to the day of payment `on` (not counted), in fen.

    Each day has the rate of its day, so that a change of law splits the time; rounded once; at most the share of the
    principal that the law of the day of payment allows, where it names one.
    """
    rate = parameters.at("contribution/late_fee_daily", on, known_on)
    points, day, values = 0, default_on, {rate.from_: rate}
    while day < on:
        rate = parameters.at("contribution/late_fee_daily", day, known_on)
        values[rate.from_] = rate
        points += rate.number
        day += timedelta(days=1)
    amount = half_up(unpaid_fen * points, 10_000)
    capped = on >= date(2012, 1, 1)
    cap = parameters.at("contribution/late_fee_cap_percent", on, known_on) if capped else None
    if cap is not None:
        amount = min(amount, half_up(unpaid_fen * cap.number, 100))
    if trace is not None:
        inputs: dict[str, int | str] = {"unpaid_fen": unpaid_fen, "days": max(0, (on - default_on).days)}
        used = (*values.values(), *((cap,) if cap else ()))
        trace.record("欠缴额 × 每日比例 × 天数", "unpaid * daily rate * days", inputs, amount, used)
    return amount


def _injury(
    base_fen: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None, injury_class: int,
    float_percent: int,
) -> Shares:  # fmt: skip
    rates = parameters.at("contribution/injury_rate", on, known_on)
    floats = parameters.at("contribution/injury_float_percent", on, known_on)
    if float_percent not in floats.numbers:
        raise ValueError(f"{float_percent} % is no floating rate")
    out = Shares(half_up(base_fen * rates.table[injury_class] * float_percent, 1_000_000), 0)
    _record(trace, "work_injury", base_fen, out, (rates, floats))
    return out


def _account_part(base_fen: int, on: date, known_on: date | None, parameters: Parameters) -> tuple[int, Value]:
    rate = parameters.at("contribution/pension_account_rate", on, known_on)
    return half_up(base_fen * rate.number, 10_000), rate


def _record(trace: Trace | None, insurance: str, base_fen: int, out: Shares, values: tuple[Value, ...]) -> None:
    if trace is not None:
        inputs: dict[str, int | str] = {
            "insurance": insurance, "base_fen": base_fen, "employer_fen": out.employer_fen,
            "employee_fen": out.employee_fen, "account_fen": out.account_fen,
        }  # fmt: skip
        trace.record("缴费基数 × 单位、个人比例", "base * the employer's and the employee's rate", inputs,
                     out.total_fen, values)  # fmt: skip
