# SPDX-License-Identifier: Apache-2.0
"""Estimates of the items about money: the amounts of `benefit_amounts` as lines for the form and the calculation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

from schema import benefit_amounts, period
from schema.benefit_amounts import Pay
from schema.errors import ParameterNotFound
from schema.estimate import ESTIMATORS, Estimate, EstimateLine
from schema.parameter import Parameters
from schema.rules.injury import EMPLOYER
from schema.rules.trace import Trace
from schema.view import PersonView

PAYS = {
    "funeral": ("丧葬补助金", "Funeral grant"),
    "survivor": ("抚恤金", "Survivor grant"),
    "inheritance": ("个人账户余额", "Balance of the account"),
    "injury_one_off": ("一次性伤残补助金", "One-off disability grant"),
    "injury_medical": ("工伤医疗补助金（基金）", "Medical grant (fund)"),
    "injury_employment": ("伤残就业补助金（单位付）", "Employment grant (employer pays)"),
    "injury_bills": ("医疗费用", "Medical bills"),
}
TOTAL = ("合计", "Total")
MONTHLY = ("每月合计", "Total per month")

Lines = Callable[[dict[str, Any], PersonView, date, Parameters, Trace], list[EstimateLine]]


def estimator(effect: str, *needs: str) -> Callable[[Lines], Lines]:
    """Register the estimate of the items with that effect: nothing while a needed value is missing or the law and its
    parameters do not reach the day."""

    def register(lines: Lines) -> Lines:
        @wraps(lines)
        def run(values: dict[str, Any], view: PersonView, today: date, parameters: Parameters) -> Estimate:
            if not view.known or any(values.get(name) is None for name in needs):
                return Estimate()
            trace = Trace()
            try:
                return Estimate(lines(values, view, today, parameters, trace), trace)
            except (ParameterNotFound, ValueError):
                return Estimate()

        ESTIMATORS[effect] = run
        return lines

    return register


@estimator("person_died", "died_on")
def _death_report(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    months, amount = benefit_amounts.overpaid(values["died_on"], view)
    last = values["died_on"][:7]
    out: list[EstimateLine] = [("待遇发到", "Benefits are paid through", last)]
    return (
        [*out, ("多发月数", "Months paid too long", str(months)), ("应退回", "To come back", amount)] if months else out
    )


@estimator("death_orders", "died_on", "scheme")
def _death_grant(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    return _pays(benefit_amounts.death_payments(values, view, today, parameters, trace))


@estimator("employee_benefit", "retire_month", "paid_months", "index", "balance")
def _retirement(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    amounts = benefit_amounts.employee_pension_of(values, view, today, parameters, trace)
    out: list[EstimateLine] = [
        ("基础养老金", "Basic pension", amounts.basic_fen),
        ("个人账户养老金", "From the individual account", amounts.account_fen),
    ]
    if amounts.transitional_fen:
        out.append(("过渡性养老金", "Transitional pension", amounts.transitional_fen))
    return [*out, (*MONTHLY, amounts.total_fen)]


@estimator("unemployment_benefit", "registered_on", "paid_months")
def _unemployment(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    entitlement, monthly = benefit_amounts.unemployment_of(values, view, today, parameters, trace)
    first = values["registered_on"][:7]
    last = period.add_months(first, max(0, entitlement.months - 1))
    return [
        ("可领月数", "Months of benefit", str(entitlement.months)),
        ("领取期间", "From and to", f"{first} – {last}" if entitlement.months else "--"),
        ("每月", "Per month", monthly),
        (*TOTAL, monthly * entitlement.months),
    ]


@estimator("maternity_order", "child_born_on", "child", "babies", "employer_wage")
def _maternity(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    days, amount = benefit_amounts.maternity_of(values, view, today, parameters, trace)
    return [("产假天数", "Days of leave", str(days)), ("生育津贴", "Maternity allowance", amount)]


@estimator("medical_order", "total", "hospital_level", "admission", "discharged_on")
def _medical(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    found = benefit_amounts.medical_of(values, view, today, parameters, trace)
    parts = (
        ("起付标准", "Deductible", found.deductible_fen),
        ("统筹基金支付", "Pooled fund", found.pooled_fen),
        ("大病保险", "Serious-illness cover", found.serious_fen),
        ("医疗救助", "Medical assistance", found.assistance_fen),
    )
    shown: list[EstimateLine] = [part for part in parts if part[2]]
    return [*shown, ("报销合计", "Paid back", found.paid_fen), ("个人负担", "Left to the person", found.own_fen)]


@estimator("injury_orders", "graded_on", "grade", "wage", "claimed")
def _injury(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    out = _pays(benefit_amounts.injury_payments(values, view, today, parameters, trace))
    allowance, nursing = benefit_amounts.injury_monthly(values, view, today, parameters, trace)
    if allowance:
        out.append(("伤残津贴（每月）", "Allowance per month", allowance))
    if nursing:
        out.append(("生活护理费（每月）", "Nursing per month", nursing))
    return out


@estimator("grade_or_back_pay", "kind", "grade")
def _grade(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    if values["kind"] == "change":
        subsidy = benefit_amounts.subsidy_of(values["grade"], str(today.year), today, parameters, trace)
        return [("每年缴费", "Per year", values["grade"]), ("政府补贴", "Government subsidy", subsidy)]
    if not values["from_year"] or not values["to_year"] or values["to_year"] > f"{today.year}":
        return []
    dues = benefit_amounts.grades_due(values)
    return [
        ("补缴年数", "Years paid later", str(len(dues))),
        ("应缴", "Due", sum(due.due_fen for due in dues)),
    ]


@estimator("months_order", "insurance", "payer", "base", "from_month", "to_month")
def _months(
    values: dict[str, Any], view: PersonView, today: date, parameters: Parameters, trace: Trace
) -> list[EstimateLine]:
    if not values["from_month"] <= values["to_month"] < f"{today.year + 50}":
        return []
    due = benefit_amounts.months_due(values, view, today, parameters, trace)
    count = period.months_between(due.from_month, due.to_month) + 1
    return [
        ("月数", "Months", str(count)),
        ("缴费基数（末月）", "Base of the last month", due.base_fen),
        ("应缴", "Due", due.due_fen),
    ]


def _pays(pays: list[Pay]) -> list[EstimateLine]:
    lines: list[EstimateLine] = [(*PAYS[pay.kind], pay.amount_fen) for pay in pays]
    fund = sum(pay.amount_fen for pay in pays if pay.payer != EMPLOYER)
    if any(pay.payer == EMPLOYER for pay in pays):
        return [*lines, ("基金支付合计", "Paid by the fund in all", fund)]
    return [*lines, (*TOTAL, fund)] if len(pays) > 1 else lines
