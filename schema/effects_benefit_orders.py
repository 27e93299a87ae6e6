# SPDX-License-Identifier: Apache-2.0
"""Effects that order a payment, a later contribution, a transfer or a filing: rows of their own, one case once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from schema import benefit_amounts
from schema.benefit_amounts import Due, Pay
from schema.decided import Change, Decided, effect
from schema.ids import derived_id
from schema.rules.injury import EMPLOYER
from schema.view import RESIDENT_PENSION

PAYEE = ("holder", "bank", "account_no")


@effect("died_on", "scheme", "paid_months", "retired", "drawn_months", *PAYEE)
def death_orders(d: Decided) -> list[Change]:
    """Funeral and survivor grant, and what is left in the accounts, to the heir."""
    pays = benefit_amounts.death_payments(d.case.values, d.view, _known_on(d), d.parameters)
    return _orders(d, pays, about_on=d.value("died_on"))


@effect("child_born_on", "child", "babies", "difficult", "employer_wage", *PAYEE)
def maternity_order(d: Decided) -> list[Change]:
    """The maternity allowance."""
    _, amount = benefit_amounts.maternity_of(d.case.values, d.view, _known_on(d), d.parameters)
    return _orders(d, [Pay("maternity", "maternity", amount)], about_on=d.value("child_born_on"))


@effect(
    "bill_no", "total", "self_paid", "first_part", "hospital_level", "admission", "retired", "elsewhere", "assisted",
    "discharged_on", *PAYEE,
)  # fmt: skip
def medical_order(d: Decided) -> list[Change]:
    """What comes back of a medical bill."""
    found = benefit_amounts.medical_of(d.case.values, d.view, _known_on(d), d.parameters)
    pays = [Pay("medical", d.value("insurance") or "employee_medical", found.paid_fen)] if found.paid_fen else []
    return _orders(d, pays, about=d.value("bill_no"), about_on=d.value("discharged_on"))


@effect("graded_on", "grade", "wage", "claimed", "months_to_retirement", "bills", *PAYEE)
def injury_orders(d: Decided) -> list[Change]:
    """The one-off amounts of a work injury."""
    pays = benefit_amounts.injury_payments(d.case.values, d.view, _known_on(d), d.parameters)
    return _orders(d, pays, about_on=d.value("graded_on"))


@effect("receipt", "amount", "insurance", *PAYEE)
def refund_order(d: Decided) -> list[Change]:
    """Paid too much: back to the payer."""
    return _orders(d, [Pay("refund", d.value("insurance"), d.value("amount"))], about=d.value("receipt"))


@effect("kind", "grade", "from_year", "to_year")
def grade_or_back_pay(d: Decided) -> list[Change]:
    """This year's grade from now on, or past years to be paid at a grade."""
    if d.value("kind") == "change":
        return [Change("enrolment", {**r, "grade_fen": d.value("grade")}) for r in d.view.enrolled(RESIDENT_PENSION)]
    return _dues(d, RESIDENT_PENSION, "back_pay", benefit_amounts.grades_due(d.case.values))


@effect("kind", "insurance", "payer", "base", "from_month", "to_month")
def months_order(d: Decided) -> list[Change]:
    """Months to be paid later or further on."""
    due = benefit_amounts.months_due(d.case.values, d.view, _known_on(d), d.parameters)
    return _dues(d, d.value("insurance"), d.value("kind"), [due])


@effect("insurance", "direction", "agency", "from_month", "to_month", "months", "balance")
def relation_moves(d: Decided) -> list[Change]:
    """A relation on its way; one that leaves ends here."""
    names = ("insurance", "direction", "agency", "from_month", "to_month")
    row = {name: d.value(name) for name in names}
    row |= {"months": d.value("months") or 0, "balance_fen": d.value("balance") or 0, "state": "open"}
    ids = {"id": derived_id(d.case.id, "transfer"), "person_id": d.person_id, "case_id": d.case.id}
    out = [Change("relation_transfer", ids | row)]
    if d.value("direction") == "out":
        ended = {"state": "ended", "ended_month": d.today.isoformat()[:7]}
        out += [Change("enrolment", {**r, **ended}) for r in d.view.enrolled(d.value("insurance"))]
    return out


@effect("place", "kind", "from_on", "to_on")
def care_filed(d: Decided) -> list[Change]:
    """Care in another city, filed."""
    row = {name: d.value(name) for name in ("place", "kind", "from_on", "to_on")}
    ids = {"id": derived_id(d.case.id, "care"), "person_id": d.person_id, "case_id": d.case.id}
    return [Change("care_filing", ids | row)]


def _orders(d: Decided, pays: Iterable[Pay], *, about: str | None = None, about_on: str | None = None) -> list[Change]:
    account = {"bank": d.value("bank"), "account_no": d.value("account_no")}
    return [
        Change("payment_order", {
            "id": derived_id(d.case.id, f"{pay.kind} {pay.insurance}"), "person_id": d.person_id, "kind": pay.kind,
            "insurance": pay.insurance, "amount_fen": pay.amount_fen, "payer": pay.payer, "payee": d.value("holder"),
            **(account if pay.payer != EMPLOYER else dict.fromkeys(account)),
            "about": about, "about_on": about_on, "state": "approved", "case_id": d.case.id,
        })
        for pay in pays
    ]  # fmt: skip


def _dues(d: Decided, insurance: str, kind: str, dues: Iterable[Due]) -> list[Change]:
    return [
        Change("contribution_order", {
            "id": derived_id(d.case.id, f"due {due.from_month}"), "person_id": d.person_id, "insurance": insurance,
            "kind": kind, "from_month": due.from_month, "to_month": due.to_month, "base_fen": due.base_fen,
            "due_fen": due.due_fen, "state": "open", "case_id": d.case.id,
        })
        for due in dues
    ]  # fmt: skip


def _known_on(d: Decided) -> date:
    return d.case.known_on or d.today
