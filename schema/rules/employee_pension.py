# SPDX-License-Identifier: Apache-2.0
"""The employee pension: contribution index, basic, account and transitional pension, interest on the account.

Amounts are whole fen; an index is in ten-thousandths (8500 is 0.85). Years are given as months, so that parts of a
year count exactly. Nothing is rounded before the amount itself. `on` is the day a rule is applied for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from schema import money
from schema.money import half_up
from schema.parameter import Parameters, Value
from schema.rules.trace import Trace, rule

START = date(2006, 1, 1)
INDEX_ONE = 10_000
LAW = "国发〔2005〕38号 六、浙江省职工基本养老保险条例 三十二、三十三"
Year = tuple[int, int, int]
"""One contribution year: base a month in fen, average wage of the year before in fen, months paid."""


@dataclass(frozen=True)
class EmployeePension:
    """A monthly pension and its parts, in fen."""

    basic_fen: int
    account_fen: int
    transitional_fen: int

    @property
    def total_fen(self) -> int:
        """What is paid each month."""
        return self.basic_fen + self.account_fen + self.transitional_fen


@rule("pension.average_index", since=START, law=LAW)
def average_index(years: Sequence[Year], on: date, trace: Trace | None = None) -> int:
    """平均缴费指数: base over the average wage of the year before, weighted by months, to four decimals.

    Years without a paid month do not count. Raises ValueError when no month was paid.
    """
    months = sum(paid for _, _, paid in years)
    if months <= 0:
        raise ValueError("no paid month")
    found = sum((Fraction(base * paid, average) for base, average, paid in years), Fraction(0)) / months
    index = half_up(found.numerator * INDEX_ONE, found.denominator)
    if trace is not None:
        inputs: dict[str, int | str] = {"years": len(years), "months": months}
        zh, en = "各年（缴费基数 ÷ 上年平均工资）按月数加权平均", "base / average wage of the year before, by months"
        trace.record(zh, en, inputs, index)
    return index


@rule("pension.basic_pension", since=START, law=LAW)
def basic_pension(
    index: int, paid_months: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> int:
    """基础养老金 = (计发基数 + 计发基数 × 指数) ÷ 2 × 年限 × 1%, in fen a month. `paid_months` include deemed ones."""
    wage = parameters.at("pension/base_wage_monthly_fen", on, known_on)
    amount = half_up(wage.number * (INDEX_ONE + index) * paid_months, 2 * INDEX_ONE * 12 * 100)
    if trace is not None:
        inputs: dict[str, int | str] = {"wage_fen": wage.number, "index": index, "paid_months": paid_months}
        zh = "（计发基数 + 计发基数 × 平均缴费指数）÷ 2 × 缴费年限 × 1%"
        trace.record(zh, "(wage + wage * index) / 2 * years * 1%", inputs, amount, (wage,))
    return amount


@rule("pension.account_pension", since=START, law="国发〔2005〕38号 六")
def account_pension(
    balance_fen: int, age_years: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None, age_months: int = 0,
) -> int:  # fmt: skip
    """个人账户养老金: balance / months of the table by age at retirement, in fen a month.

    Ages outside the table take its nearest end. `age_months` beyond the full years count only where the parameter
    `pension/payout_by_month` says so: then the divisor lies between the two ages in proportion.
    """
    months: Value = parameters.at("pension/payout_months", on, known_on)
    by_month = parameters.at("pension/payout_by_month", on, known_on)
    first, last = min(months.table), max(months.table)
    age = min(max(age_years, first), last)
    beyond = age_months if by_month.number and first <= age_years < last else 0
    twelfths = 12 * months.table[age] - beyond * (months.table[age] - months.table[min(age + 1, last)])
    amount = half_up(balance_fen * 12, twelfths)
    if trace is not None:
        inputs: dict[str, int | str] = {
            "balance_fen": balance_fen, "age_years": age_years, "age_months": age_months,
            "payout_months": money.yuan(half_up(twelfths * 100, 12)).removesuffix(".00"),
        }  # fmt: skip
        zh, en = "个人账户储存额 ÷ 计发月数（查表，四舍五入到分）", "balance / payout months (table, half up)"
        trace.record(zh, en, inputs, amount, (months, by_month))
    return amount


@rule("pension.transitional_pension", since=START, law=LAW)
def transitional_pension(
    index: int, months_before_1998: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> int:  # fmt: skip
    """过渡性养老金 = 指数化月平均工资 × 1997 年底前的年限 × 系数, in fen a month."""
    wage = parameters.at("pension/base_wage_monthly_fen", on, known_on)
    ratio = parameters.at("pension/transition_ratio", on, known_on)
    amount = half_up(wage.number * index * months_before_1998 * ratio.number, INDEX_ONE * 12 * 10_000)
    if trace is not None:
        inputs: dict[str, int | str] = {
            "wage_fen": wage.number,
            "index": index,
            "months_before_1998": months_before_1998,
        }
        zh = "计发基数 × 平均缴费指数 × 1997 年底前的缴费年限 × 过渡系数"
        trace.record(zh, "wage * index * years before 1998 * ratio", inputs, amount, (wage, ratio))
    return amount


@rule("pension.monthly_pension", since=START, law=LAW)
def monthly_pension(
    index: int, paid_months: int, months_before_1998: int, balance_fen: int, age_years: int, on: date,
    known_on: date | None, parameters: Parameters, trace: Trace | None = None, age_months: int = 0,
) -> EmployeePension:  # fmt: skip
    """The three parts of a monthly pension. Whether the person may draw one is `retirement`'s to say.

    Does not cover: the old-formula guarantee of those who retired soon after 2006, enterprise annuities.
    """
    out = EmployeePension(
        basic_pension(index, paid_months, on, known_on, parameters, trace),
        account_pension(balance_fen, age_years, on, known_on, parameters, trace, age_months),
        transitional_pension(index, months_before_1998, on, known_on, parameters, trace),
    )
    if trace is not None:
        parts = {"basic_fen": out.basic_fen, "account_fen": out.account_fen, "transitional_fen": out.transitional_fen}
        zh, en = "基础养老金 + 个人账户养老金 + 过渡性养老金", "basic + account + transitional pension"
        trace.record(zh, en, parts, out.total_fen)
    return out


@rule("pension.lump_sum", since=START, law="浙江省职工基本养老保险条例 三十四")
def lump_sum(
    balance_fen: int, index: int, paid_months: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> int:  # fmt: skip
    """Too few years for a monthly pension: the account and one month's index wage per paid year; the relation ends."""
    wage = parameters.at("pension/base_wage_monthly_fen", on, known_on)
    amount = balance_fen + half_up(wage.number * index * paid_months, INDEX_ONE * 12)
    if trace is not None:
        inputs: dict[str, int | str] = {
            "balance_fen": balance_fen,
            "wage_fen": wage.number,
            "index": index,
            "paid_months": paid_months,
        }
        zh, en = "个人账户储存额 + 每满一年一个月指数化工资", "balance + one month's index wage per year"
        trace.record(zh, en, inputs, amount, (wage,))
    return amount


