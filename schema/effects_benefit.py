# SPDX-License-Identifier: Apache-2.0
"""Effects on what is drawn: death, pause and resumption, employee pension, unemployment benefit, injury allowance."""

from __future__ import annotations

from datetime import date
from typing import Any

from schema import benefit_amounts, period
from schema.decided import Change, Decided, effect
from schema.ids import derived_id
from schema.view import EMPLOYEE_PENSION


@effect("died_on")
def person_died(d: Decided) -> list[Change]:
    """The register says so; every relation ends with the month of death, and what is drawn is drawn no more."""
    month = d.value("died_on")[:7]
    out = [Change("person", {**d.view.person, "life_status": "2", "died_on": d.value("died_on")})]
    for relation in d.view.enrolments:
        if relation["state"] != "ended":
            out.append(Change("enrolment", {**relation, "state": "ended", "ended_month": month}))
    for benefit in d.view.benefits:
        if benefit["state"] != "ended":
            out.append(Change("benefit", {**benefit, "state": "ended"}))
    return out


@effect("action", "kind", "from_month", "reason", "arrears")
def benefit_state(d: Decided) -> list[Change]:
    """Paused from a month, or resumed; without arrears the resumed benefit counts from the month of resumption."""
    resumes = d.value("action") == "resume"
    out = []
    for benefit in d.view.drawing(d.value("kind")):
        row = {**benefit, "state": "active" if resumes else "suspended"}
        if resumes and d.value("arrears") == "no":
            row["from_month"] = max(row["from_month"], d.value("from_month"))
        out.append(Change("benefit", row))
        known = next((t for t in d.view.rows_of("benefit_term") if t["id"] == benefit["id"]), {})
        pause = {"paused_from": None if resumes else d.value("from_month"), "reason": d.value("reason")}
        out.append(_term(d, benefit["id"], {"to_month": known.get("to_month"), **pause}))
    return out


@effect("retire_month", "paid_months", "deemed_months", "months_before_1998", "index", "balance")
def employee_benefit(d: Decided) -> list[Change]:
    """The monthly employee pension from the month after retirement; contributions end with it."""
    month = d.value("retire_month")
    amounts = benefit_amounts.employee_pension_of(d.case.values, d.view, _known_on(d), d.parameters)
    parts = (amounts.basic_fen, amounts.account_fen, amounts.transitional_fen)
    benefit = _benefit(d, EMPLOYEE_PENSION, period.add_months(month, 1), *parts)
    ended = {"state": "ended", "ended_month": month}
    return [benefit, *(Change("enrolment", {**r, **ended}) for r in d.view.enrolled(EMPLOYEE_PENSION))]


@effect("registered_on", "paid_months", "unused_months")
def unemployment_benefit(d: Decided) -> list[Change]:
    """The benefit from the month of registration, for as many months as were earned."""
    entitlement, monthly = benefit_amounts.unemployment_of(d.case.values, d.view, _known_on(d), d.parameters)
    if not entitlement.months:
        return []
    first = d.value("registered_on")[:7]
    benefit = _benefit(d, "unemployment", first, monthly)
    last = period.add_months(first, entitlement.months - 1)
    return [benefit, _term(d, benefit.row["id"], {"to_month": last, "paused_from": None, "reason": None})]


@effect("graded_on", "grade", "wage", "nursing_level", "claimed")
def injury_allowance(d: Decided) -> list[Change]:
    """What the injury fund pays each month from the month after the appraisal: allowance and nursing."""
    allowance, nursing = benefit_amounts.injury_monthly(d.case.values, d.view, _known_on(d), d.parameters)
    if not allowance + nursing:
        return []
    first = period.add_months(d.value("graded_on")[:7], 1)
    return [_benefit(d, "work_injury", first, allowance, 0, nursing)]


def _benefit(d: Decided, kind: str, first: str, basic: int, account: int = 0, extra: int = 0) -> Change:
    return Change("benefit", {
        "id": derived_id(d.case.id, "benefit"), "person_id": d.person_id, "kind": kind, "state": "active",
        "from_month": first, "basic_fen": basic, "account_fen": account, "extra_fen": extra, "paid_through": None,
        "case_id": d.case.id,
    })  # fmt: skip


def _term(d: Decided, benefit_id: bytes, columns: dict[str, Any]) -> Change:
    return Change("benefit_term", {"id": benefit_id, "person_id": d.person_id, **columns, "case_id": d.case.id})


def _known_on(d: Decided) -> date:
    return d.case.known_on or d.today
