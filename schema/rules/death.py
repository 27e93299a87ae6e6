# SPDX-License-Identifier: Apache-2.0
"""What the pension fund pays once when an insured person dies outside work: funeral and survivor grant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schema.parameter import Parameters
from schema.rules.trace import Trace, rule

START = date(2021, 9, 1)
LAW = "社会保险法 十七、人社部发〔2021〕18号"


@dataclass(frozen=True)
class DeathBenefit:
    """Both one-off amounts in fen. Only one funeral grant is due among pension, injury and unemployment."""

    funeral_fen: int
    survivor_fen: int
    survivor_months: int

    @property
    def total_fen(self) -> int:
        """What the heirs receive."""
        return self.funeral_fen + self.survivor_fen


@rule("death.employee_grants", since=START, law=LAW)
def employee_grants(
    paid_months: int, drawn_months: int | None, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> DeathBenefit:  # fmt: skip
    """丧葬补助金 and 抚恤金 of the employee pension. `drawn_months`: pension months drawn, None when not retired.

    The survivor grant is months of urban income by full paid years (deemed ones included); a pensioner's is one month
    less for each full year of pension, with a least number of months.
    """
    income = parameters.at("wage/urban_income_monthly_fen", on, known_on)
    funeral = parameters.at("death/funeral_months", on, known_on)
    table = parameters.at("death/survivor_months", on, known_on)
    least = parameters.at("death/survivor_least_months", on, known_on)
    months = table.table[max(years for years in table.table if years <= paid_months // 12)]
    if drawn_months is not None:
        months = max(least.number, months - drawn_months // 12)
    out = DeathBenefit(funeral.number * income.number, months * income.number, months)
    if trace is not None:
        drawn = "--" if drawn_months is None else drawn_months
        inputs = {"paid_months": paid_months, "drawn_months": drawn, "survivor_months": months}
        zh = "上年全省城镇居民月人均可支配收入 × （丧葬月数 + 抚恤月数）"
        values = (income, funeral, table, least)
        trace.record(zh, "urban income * (funeral months + survivor months)", inputs, out.total_fen, values)
    return out


@rule("death.resident_funeral", since=date(2014, 7, 1), law="国发〔2014〕8号 六")
def resident_funeral(on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None) -> int:
    """The resident pension's funeral grant, where the county has one, in fen."""
    grant = parameters.at("death/resident_funeral_fen", on, known_on)
    if trace is not None:
        trace.record("县丧葬补助标准", "the county's funeral grant", {}, grant.number, (grant,))
    return grant.number
