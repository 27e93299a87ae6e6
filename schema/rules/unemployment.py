# SPDX-License-Identifier: Apache-2.0
"""Unemployment benefit: for how many months and how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schema.money import half_up
from schema.parameter import Parameters
from schema.rules.trace import Trace, rule

START = date(2004, 1, 1)


@dataclass(frozen=True)
class Entitlement:
    """Months of benefit, of which `carried` were left from an earlier spell. 0 where too little was paid."""

    months: int
    carried: int


@rule("unemployment.months", since=START, law="社会保险法 四十五、四十六、失业保险条例 十七")
def benefit_months(
    paid_months: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None,
    unused_months: int = 0,
) -> Entitlement:  # fmt: skip
    """Two months for the first paid year, one more for each further eight; at most 12, 18 or 24 by full paid years.

    `paid_months` count since the last benefit; months not drawn then carry over, 24 together at most.
    """
    names = ("min_paid_months", "first_months", "step_months", "step_rest_months", "cap_months")
    values = tuple(parameters.at(f"unemployment/{name}", on, known_on) for name in names)
    least, first, step, rest, caps = values
    own = 0
    if paid_months >= least.number:
        steps, left = divmod(paid_months - least.number, step.number)
        cap = caps.table[max(years for years in caps.table if years <= max(1, paid_months // 12))]
        own = min(cap, first.number + steps + (left > rest.number))
    months = min(own + unused_months, max(caps.table.values()))
    if trace is not None:
        inputs = {"paid_months": paid_months, "own_months": own, "unused_months": unused_months}
        zh = "满一年的月数 + 以后每满若干个月加一个月，不超过分段上限，加上次没领完的"
        trace.record(zh, "first year + one per step, capped by years, plus what was left", inputs, months, values)
    return Entitlement(months, months - own)


@rule("unemployment.monthly", since=START, law="社会保险法 四十七、失业保险条例 十八")
def monthly_benefit(on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None) -> int:
    """失业保险金: a share of the minimum wage, in fen a month."""
    wage = parameters.at("wage/minimum_monthly_fen", on, known_on)
    share = parameters.at("unemployment/benefit_share", on, known_on)
    amount = half_up(wage.number * share.number, 10_000)
    if trace is not None:
        inputs = {"minimum_wage_fen": wage.number}
        trace.record("最低月工资 × 比例", "minimum wage * share", inputs, amount, (wage, share))
    return amount
