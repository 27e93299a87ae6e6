# SPDX-License-Identifier: Apache-2.0
"""Effects: a decided case -> the rows that change. Pure: nothing is read or written here.

Ids of new rows come from the case, so that applying a case twice gives what applying it once gives. Registry cells
(phone, address) are the station's to write at the counter; the hub only fills cells that are still empty, because the
prefilled phone of a form taken days ago must not undo what another station wrote since.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from schema import discovery, names, period, resident_id, tables
from schema.decided import EFFECTS, CaseInput, Change, Decided, Effect, effect
from schema.ids import derived_id
from schema.parameter import Parameters
from schema.rules import pension
from schema.rules.trace import Trace
from schema.service_parts import Service
from schema.view import RESIDENT_PENSION, PersonView

__all__ = ["EFFECTS", "CaseInput", "Change", "Decided", "Effect", "at_counter", "changes", "effect"]

CONTACT_FIELDS = ("phone", "address", "address_village", "education")


def changes(service: Service, case: CaseInput, view: PersonView, today: date, parameters: Parameters) -> list[Change]:
    """The rows that change once the case is in effect, in the order in which they must be written.

    All are the hub's to write, but of a case decided on the spot the registry cells: its station has written them
    when it took the case (`at_counter`), and they travel by themselves.
    """
    found = _of_effects(service, case, view, today, parameters)
    if service.mode_for(case.values) != "S":
        return found
    kind = "reference" if view.at_hub else "registry"
    mine = [change for change in found if tables.TABLES[change.table].kind == kind]
    return mine if view.at_hub else [*_contact(service, case, view), *mine]


def at_counter(
    service: Service, case: CaseInput, view: PersonView, today: date, parameters: Parameters
) -> list[Change]:
    """Registry cells that a station writes when it takes a case: the contact cells that differ from the register in
    any mode, and what an item decided on the spot writes besides.

    Only fields of the item that `case.values` names are looked at; an emptied field clears its cell.
    """
    if service.mode_for(case.values) == "S":
        return changes(service, case, view, today, parameters)
    return _contact(service, case, view)


def _of_effects(
    service: Service, case: CaseInput, view: PersonView, today: date, parameters: Parameters
) -> list[Change]:
    decided = Decided(case, view, today, parameters)
    return [change for name in service.effects for change in EFFECTS[name].function(decided)]


def _contact(service: Service, case: CaseInput, view: PersonView) -> list[Change]:
    if not view.known:
        return []
    cells = {
        name: case.values[name] or None
        for name in CONTACT_FIELDS
        if name in case.values
        and service.field(name) is not None
        and (case.values[name] or None) != (view.contact.get(name) or None)
    }
    return [Change("contact", {"id": view.person_id, **cells})] if cells else []


@effect("name", "id_number", "village", "ethnic")
def new_person(d: Decided) -> list[Change]:
    """The person core and a household of their own, for somebody who is not in the register."""
    if d.view.known:
        return []
    read, _ = resident_id.read(d.value("id_number") or "", d.today)
    assert read is not None, "an examined case has a right ID number"
    full, initials = names.pinyin(d.value("name"))
    household = derived_id(d.case.id, "household")
    person = {
        "id": d.person_id, "id_number": read.number, "id_number_15": read.number_15, "name": d.value("name"),
        "initials": initials, "pinyin": full, "sex": read.sex, "birth_on": read.birth_on.isoformat(),
        "ethnic": d.value("ethnic"), "village": d.value("village"), "household_id": household, "life_status": "1",
        "died_on": None, "work_began_on": None,
    }  # fmt: skip
    return [
        Change("household", {"id": household, "head_name": d.value("name"), "village": d.value("village")}),
        Change("person", person),
    ]


@effect()
def contact_where_empty(d: Decided) -> list[Change]:
    """Contact cells that nobody has filled yet."""
    cells = {n: d.value(n) for n in CONTACT_FIELDS if d.value(n) and not d.view.contact.get(n)}
    return [Change("contact", {"id": d.person_id, **cells})] if cells else []


@effect("start_month", "grade", "hardship")
def resident_enrolment(d: Decided) -> list[Change]:
    """The relation to the resident pension, and an empty account where there is none."""
    chosen = {"grade_fen": d.value("grade"), "hardship": d.value("hardship")}
    enrolment = begun(d, RESIDENT_PENSION, d.value("start_month"), "enrolment", **chosen)
    return [enrolment, *account_if_none(d, RESIDENT_PENSION)]


def begun(d: Decided, insurance: str, month: str, name: str, **chosen: Any) -> Change:
    """A relation that begins with this case. `name`: what its id is derived from, beside the case."""
    return Change("enrolment", {
        "id": derived_id(d.case.id, name), "person_id": d.person_id, "insurance": insurance, "state": "active",
        "began_month": month, "ended_month": None, "grade_fen": 0, "hardship": None, "case_id": d.case.id, **chosen,
    })  # fmt: skip


def account_if_none(d: Decided, insurance: str) -> list[Change]:
    """An empty account of that insurance for whoever has none."""
    if d.view.account_of(insurance):
        return []
    return [Change("account", {
        "person_id": d.person_id, "insurance": insurance, "balance_fen": 0, "paid_months": 0,
        "as_of_month": period.add_months(period.month_of(d.today), -1),
    })]  # fmt: skip


@effect("bank", "account_no", "holder")
def bank_account_if_none(d: Decided) -> list[Change]:
    """The account of an enrolment; an account already known is changed only by an item that is about it."""
    return [] if d.view.bank_account else bank_account(d)


@effect("bank", "account_no", "holder")
def bank_account(d: Decided) -> list[Change]:
    """Where the benefit is paid from now on."""
    row = {name: d.value(name) for name in ("bank", "account_no", "holder")}
    return [Change("bank_account", {"person_id": d.person_id, **row})]


@effect("new_name", "new_id_number", "new_birth_on", "new_work_began_on", "new_village")
def person_columns(d: Decided) -> list[Change]:
    """The corrected columns of the person core, with everything that is read off them."""
    row = dict(d.view.person)
    if d.value("new_name"):
        row["name"] = d.value("new_name")
        row["pinyin"], row["initials"] = names.pinyin(row["name"])
    if d.value("new_id_number"):
        read, _ = resident_id.read(d.value("new_id_number"), d.today)
        assert read is not None, "an examined case has a right ID number"
        row |= {"id_number": read.number, "id_number_15": read.number_15, "sex": read.sex}
        row["birth_on"] = read.birth_on.isoformat()
    row["birth_on"] = d.value("new_birth_on") or row["birth_on"]
    row["work_began_on"] = d.value("new_work_began_on") or row["work_began_on"]
    row["village"] = d.value("new_village") or row["village"]
    return [Change("person", row)] if row != d.view.person else []


@effect("from_month")
def resident_benefit(d: Decided) -> list[Change]:
    """The monthly benefit from the claimed month; contributions end with the month before."""
    from_month = d.value("from_month")
    amounts = benefit_of(from_month, d.view, d.case.known_on or d.today, d.parameters)
    benefit = {
        "id": derived_id(d.case.id, "benefit"), "person_id": d.person_id, "kind": RESIDENT_PENSION, "state": "active",
        "from_month": from_month, "basic_fen": amounts.basic_fen, "account_fen": amounts.account_fen,
        "extra_fen": amounts.extra_fen, "paid_through": None, "case_id": d.case.id,
    }  # fmt: skip
    ended = {"state": "ended", "ended_month": period.add_months(from_month, -1)}
    relations = [Change("enrolment", {**e, **ended}) for e in d.view.enrolled(RESIDENT_PENSION)]
    return [Change("benefit", benefit), *relations]


def benefit_of(
    from_month: str, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> pension.Benefit:
    """The monthly resident pension of this person from that month, as known on a day."""
    assert view.birth_on is not None, "only a person in the register can claim"
    # The age is that of the month's end: whoever has the birthday in it draws from its first day.
    age = period.age_on(view.birth_on, period.last_day(from_month))
    return pension.resident_monthly_benefit(
        view.account.get("balance_fen", 0), age, period.first_day(from_month), known_on, parameters, trace,
        paid_months=view.account.get("paid_months", 0),
    )  # fmt: skip


discovery.load_beside(__file__, "effects_")
