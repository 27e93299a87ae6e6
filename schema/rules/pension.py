# SPDX-License-Identifier: Apache-2.0
"""The resident pension: subsidy, claim month and monthly benefit.

Amounts are whole fen. `on` is the day a rule is applied for, `known_on` the day of the calculation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schema import period
from schema.money import half_up
from schema.parameter import Parameters
from schema.rules.trace import Trace, rule

SCHEME = "resident_pension"
START = date(2009, 9, 1)
LAW_BENEFIT = "国发〔2009〕32号 六、国发〔2014〕8号 六"


@dataclass(frozen=True)
class Benefit:
    """A monthly benefit and its parts, in fen."""

    basic_fen: int
    account_fen: int
    extra_fen: int

    @property
    def total_fen(self) -> int:
        """What is paid each month."""
        return self.basic_fen + self.account_fen + self.extra_fen


@rule("resident_pension.monthly_benefit", since=START, law=LAW_BENEFIT)
def resident_monthly_benefit(
    balance_fen: int, age_years: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None, paid_months: int = 0,
) -> Benefit:  # fmt: skip
    """基础养老金 + 个人账户储存额 ÷ 计发月数 + 长缴加发, each part rounded half up to the fen.

    The divisor is the law's one number whatever the age at the claim; `age_years` is recorded, and an age below the
    claim age is refused with ValueError. Does not cover: collective pensions, transfers from other schemes.
    """
    claim_age = parameters.at(f"{SCHEME}/claim_age_years", on, known_on)
    if age_years < claim_age.number:
        raise ValueError(f"below the claim age of {claim_age.number}")
    basic = parameters.at(f"{SCHEME}/basic_monthly_fen", on, known_on)
    divisor = parameters.at(f"{SCHEME}/account_months", on, known_on)
    per_year = parameters.at(f"{SCHEME}/long_contribution_fen", on, known_on)
    needed = parameters.at(f"{SCHEME}/min_paid_years", on, known_on)
    years_beyond = max(0, paid_months // 12 - needed.number)
    out = Benefit(basic.number, half_up(balance_fen, divisor.number), years_beyond * per_year.number)
    if trace is not None:
        trace.record(
            "基础养老金 + 个人账户储存额 ÷ 计发月数（四舍五入到分）+ 超过最低年限的年数 × 每年加发额",
            "basic pension + account balance / payout months (half up) + years beyond the minimum * addition",
            {
                "balance_fen": balance_fen, "age_years": age_years, "paid_months": paid_months,
                "basic_fen": out.basic_fen, "account_fen": out.account_fen, "extra_fen": out.extra_fen,
            },
            out.total_fen, (basic, divisor, per_year, needed, claim_age),
        )  # fmt: skip
    return out


@rule("resident_pension.subsidy", since=START, law="国发〔2009〕32号 四、国发〔2014〕8号 四")
def resident_subsidy(
    grade_fen: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> int:
    """缴费补贴: what the government adds in a year to a contribution of that grade, in fen.

    A grade between two listed ones has the subsidy of the next lower; below the lowest there is none.
    """
    table = parameters.at(f"{SCHEME}/subsidy_fen", on, known_on)
    reached = [grade for grade in table.table if grade <= grade_fen]
    amount = table.table[max(reached)] if reached else 0
    if trace is not None:
        trace.record("按缴费档次查补贴表", "subsidy table by grade", {"grade_fen": grade_fen}, amount, (table,))
    return amount


@rule("resident_pension.claim_month", since=START, law="国发〔2009〕32号 七、国发〔2014〕8号 七")
def claim_month(
    birth_on: date, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> str:
    """The first month for which a resident pension can be drawn: that of reaching the claim age."""
    age = parameters.at(f"{SCHEME}/claim_age_years", on, known_on)
    month = period.month_reaching_age(birth_on, age.number)
    if trace is not None:
        trace.record("满领取年龄的月份", "month of reaching the claim age", {"birth_on": str(birth_on)}, month, (age,))
    return month
