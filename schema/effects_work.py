# SPDX-License-Identifier: Apache-2.0
"""Effects of the items about work: spells, wishes, vacancies, referrals, training, aid."""

from __future__ import annotations

from datetime import date
from typing import Any

from schema import period
from schema.decided import Change, Decided, effect
from schema.ids import derived_id, from_text

ENROLLED, WAITING = "enrolled", "waiting"
HIRED = "hired"
_WISHES = ("wish_job", "wish_job_2", "wish_skills", "wish_form", "wish_nights", "wish_until_on", "wish_note")
_VACANCY = (
    "job", "job_title", "job_address", "least_education", "job_form", "job_nights", "job_skills", "asked_for",
    "employer_phone", "open_until_on", "vacancy_note",
)  # fmt: skip
_NUMBERS = ("places", "wage_from_yuan", "wage_to_yuan", "age_from", "age_to")
TOWNSHIP_DIGITS = 9


@effect("unit_name", "job", "form", "began_on")
def employment_registered(d: Decided) -> list[Change]:
    """A spell of work from that day; the registered unemployment before it ends."""
    spell = {
        "id": derived_id(d.case.id, "employment_spell"), "person_id": d.person_id,
        "unit_id": d.view.unit.unit_id if d.view.unit else None, "unit_name": _employer(d), "job": d.value("job"),
        "form": d.value("form"), "began_on": d.value("began_on"), "ended_on": None, "case_id": d.case.id,
    }  # fmt: skip
    return [Change("employment_spell", spell), *_jobless_no_more(d, d.value("began_on"))]


@effect("last_unit", "reason", "left_on")
def unemployment_registered(d: Decided) -> list[Change]:
    """A spell of unemployment, registered today: from this day the benefit's clock runs (社会保险法 50)."""
    spell = {
        "id": derived_id(d.case.id, "unemployment_spell"), "person_id": d.person_id, "last_unit": d.value("last_unit"),
        "reason": d.value("reason"), "left_on": d.value("left_on"), "registered_on": d.today.isoformat(),
        "ended_on": None, "end_reason": None, "case_id": d.case.id,
    }  # fmt: skip
    ended = [
        Change("employment_spell", row | {"ended_on": max(d.value("left_on"), row["began_on"])})
        for row in d.view.rows_of("employment_spell")
        if row["ended_on"] is None and row["began_on"] <= d.today.isoformat()
    ]
    return [Change("unemployment_spell", spell), *ended]


def _jobless_no_more(d: Decided, on: str) -> list[Change]:
    return [
        Change("unemployment_spell", row | {"ended_on": max(on, row["registered_on"]), "end_reason": "employed"})
        for row in d.view.rows_of("unemployment_spell")
        if row["ended_on"] is None
    ]


def _employer(d: Decided) -> str:
    """The unit picked, by its registered name; else what was typed."""
    return (d.view.unit.unit.get("name") if d.view.unit else "") or d.value("unit_name") or "--"


@effect("wish_job")
def job_wish(d: Decided) -> list[Change]:
    """What work the person wants, as told today; a field that the item does not have stays as it is."""
    cells: dict[str, Any] = {n: d.value(n) or None for n in _WISHES if n in d.case.values}
    if "wish_place" in d.case.values:
        cells["wish_township"] = (d.value("wish_place") or "")[:TOWNSHIP_DIGITS] or None
    if "wish_wage_yuan" in d.case.values:
        cells["wish_wage_yuan"] = _text(d.value("wish_wage_yuan"))
    return [Change("job_seeker", {"id": d.person_id, "looking": "yes", **cells})] if d.value("wish_job") else []


@effect("job", "job_title", "places")
def vacancy_offered(d: Decided) -> list[Change]:
    """A job on offer. Its id follows from the case's random one, so that the hub knows what row the case brings."""
    unit = d.view.unit.unit if d.view.unit else {}
    cells: dict[str, Any] = {n: d.value(n) or None for n in _VACANCY} | {n: _text(d.value(n)) for n in _NUMBERS}
    cells |= {
        "vacancy_open": "yes", "employer": unit.get("name") or d.value("name"),
        "employer_code": unit.get("uscc") or d.value("uscc"),
        "job_township": (d.value("job_place") or d.case.township)[:TOWNSHIP_DIGITS],
    }  # fmt: skip
    return [Change("vacancy", {"id": vacancy_id(d.case.id), **cells})]