@rule("pension.account_interest", since=date(1998, 1, 1), law="社会保险法 十四、劳办发〔1997〕116号")
def account_interest(
    opening_fen: int, credited: Mapping[int, int], on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> int:  # fmt: skip
    """A year's interest by month products: opening * r + sum of credit * (13 - month) * r / 12. `on` is in that year.

    `credited` maps the month 1..12 to fen. Rounded once: half up, or up to the multiple the parameter names.
    """
    rate = parameters.at("pension/crediting_rate", on, known_on)
    up_to = parameters.at("pension/interest_up_to_fen", on, known_on)
    product = 12 * opening_fen + sum(amount * (13 - month) for month, amount in credited.items())
    amount = half_up(product * rate.number, 12 * 10_000)
    if up_to.number:
        amount = -(-product * rate.number // (12 * 10_000 * up_to.number)) * up_to.number
    if trace is not None:
        inputs: dict[str, int | str] = {
            "opening_fen": opening_fen,
            "credited_fen": sum(credited.values()),
            "month_product_fen": product,
        }
        zh = "年初储存额 × 记账利率 + 各月记账额 × 计息月数 × 记账利率 ÷ 12"
        trace.record(zh, "opening * rate + credits * months * rate / 12", inputs, amount, (rate, up_to))
    return amount
