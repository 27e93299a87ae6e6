# SPDX-License-Identifier: Apache-2.0
"""Maternity: days of leave and the allowance."""

from __future__ import annotations

from datetime import date

from schema.money import half_up
from schema.parameter import Parameters
from schema.rules.trace import Trace, rule


@rule("maternity.leave_days", since=date(2021, 11, 25), law="女职工劳动保护特别规定 七、浙江省人口与计划生育条例")
def leave_days(
    child: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None,
    babies: int = 1, difficult: bool = False,
) -> int:  # fmt: skip
    """产假: the country's days, more for a difficult birth and each further baby, and Zhejiang's extension.

    `child`: which child it is; beyond the third as the third. `on` is the day of birth.
    """
    base = parameters.at("maternity/leave_days", on, known_on)
    hard = parameters.at("maternity/difficult_days", on, known_on)
    extra = parameters.at("maternity/extra_baby_days", on, known_on)
    longer = parameters.at("maternity/extension_days", on, known_on)
    extension = longer.table[min(child, max(longer.table))]
    days = base.number + (hard.number if difficult else 0) + extra.number * (babies - 1) + extension
    if trace is not None:
        inputs = {"child": child, "babies": babies, "difficult": "yes" if difficult else "no", "extension": extension}
        zh = "国家产假 + 难产增加 + 多胞胎增加 + 省延长产假"
        values = (base, hard, extra, longer)
        trace.record(zh, "leave + difficult birth + further babies + extension", inputs, days, values)
    return days


@rule("maternity.allowance", since=date(2011, 7, 1), law="社会保险法 五十六")
def allowance(
    wage_fen: int, days: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> int:
    """生育津贴: the employer's average monthly wage of the year before / 30 * days, in fen."""
    month = parameters.at("maternity/month_days", on, known_on)
    amount = half_up(wage_fen * days, month.number)
    if trace is not None:
        inputs = {"wage_fen": wage_fen, "days": days}
        zh, en = "单位上年度职工月平均工资 ÷ 30 × 产假天数", "employer's average monthly wage / 30 * days"
        trace.record(zh, en, inputs, amount, (month,))
    return amount
