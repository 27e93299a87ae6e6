# SPDX-License-Identifier: Apache-2.0
"""Effects about employers and those who work for them: the unit, employment, the declared base, insurance relations."""

from __future__ import annotations

from datetime import timedelta

from schema import period
from schema.decided import Change, Decided, effect
from schema.effects import account_if_none, begun
from schema.ids import derived_id
from schema.view import EMPLOYEE_PENSION

ACTIVE, SUSPENDED = "active", "suspended"
# fields of the item "unit change" -> columns of the unit
UNIT_CHANGES = {
    "new_name": "name", "new_legal_person": "legal_person", "new_address": "address",
    "new_contact_name": "contact_name", "new_phone": "phone", "new_bank": "bank", "new_account_no": "account_no",
    "new_industry": "industry", "new_injury_class": "injury_class",
}  # fmt: skip


@effect("uscc", "name", "type", "industry", "injury_class", "legal_person", "set_up_on")
def new_unit(d: Decided) -> list[Change]:
    """An employer enters the register, in the township of the station that took the case."""
    names = ("uscc", "name", "type", "industry", "injury_class", "legal_person", "contact_name", "phone", "address",
             "bank", "account_no")  # fmt: skip
    row = {
        "id": d.unit.unit_id or derived_id(d.case.id, "unit"), **{name: d.value(name) for name in names},
        "township": d.unit.unit.get("township") or d.case.township, "registered_on": d.view.as_of.isoformat(),
        "ended_on": None,
    }  # fmt: skip
    return [Change("unit", row)]


@effect(*UNIT_CHANGES, "end_on")
def unit_columns(d: Decided) -> list[Change]:
    """What changes of the unit, and its end where that was asked for."""
    changed = {column: d.value(name) for name, column in UNIT_CHANGES.items() if d.value(name)}
    if d.value("end_on"):
        changed["ended_on"] = d.value("end_on")
    return [Change("unit", {**d.unit.unit, **changed})] if changed else []


@effect("unit", "start_month", "hired_on", "wage")
def employment_begins(d: Decided) -> list[Change]:
    """Somebody works for the unit from that month, at that wage, which is the first declared base."""
    # Cover begins on the day after the roster arrived at the hub: the receive time is the legal one.
    covered = max(d.view.as_of + timedelta(days=1), period.first_day(d.value("start_month")[:7]))
    injury = (d.value("insurances") or []).count("work_injury") > 0
    row = {
        "id": derived_id(d.case.id, "employment"), "person_id": d.person_id, "unit_id": d.unit.unit_id,
        "wage_fen": d.value("wage"), "began_month": d.value("start_month"), "ended_month": None,
        "hired_on": d.value("hired_on"), "left_on": None, "leave_reason": None,
        "injury_from": covered.isoformat() if injury else None,
    }  # fmt: skip
    return [Change("employment", row), _base(d, d.value("wage"), d.value("start_month"), d.unit.unit_id)]


@effect("insurances", "start_month")
def employee_enrolments(d: Decided) -> list[Change]:
    """Each insurance of the employee: the relation goes on, else a new one begins; a pension has an account."""
    return [change for name in d.value("insurances") for change in _relation(d, name, d.value("start_month"))]


@effect("unit", "left_on", "stop_month", "leave_reason")
def employment_ends(d: Decided) -> list[Change]:
    """The work at this unit is over. Without another employer the employee's insurances rest from the month after."""
    at_unit = [e for e in d.view.employments if not e["ended_month"] and e["unit_id"] == d.unit.unit_id]
    elsewhere = [e for e in d.view.employments if not e["ended_month"] and e["unit_id"] != d.unit.unit_id]
    ended = {"ended_month": d.value("stop_month")} | {name: d.value(name) for name in ("left_on", "leave_reason")}
    out = [Change("employment", {**job, **ended}) for job in at_unit]
    if not elsewhere:
        running = [e for e in d.view.enrolments if e["insurance"] in EMPLOYEE_INSURANCES and e["state"] == ACTIVE]
        out += [Change("enrolment", {**e, "state": SUSPENDED}) for e in running]
    return out


@effect("unit", "new_base", "from_month")
def declared_base(d: Decided) -> list[Change]:
    """A new declared amount from that month; the months before keep theirs."""
    return [_base(d, d.value("new_base"), d.value("from_month"), d.unit.unit_id)]


@effect("insurances", "start_month", "base")
def flexible_enrolments(d: Decided) -> list[Change]:
    """Somebody insures themselves, without an employer, on an amount of their choice."""
    relations = [change for name in d.value("insurances") for change in _relation(d, name, d.value("start_month"))]
    return [*relations, _base(d, d.value("base"), d.value("start_month"), None)]


@effect("insurances", "action", "from_month", "base")
def flexible_relations(d: Decided) -> list[Change]:
    """The relations rest, or go on, from that month."""
    state = ACTIVE if d.value("action") == "resume" else SUSPENDED
    relations = [e for name in d.value("insurances") for e in d.view.enrolled(name)]
    out = [Change("enrolment", {**e, "state": state}) for e in relations if e["state"] != state]
    if state == ACTIVE and d.value("base"):
        out.append(_base(d, d.value("base"), d.value("from_month"), None))
    return out


EMPLOYEE_INSURANCES = ("employee_pension", "employee_medical", "unemployment", "work_injury", "maternity")


def _base(d: Decided, base_fen: int, from_month: str, unit_id: bytes | None) -> Change:
    row = {
        "id": derived_id(d.case.id, "contribution_base"), "person_id": d.person_id, "unit_id": unit_id,
        "base_fen": base_fen, "from_month": from_month, "case_id": d.case.id,
    }  # fmt: skip
    return Change("contribution_base", row)


def _relation(d: Decided, insurance: str, month: str) -> list[Change]:
    running = d.view.enrolled(insurance)
    if running:
        return [Change("enrolment", {**e, "state": ACTIVE}) for e in running if e["state"] != ACTIVE]
    out = [begun(d, insurance, month, f"enrolment {insurance}")]
    return [*out, *account_if_none(d, insurance)] if insurance == EMPLOYEE_PENSION else out