def vacancy_id(case_id: bytes) -> bytes:
    """The id of the vacancy that a case brings."""
    return derived_id(case_id, "vacancy")


OFFERS = frozenset({vacancy_offered.__name__})


@effect("employer", "job_title", "vacancy")
def person_referred(d: Decided) -> list[Change]:
    """Whom we sent where; what came of it is told later."""
    vacancy = d.value("vacancy")
    return [Change("referral", {
        "id": derived_id(d.case.id, "referral"), "person_id": d.person_id,
        "vacancy_id": from_text(vacancy) if vacancy else None, "employer": d.value("employer"),
        "job_title": d.value("job_title"), "referred_on": d.today.isoformat(), "outcome": None, "outcome_on": None,
        "outcome_note": None, "case_id": d.case.id,
    })]  # fmt: skip


@effect("referral", "outcome", "done_on")
def referral_answered(d: Decided) -> list[Change]:
    """What came of a referral. Whoever was hired is not looking for work any more."""
    told = {"outcome": d.value("outcome"), "outcome_on": d.value("done_on"), "outcome_note": d.value("note")}
    wanted = from_text(d.value("referral"))
    found = [Change("referral", row | told) for row in d.view.rows_of("referral") if row["id"] == wanted]
    if d.value("outcome") != HIRED or not d.view.rows_of("job_seeker"):
        return found
    return [*found, Change("job_seeker", {"id": d.person_id, "looking": "no"})]


@effect("training_class")
def training_seat(d: Decided) -> list[Change]:
    """A seat in the class while there is one, else a place in the queue: the hub counts, so none is given twice."""
    if any(row["case_id"] == d.case.id for row in d.view.rows_of("training_seat")):
        return []
    class_id = from_text(d.value("training_class"))
    chosen = d.view.row("training_class", class_id)
    free = bool(chosen) and chosen["seats_taken"] < chosen["seats"]
    seat = {
        "id": derived_id(d.case.id, "training_seat"), "person_id": d.person_id, "class_id": class_id,
        "state": ENROLLED if free else WAITING, "given_on": d.today.isoformat(), "case_id": d.case.id,
    }  # fmt: skip
    taken = [Change("training_class", chosen | {"seats_taken": chosen["seats_taken"] + 1})] if free else []
    return [Change("training_seat", seat), *taken]


@effect("category")
def aid_found(d: Decided) -> list[Change]:
    """Hard to employ from today, for as long as the finding holds."""
    months = d.parameters.at("employment/aid_finding_months", d.today, d.today).number
    return [Change("aid_finding", {
        "id": derived_id(d.case.id, "aid_finding"), "person_id": d.person_id, "category": d.value("category"),
        "found_on": d.today.isoformat(), "valid_to": _months_later(d.today, months), "case_id": d.case.id,
    })]  # fmt: skip


@effect("kind", "from_month", "months", "paid")
def subsidy_granted(d: Decided) -> list[Change]:
    """A subsidy for these months: a share of what was paid each month."""
    known_on = d.case.known_on or d.today
    share = d.parameters.at("employment/subsidy_percent", period.first_day(d.value("from_month")), known_on).number
    return [Change("employment_subsidy", {
        "id": derived_id(d.case.id, "employment_subsidy"), "person_id": d.person_id, "kind": d.value("kind"),
        "from_month": d.value("from_month"), "months": d.value("months"),
        "monthly_fen": d.value("paid") * share // 100, "state": "granted", "case_id": d.case.id,
    })]  # fmt: skip


def _months_later(day: date, months: int) -> str:
    month = period.add_months(period.month_of(day), months)
    return min(f"{month}-{day.day:02d}", period.last_day(month).isoformat())


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
