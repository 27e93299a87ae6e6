# SPDX-License-Identifier: Apache-2.0
"""What was due of a person for a month, payer by payer: the base within its limits, each part with its rate and
rounding, and the late fees on what was paid late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from hub import pack
from hub.settlement.county import listing, naming
from hub.settlement.county.columns import AMOUNTS, FLEXIBLE, Who
from hub.settlement.county.late_fees import due_on
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.parameters import DUE_DAY, PPM_OF_POINT
from hub.settlement.county.reckoning import Line, Part
from hub.settlement.inputs import month_named
from schema import money
from schema.parameter import Parameters
from schema.rules import contributions
from schema.rules.contributions import Shares
from schema.rules.trace import Trace

# insurance -> (the employer's amount, the person's), as the columns call them
_OF = {
    "employee_pension": ("pension_employer", "pension_employee"),
    "employee_medical": ("medical_employer", "medical_employee"),
    "unemployment": ("unemployment_employer", "unemployment_employee"),
    "work_injury": ("work_injury", ""),
    "maternity": ("maternity", ""),
}
_RATE = {name: f"contribution/{name}_rate" for name in AMOUNTS if name != "work_injury"}
_FLEXIBLE = {
    "pension_employee": "contribution/pension_flexible_rate", "medical_employee": "contribution/medical_flexible_rate",
}  # fmt: skip
_BILL = ("month", "billed", "paid", "late_fee")
_DIFFERS = {
    "zh": "按规则重算的结果与月结文件不一致。请把这一页交给结算岗查明。",
    "en": "By the rules it comes to something else than the month file says. Have settlement look into it.",
}


@dataclass(frozen=True)
class _On:
    """For which day, as known on which."""

    day: date
    known_on: date
    parameters: Parameters


def parts(db: Any, file: MonthFile, who: Who, number: int, known_on: date) -> list[Part]:
    """A part for each payer of the person, and one for each payer that paid late."""
    month = file.about()["month"]
    on = _On(date(month // 12, month % 12 + 1, 1), known_on, pack.parameters())
    people, assessed = file.rows_of("contributors", number), file.rows_of("assessed", number)
    units = file.table("units")
    out = []
    for n, unit in enumerate(people.unit.tolist()):
        words = listing.payers(db, [who.units[unit]]).get(who.units[unit], {})
        person = {name: int(values[n]) for name, values in people.columns()}
        due = {name: int(values[assessed.unit == unit][0]) for name, values in assessed.columns()}
        payer = {name: int(values[unit]) for name, values in units.columns()}
        out.append(_part(words, person, due, payer, on))
        out += _late(file, words, unit, payer["received_on"], on)
    return out


def _part(words: dict[str, Any], person: dict[str, int], due: dict[str, int], payer: dict[str, int], on: _On) -> Part:
    flexible = person["kind"] == FLEXIBLE
    zh, en = ("本人缴费", "paid by yourself") if flexible else (words.get("name", ""),) * 2
    title = {"zh": f"应缴：{zh}", "en": f"Due: {en}"}
    total = sum(due[amount] for amount in AMOUNTS)
    sum_line = Line({"zh": "合计应缴", "en": "due altogether"}, {"zh": "", "en": ""}, total)
    if not payer["declared"]:
        lines, rules = _estimated(person, due, on)
        return Part(title, [*lines, sum_line], rules)
    trace = Trace()
    base = contributions.base(person["wage"], on.day, on.known_on, on.parameters, trace)
    computed: dict[str, int] = {}
    for insurance, (employers, own) in _OF.items():
        if due[employers] or (own and due[own]):
            shares = _shares(insurance, base, payer["injury_rate"], flexible, on, trace)
            computed |= {employers: shares.employer_fen} | ({own: shares.employee_fen} if own else {})
    lines = [_base_line(person["wage"], base, on)]
    lines += [_amount_line(amount, base, due[amount], payer, flexible, on) for amount in AMOUNTS if due[amount]]
    agrees = base == due["base"] and all(computed.get(amount, 0) == due[amount] for amount in AMOUNTS)
    return Part(title, [*lines, sum_line], [line.as_dict() for line in trace.lines], None if agrees else _DIFFERS)


def _shares(insurance: str, base: int, injury_ppm: int, flexible: bool, on: _On, trace: Trace) -> Shares:
    if flexible:
        return contributions.flexible(insurance, base, on.day, on.known_on, on.parameters, trace)
    rates = on.parameters.at("contribution/injury_rate", on.day, on.known_on).table
    injury_class = next((n for n, rate in rates.items() if rate * PPM_OF_POINT == injury_ppm), 1)
    return contributions.monthly(insurance, base, on.day, on.known_on, on.parameters, trace, injury_class=injury_class)


def _base_line(wage: int, base: int, on: _On) -> Line:
    floor, cap = (
        on.parameters.at(f"contribution/base_{end}_fen", on.day, on.known_on).number for end in ("floor", "cap")
    )
    said, low, high = money.yuan(wage), money.yuan(floor), money.yuan(cap)
    if wage < floor:
        how = {"zh": f"申报 {said}，低于下限，按下限 {low}", "en": f"{said} declared, below the floor: {low}"}
    elif wage > cap:
        how = {"zh": f"申报 {said}，高于上限，按上限 {high}", "en": f"{said} declared, above the cap: {high}"}
    else:
        how = {
            "zh": f"申报 {said}，在下限 {low} 和上限 {high} 之间",
            "en": f"{said} declared, between floor {low} and cap {high}",
        }
    return Line({"zh": "缴费基数", "en": "contribution base"}, how, base)


def _amount_line(amount: str, base: int, fen: int, payer: dict[str, int], flexible: bool, on: _On) -> Line:
    if amount == "work_injury":
        ppm = payer["injury_rate"]
    else:
        name = _FLEXIBLE[amount] if flexible else _RATE[amount]
        ppm = on.parameters.at(name, on.day, on.known_on).number * PPM_OF_POINT
    sum_ = f"{money.yuan(base)} × {naming.percent(ppm)}"
    exact = base * ppm % 1_000_000 == 0
    zh, en = ("", "") if exact else ("，四舍五入到分", ", to the nearest fen")
    words = naming.AMOUNT[amount]
    if flexible:  # there is no other share
        words = {"zh": words["zh"].replace("，个人", ""), "en": words["en"].replace(", own share", "")}
    return Line(words, {"zh": sum_ + zh, "en": sum_ + en}, fen)


def _estimated(person: dict[str, int], due: dict[str, int], on: _On) -> tuple[list[Line], list[dict[str, Any]]]:
    """Nothing was declared: each amount of last month and a tenth."""
    trace, lines = Trace(), []
    percent = on.parameters.at("contribution/undeclared_percent", on.day, on.known_on).number
    for amount in AMOUNTS:
        if due[amount]:
            last = person[f"last_{amount}"]
            contributions.undeclared(last, on.day, on.known_on, on.parameters, None if trace.lines else trace)
            sum_ = f"{money.yuan(last)} × {percent}%"
            how = {"zh": f"单位没有申报，按上月 {sum_}", "en": f"nothing was declared: last month's {sum_}"}
            lines.append(Line(naming.AMOUNT[amount], how, due[amount]))
    return lines, [line.as_dict() for line in trace.lines]


def _late(file: MonthFile, words: dict[str, Any], unit: int, received_on: int, on: _On) -> list[Part]:
    """Late fees of the payer's bills that were paid late."""
    bills = file.rows_of("bills", unit, "unit")
    late = bills.take(bills.late_fee > 0)
    if not len(late):
        return []
    trace, lines, arrived = Trace(), [], date.fromordinal(received_on)
    for month, billed, paid, fee in zip(*(getattr(late, name).tolist() for name in _BILL), strict=True):
        since = date.fromordinal(due_on(billed, DUE_DAY))
        contributions.late_fee(paid, since, arrived, on.known_on, on.parameters, trace)
        days, named, sum_ = (arrived - since).days, month_named(month), money.yuan(paid)
        lines.append(Line(
            {"zh": f"{named} 补缴 {sum_}", "en": f"{named}: {sum_} paid late"},
            {"zh": f"{since} 起欠，{arrived} 到账，{days} 天", "en": f"owed {since}, arrived {arrived}: {days} days"},
            fee,
        ))  # fmt: skip
    title = {"zh": "滞纳金", "en": "Late fee"}
    if not words.get("own"):
        name = words.get("name", "")
        title = {
            "zh": f"滞纳金：{name}整个单位的，由单位承担",
            "en": f"Late fee of all of {name}, borne by the employer",
        }
    return [Part(title, lines, [line.as_dict() for line in trace.lines])]
