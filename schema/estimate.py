# SPDX-License-Identifier: Apache-2.0
"""A trial calculation beside the form: the hub's rules on what is known here. Pages mark it as an estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schema import discovery, effects, period
from schema.parameter import Parameters
from schema.rules import pension
from schema.rules.trace import Trace
from schema.service_parts import Service
from schema.view import PersonView

EstimateLine = tuple[str, str, int | str]


@dataclass(frozen=True)
class Estimate:
    """`lines`: (zh, en, fen as int or text as str); `trace`: how the amounts were computed. Both may be empty."""

    lines: list[EstimateLine] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)


Estimator = Callable[[dict[str, Any], PersonView, date, Parameters], Estimate]


def estimate(
    service: Service, values: dict[str, Any], view: PersonView, today: date, parameters: Parameters
) -> Estimate:
    """What these answers would come to. Empty when the item computes nothing or a value it needs is missing."""
    estimator = next((ESTIMATORS[name] for name in service.effects if name in ESTIMATORS), None)
    return estimator(values, view, today, parameters) if estimator else Estimate()


def _enrolment(values: dict[str, Any], view: PersonView, today: date, parameters: Parameters) -> Estimate:
    grade, start = values.get("grade"), values.get("start_month")
    if grade is None or not start:
        return Estimate()
    trace = Trace()
    subsidy = pension.resident_subsidy(grade, period.first_day(start), today, parameters, trace)
    lines: list[EstimateLine] = [
        ("本年应缴", "Due this year", grade),
        ("政府补贴", "Government subsidy", subsidy),
    ]
    birth = view.birth_on or _birth(values)
    if birth is not None:
        claim = pension.claim_month(birth, period.first_day(start), today, parameters, trace)
        years = max(0, period.months_between(start, claim) // 12)
        age = parameters.at("resident_pension/claim_age_years", period.first_day(start), today).number
        lines.append((f"到 {age} 岁还可缴（年）", f"Years until {age}", str(years)))
    return Estimate(lines, trace)


def _claim(values: dict[str, Any], view: PersonView, today: date, parameters: Parameters) -> Estimate:
    month = values.get("from_month")
    if not month or view.birth_on is None:
        return Estimate()
    trace = Trace()
    try:
        amounts = effects.benefit_of(month, view, today, parameters, trace)
    except ValueError:
        return Estimate()
    lines: list[EstimateLine] = [
        ("基础养老金", "Basic pension", amounts.basic_fen),
        ("个人账户养老金", "From the individual account", amounts.account_fen),
    ]
    if amounts.extra_fen:
        lines.append(("长缴加发", "Long-contribution addition", amounts.extra_fen))
    lines.append(("每月合计", "Total per month", amounts.total_fen))
    return Estimate(lines, trace)


def _birth(values: dict[str, Any]) -> date | None:
    text = values.get("birth_on")
    return date.fromisoformat(text) if text else None


# By the effect that the item has: an item that opens a benefit is estimated as a benefit.
ESTIMATORS: dict[str, Estimator] = {"resident_enrolment": _enrolment, "resident_benefit": _claim}

discovery.load_beside(__file__, "estimate_")
