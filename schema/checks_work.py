# SPDX-License-Identifier: Apache-2.0
"""Checks of the items about work: spells, vacancies, referrals, training, aid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from schema import period
from schema.examination import Examination, Words, check
from schema.ids import from_text

_DEED = {
    "began_on": ("开始日期", "The first day"),
    "left_on": ("离职日期", "The day of leaving"),
    "happened_on": ("事故日期", "The day of the accident"),
    "done_on": ("日期", "The date"),
}


def _not_future(field: str) -> None:
    zh, en = _DEED[field]

    def look(e: Examination) -> Iterator[Words]:
        given = e.values[field]
        if given and given > e.today.isoformat():
            yield f"{zh} {given} 还没有到", f"{en} {given} is in the future"

    look.__name__ = f"{field}_not_future"
    look.__doc__ = f"Nothing is recorded before it has happened: {field}."
    check(field)(look)


for _field in _DEED:
    _not_future(_field)


@check()
def of_working_age(e: Examination) -> Iterator[Words]:
    """Old enough to work, and not drawing a pension."""
    least = e.parameter("employment/least_age_years").number
    if e.view.age is not None and e.view.age < least:
        yield f"未满 {least} 周岁，不能登记", f"Below the age of {least}"
    if e.view.drawing("resident_pension"):
        yield "已在领取养老金，不能登记求职或失业", "Draws a pension: cannot register for work or as unemployed"


@check("began_on")
def registered_in_time(e: Examination) -> Iterator[Words]:
    """The employer registers within the days given."""
    days = e.parameter("employment/registration_days").number
    began = e.values["began_on"]
    if began and date.fromisoformat(began) < e.today - timedelta(days=days):
        yield f"超过用工之日起 {days} 日的期限，照常登记", f"More than {days} days after the hire; go on"


@check("unit", "unit_name")
def employer_named(e: Examination) -> Iterator[Words]:
    """Somebody works for somebody: a registered unit, or a name."""
    if not e.values["unit"] and not e.values["unit_name"]:
        yield "请选单位；单位没有登记的，写名称", "Choose the unit, or write its name if it is not registered"


@check()
def not_registered_unemployed_yet(e: Examination) -> Iterator[Words]:
    """One registered unemployment at a time."""
    for row in open_spells(e.view.rows_of("unemployment_spell")):
        yield f"{row['registered_on']} 已登记失业，还没有结束", f"Registered as unemployed since {row['registered_on']}"


@check("left_on")
def not_insured_elsewhere(e: Examination) -> Iterator[Words]:
    """A unit that still declares wages for the person may have hired anew."""
    left = e.values["left_on"]
    for row in e.view.employments:
        if left and row["ended_month"] is None and row["began_month"] > left[:7]:
            yield (
                f"名册里 {row['began_month']} 起还在单位参保，中心会核对",
                f"By the register a unit declares wages since {row['began_month']}; the hub will check",
            )


@check("reason")
def leaving_was_not_wanted(e: Examination) -> Iterator[Words]:
    """Whoever left of their own will is registered, but draws no benefit (社会保险法 45)."""
    if e.values["reason"] == "resigned":
        yield (
            "本人辞职的可以登记，但不能领失业保险金。请告诉本人",
            "Resigned: can register, but draws no unemployment benefit. Please say so",
        )


@check()
def registered_unemployed(e: Examination) -> Iterator[Words]:
    """Aid is for those registered as unemployed."""
    if e.view.known and not open_spells(e.view.rows_of("unemployment_spell")):
        yield "名册里没有失业登记，请先办失业登记", "Not registered as unemployed: register first"


@check("category")
def aid_category_fits(e: Examination) -> Iterator[Words]:
    """Age and time without work are in the register; the other categories have their proofs."""
    sex, age = e.view.person.get("sex"), e.view.age
    if e.values["category"] == "older" and age is not None:
        least = e.parameter("employment/aid_age_men_years" if sex == "1" else "employment/aid_age_women_years").number
        if age < least:
            yield f"大龄人员应满 {least} 周岁，今天 {age} 岁", f"The category begins at {least}; today {age}"
    if e.values["category"] == "long_jobless":
        months = e.parameter("employment/long_jobless_months").number
        since = min((r["registered_on"] for r in open_spells(e.view.rows_of("unemployment_spell"))), default=None)
        if since and period.add_months(since[:7], months) > period.month_of(e.today):
            yield f"登记失业应满 {months} 个月，{since} 登记", f"Registered on {since}: less than {months} months ago"


@check()
def aid_not_found_yet(e: Examination) -> Iterator[Words]:
    """One finding at a time."""
    for row in valid_findings(e):
        yield f"{row['found_on']} 已认定，有效到 {row['valid_to']}", f"Found on {row['found_on']}, to {row['valid_to']}"


@check()
def aid_was_found(e: Examination) -> Iterator[Words]:
    """Subsidies are for those found hard to employ."""
    if e.view.known and not valid_findings(e):
        yield "名册里没有有效的就业困难人员认定，请先办认定", "No valid finding as hard to employ: apply for it first"


@check("kind", "from_month", "months")
def subsidy_months_free(e: Examination) -> Iterator[Words]:
    """No month twice, and not more months in all than the rule gives."""
    first, months = e.values["from_month"], e.values["months"]
    if not first or not months:
        return
    rows = [r for r in e.view.rows_of("employment_subsidy") if r["kind"] == e.values["kind"]]
    wanted = {period.add_months(first, i) for i in range(months)}
    taken = {period.add_months(r["from_month"], i) for r in rows for i in range(r["months"])}
    if both := sorted(wanted & taken):
        yield f"{both[0]} 已补贴过", f"{both[0]} was subsidised already"
    most = e.parameter("employment/subsidy_months").number
    if len(wanted | taken) > most:
        zh = f"连同这次共 {len(wanted | taken)} 个月，最多 {most} 个月"
        yield zh, f"{len(wanted | taken)} months with these; at most {most}"


@check("vacancy")
def vacancy_is_open(e: Examination) -> Iterator[Words]:
    """Nobody is sent to a job that is filled or over."""
    row = _chosen(e, "vacancy", "vacancy")
    if row and (row["vacancy_open"] != "yes" or (row["open_until_on"] or "9999") < e.today.isoformat()):
        yield "这个岗位已经不招了，请另选", "This job is no longer on offer: choose another"


@check("vacancy")
def not_referred_yet(e: Examination) -> Iterator[Words]:
    """One open referral of a person to a job is enough."""
    wanted = e.values["vacancy"]
    for row in e.view.rows_of("referral"):
        if wanted and row["outcome"] is None and row["vacancy_id"] == from_text(wanted):
            yield f"{row['referred_on']} 已推荐过，还没有结果", f"Referred on {row['referred_on']}, outcome unknown"


@check("referral")
def referral_is_known(e: Examination) -> Iterator[Words]:
    """An outcome belongs to a referral of this person."""
    wanted = e.values["referral"]
    known = {row["id"] for row in e.view.rows_of("referral")}
    if wanted and from_text(wanted) not in known:
        yield "名册里没有这次推荐，请从列表里选", "No such referral of this person: choose from the list"


@check("age_from", "age_to", "wage_from_yuan", "wage_to_yuan")
def vacancy_bounds_in_order(e: Examination) -> Iterator[Words]:
    """The lower bound comes first."""
    v = e.values
    for low, high, zh, en in (
        (v["age_from"], v["age_to"], "年龄", "Ages"), (v["wage_from_yuan"], v["wage_to_yuan"], "工资", "Wages"),
    ):  # fmt: skip
        if low is not None and high is not None and low > high:
            yield f"{zh}从 {low} 到 {high}，前后写反了", f"{en} {low} to {high}: the wrong way round"


@check("training_class")
def class_takes_people(e: Examination) -> Iterator[Words]:
    """The class is open and its last day of signing up has not passed."""
    row = _chosen(e, "training_class", "training_class")
    if row and (row["state"] != "open" or row["sign_up_until"] < e.today.isoformat()):
        yield "这个班的报名已经截止，请另选", "Signing up for this class is over: choose another"


@check("training_class")
def class_has_seats(e: Examination) -> Iterator[Words]:
    """The hub alone counts the seats; a station knows them as of its last exchange."""
    row = _chosen(e, "training_class", "training_class")
    if row and row["seats_taken"] >= row["seats"]:
        yield "名额已满，可以候补，由中心按收到的先后定", "No seat left: waiting list, in the order of arrival"


@check("training_class")
def not_in_class_yet(e: Examination) -> Iterator[Words]:
    """One seat per person and class."""
    wanted = e.values["training_class"]
    for row in e.view.rows_of("training_seat"):
        if wanted and row["class_id"] == from_text(wanted) and row["state"] in ("enrolled", "waiting"):
            yield f"{row['given_on']} 已报过这个班", f"Signed up for this class on {row['given_on']}"


def open_spells(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that have not ended."""
    return [row for row in rows if row["ended_on"] is None]


def valid_findings(e: Examination) -> list[dict[str, Any]]:
    """Findings as hard to employ that hold today."""
    return [row for row in e.view.rows_of("aid_finding") if row["valid_to"] >= e.today.isoformat()]


def _chosen(e: Examination, field: str, table: str) -> dict[str, Any]:
    given = e.values[field]
    return e.view.row(table, from_text(given)) if given else {}
