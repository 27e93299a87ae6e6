# SPDX-License-Identifier: Apache-2.0
"""When somebody retires: the gradually delayed age, the window around it, the years needed, early retirement.

`former_age` is the age of the law before 2025: men 60, women 55 or 50 by their post; it names the group as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schema import period
from schema.parameter import Parameters
from schema.rules.trace import Trace, rule

DELAY = date(2025, 1, 1)
OLD = date(1978, 6, 2)
EARLY = {
    "special_trade": "retirement/special_trade_age_years",
    "disability": "retirement/disability_age_years",
}
LAW_OLD = "国发〔1978〕104号"
LAW_DELAY = "关于实施渐进式延迟法定退休年龄的决定 一、四、五"


@dataclass(frozen=True)
class Retirement:
    """The legal month, the age reached in it, and the months between which one may choose."""

    month: str
    delay_months: int
    age_years: int
    age_months: int
    earliest: str
    latest: str


@rule("retirement.legal_month", since=OLD, law=LAW_OLD)
def legal_month(
    birth_on: date, former_age: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> Retirement:  # fmt: skip
    """The month of retirement. Until 2024 that of reaching the former age, without a choice."""
    month = period.month_reaching_age(birth_on, former_age)
    found = Retirement(month, 0, former_age, 0, month, month)
    if trace is not None:
        trace.record("满退休年龄的月份", "month of reaching the age", {"former_age": former_age}, month)
    return found


@rule("retirement.legal_month", since=DELAY, law=LAW_DELAY)
def legal_month_delayed(
    birth_on: date, former_age: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> Retirement:  # fmt: skip
    """From 2025: one month later for every four (women of 50: two) months of birth, up to 63, 58 and 55.

    One may choose up to three years earlier, never before the former age, or later in agreement with the employer.
    Raises ValueError for a former age that the law does not know.
    """
    step = parameters.at("retirement/delay_step_months", on, known_on)
    cap = parameters.at("retirement/delay_cap_months", on, known_on)
    window = parameters.at("retirement/flexible_months", on, known_on)
    if former_age not in step.table:
        raise ValueError(f"no group retired at {former_age}")
    former = period.month_reaching_age(birth_on, former_age)
    passed = period.months_between(period.month_of(DELAY), former)
    delay = min(cap.table[former_age], passed // step.table[former_age] + 1) if passed >= 0 else 0
    month = period.add_months(former, delay)
    found = Retirement(
        month, delay, former_age + delay // 12, delay % 12,
        max(former, period.add_months(month, -window.number)), period.add_months(month, window.number),
    )  # fmt: skip
    if trace is not None:
        inputs: dict[str, int | str] = {"birth_on": str(birth_on), "former_age": former_age, "delay_months": delay}
        zh = "原退休年龄所在月 + 延迟月数（2025 年 1 月起每若干个月延一个月，有上限）"
        trace.record(zh, "month of the former age + delay", inputs, month, (step, cap, window))
    return found


@rule("retirement.min_paid_months", since=date(1998, 1, 1), law="社会保险法 十六、浙江省职工基本养老保险条例 三十一")
def min_paid_months(
    retires: str, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None,
    work_began_on: date | None = None,
) -> int:  # fmt: skip
    """Paid months needed for a monthly pension when retiring in that month: 180, from 2030 six more each year to 240.

    Who began work before 1998 and retired from 1998 to 2010 needed 120.
    """
    day = period.first_day(retires)
    found = parameters.at("retirement/min_paid_months", day, known_on)
    if work_began_on is not None and work_began_on < date(1998, 1, 1) and day <= date(2010, 12, 31):
        found = parameters.at("retirement/min_paid_months_former", day, known_on)
    if trace is not None:
        zh, en = "按退休年份查最低缴费月数", "months needed by the year of retirement"
        trace.record(zh, en, {"retires": retires}, found.number, (found,))
    return found.number


@rule("retirement.early_month", since=OLD, law="国发〔1978〕104号 一")
def early_month(
    birth_on: date, sex: int, basis: str, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> str:  # fmt: skip
    """The first month in which one may retire early: `basis` special_trade or disability; `sex` 1 men, 2 women."""
    ages = parameters.at(EARLY[basis], on, known_on)
    month = period.month_reaching_age(birth_on, ages.table[sex])
    if trace is not None:
        inputs: dict[str, int | str] = {"birth_on": str(birth_on), "basis": basis, "age_years": ages.table[sex]}
        trace.record("满提前退休年龄的月份", "month of reaching the early age", inputs, month, (ages,))
    return month
