# SPDX-License-Identifier: Apache-2.0
"""Work injury: what a grade 1 to 10 gives at once and by month, what leaving gives, and what a death gives.

Own wage is the monthly average of the contribution wage over the twelve months before the injury, in fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from schema.money import half_up
from schema.parameter import Parameters
from schema.rules.trace import Trace, rule

START = date(2004, 1, 1)
LAW = "工伤保险条例 三十五至三十七"
FUND, EMPLOYER = "fund", "employer"
Dependant = tuple[str, bool]
"""spouse or other; whether a lone elder or an orphan."""


@dataclass(frozen=True)
class LeavingGrants:
    """On leaving the employer with grade 5 to 10: from the fund and from the employer, in fen."""

    medical_fen: int
    employment_fen: int


@dataclass(frozen=True)
class DeathGrants:
    """On a death at work: funeral and one-off grant, in fen."""

    funeral_fen: int
    one_off_fen: int


@rule("injury.own_wage", since=START, law="工伤保险条例 六十四")
def own_wage(
    average_fen: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> int:
    """本人工资: the average within 60 % and 300 % of the local average wage."""
    local = parameters.at("wage/local_average_monthly_fen", on, known_on)
    least = parameters.at("injury/wage_floor_percent", on, known_on)
    most = parameters.at("injury/wage_cap_percent", on, known_on)
    floor, cap = (half_up(local.number * share.number, 100) for share in (least, most))
    amount = min(max(average_fen, floor), cap)
    if trace is not None:
        inputs = {"average_fen": average_fen, "floor_fen": floor, "cap_fen": cap}
        zh, en = "受伤前 12 个月平均缴费工资，限在当地平均工资的下限和上限之间", "average wage within floor and cap"
        trace.record(zh, en, inputs, amount, (local, least, most))
    return amount


@rule("injury.one_off", since=START, law=LAW)
def one_off_grant(
    grade: int, wage_fen: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> int:
    """一次性伤残补助金: months by grade times own wage, from the fund. Raises KeyError for a grade outside 1..10."""
    months = parameters.at("injury/one_off_months", on, known_on)
    amount = months.table[grade] * wage_fen
    if trace is not None:
        inputs = {"grade": grade, "months": months.table[grade], "wage_fen": wage_fen}
        trace.record("本人工资 × 等级月数", "own wage * months of the grade", inputs, amount, (months,))
    return amount


@rule("injury.monthly_allowance", since=START, law=LAW)
def monthly_allowance(
    grade: int, wage_fen: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> int:
    """伤残津贴 a month, not below the minimum wage; 0 for grades 7 to 10. Grades 1 to 4 the fund pays, 5 and 6 the
    employer who has no suitable work."""
    shares = parameters.at("injury/allowance_share", on, known_on)
    least = parameters.at("wage/minimum_monthly_fen", on, known_on)
    share = shares.table.get(grade, 0)
    amount = max(half_up(wage_fen * share, 10_000), least.number) if share else 0
    if trace is not None:
        inputs = {"grade": grade, "share": share, "wage_fen": wage_fen}
        zh, en = "本人工资 × 等级比例，不低于最低工资", "own wage * share of the grade, not below the minimum wage"
        trace.record(zh, en, inputs, amount, (shares, least))
    return amount


def allowance_payer(grade: int) -> str:
    """Who pays the monthly allowance of a grade: fund, employer, or '' where there is none."""
    if grade <= 4:
        return FUND
    return EMPLOYER if grade <= 6 else ""


@rule("injury.nursing", since=START, law="工伤保险条例 三十四")
def nursing(level: int, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None) -> int:
    """生活护理费 a month: 1 fully, 2 mostly, 3 partly dependent on care; 0 none."""
    local = parameters.at("wage/local_average_monthly_fen", on, known_on)
    shares = parameters.at("injury/nursing_share", on, known_on)
    amount = half_up(local.number * shares.table.get(level, 0), 10_000)
    if trace is not None:
        inputs = {"level": level, "average_fen": local.number}
        trace.record("当地平均工资 × 护理比例", "local average wage * share", inputs, amount, (local, shares))
    return amount


@rule("injury.leaving", since=date(2018, 1, 1), law="浙江省工伤保险条例 二十七")
def leaving_grants(
    grade: int, months_to_retirement: int, on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> LeavingGrants:  # fmt: skip
    """一次性工伤医疗补助金 and 伤残就业补助金: months by grade of the provincial average wage, each.

    With less than five years to retirement the employment grant loses 20 % for each year begun that is missing.
    Grades 1 to 4 keep their post and have neither.
    """
    wage = parameters.at("wage/provincial_average_monthly_fen", on, known_on)
    months = parameters.at("injury/leaving_months", on, known_on)
    cut = parameters.at("injury/leaving_cut", on, known_on)
    full = months.table.get(grade, 0) * wage.number
    missing = -(-max(0, 60 - max(0, months_to_retirement)) // 12)
    out = LeavingGrants(full, half_up(full * max(0, 10_000 - cut.number * missing), 10_000))
    if trace is not None:
        inputs = {
            "grade": grade, "wage_fen": wage.number, "months": months.table.get(grade, 0), "missing_years": missing,
            "medical_fen": out.medical_fen, "employment_fen": out.employment_fen,
        }  # fmt: skip
        zh = "上年全省月平均工资 × 等级月数；就业补助金按距退休不足五年的年数递减"
        total = out.medical_fen + out.employment_fen
        trace.record(zh, "average wage * months; the employment grant is cut", inputs, total, (wage, months, cut))
    return out


@rule("injury.death", since=date(2011, 1, 1), law="工伤保险条例 三十九")
def death_grants(on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None) -> DeathGrants:
    """丧葬补助金 and 一次性工亡补助金 of a death at work."""
    wage = parameters.at("wage/local_average_monthly_fen", on, known_on)
    months = parameters.at("injury/funeral_months", on, known_on)
    income = parameters.at("wage/national_urban_income_yearly_fen", on, known_on)
    years = parameters.at("injury/death_years", on, known_on)
    out = DeathGrants(wage.number * months.number, income.number * years.number)
    if trace is not None:
        inputs = {"funeral_fen": out.funeral_fen, "one_off_fen": out.one_off_fen}
        zh = "当地平均工资 × 丧葬月数；全国城镇居民人均可支配收入 × 倍数"
        total = out.funeral_fen + out.one_off_fen
        trace.record(zh, "local wage * months; national income * years", inputs, total, (wage, months, income, years))
    return out


@rule("injury.dependants", since=START, law="工伤保险条例 三十九")
def dependants_allowance(
    wage_fen: int, dependants: Sequence[Dependant], on: date, known_on: date | None, parameters: Parameters,
    trace: Trace | None = None,
) -> tuple[int, ...]:  # fmt: skip
    """供养亲属抚恤金 of each dependant a month, in fen. Together at most the wage: then each is cut alike, and what is
    lost by rounding stays with the first."""
    names = ("spouse_share", "dependant_share", "alone_share")
    values = tuple(parameters.at(f"injury/{name}", on, known_on) for name in names)
    spouse, other, alone = (v.number for v in values)
    shares = [(spouse if who == "spouse" else other) + (alone if lone else 0) for who, lone in dependants]
    together = sum(shares)
    if together > 10_000:
        amounts = [wage_fen * share // together for share in shares]
        amounts[0] += wage_fen - sum(amounts)
    else:
        amounts = [half_up(wage_fen * share, 10_000) for share in shares]
    if trace is not None:
        inputs = {"wage_fen": wage_fen, "dependants": len(shares), "shares": together}
        zh, en = "本人工资 × 各人比例，合计不超过本人工资", "own wage * share of each, together at most the wage"
        trace.record(zh, en, inputs, sum(amounts), values)
    return tuple(amounts)
