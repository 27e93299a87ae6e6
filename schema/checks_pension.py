# SPDX-License-Identifier: Apache-2.0
"""Checks about the resident pension: who may enrol at which grade, and who may draw from when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from schema import money, period
from schema.examination import Examination, Words, check
from schema.rules import pension
from schema.view import EMPLOYEE_PENSION, RESIDENT_PENSION


@check("id_number", "start_month")
def old_enough(e: Examination) -> Iterator[Words]:
    """The youngest age of enrolment, reached in the first month at the latest."""
    birth, month = _birth(e), e.values["start_month"]
    least = e.parameter("resident_pension/enrolment_min_age_years").number
    if birth and month and period.age_on(birth, period.last_day(month)) < least:
        when = period.month_reaching_age(birth, least)
        yield (
            f"未满 {least} 周岁，{when} 满 {least} 岁后可以参保",
            f"Younger than {least}: may enrol from {when}, when {least} is reached",
        )


@check("id_number", "start_month")
def below_claim_age(e: Examination) -> Iterator[Words]:
    """Whoever has reached the claim age enrols only under the special rule, which the hub decides."""
    birth, month = _birth(e), e.values["start_month"]
    limit = e.parameter("resident_pension/claim_age_years").number
    if birth and month and period.month_reaching_age(birth, limit) <= month:
        yield (
            f"已满 {limit} 岁。只有按规定可以补缴的才能参保，中心会核对",
            f"Already {limit}: may enrol only where back-payment is allowed; the hub will check",
        )


@check("student")
def not_student(e: Examination) -> Iterator[Words]:
    """Pupils and students are not insured here."""
    if e.values["student"]:
        yield (
            "在校学生不参加居民养老保险，毕业后再办",
            "Students do not join the resident pension: enrol after leaving school",
        )


@check()
def not_enrolled_yet(e: Examination) -> Iterator[Words]:
    """No running relation to the resident pension."""
    for relation in e.view.enrolled(RESIDENT_PENSION):
        yield (
            f"名册里自 {relation['began_month']} 起已参加居民养老。要改档次请办档次变更",
            f"Already in the resident pension since {relation['began_month']}. To change the grade use that item",
        )


@check("start_month")
def no_employee_pension(e: Examination) -> Iterator[Words]:
    """Nobody is in both pensions in one month; which one gives way is the hub's to find out."""
    start = e.values["start_month"]
    if not start:
        return
    for relation in e.view.enrolled(EMPLOYEE_PENSION):
        ended = relation["ended_month"]
        if relation["began_month"] <= start and (ended is None or ended >= start):
            seen = ended or max(relation["began_month"], period.add_months(period.month_of(e.today), -1))
            yield (
                f"名册里 {seen} 还在职工养老缴费。两边不能同月参保，中心会核对",
                f"Still paying employee pension in {seen}. Both in one month are not allowed; the hub will check",
            )


@check("grade", "start_month")
def grade_allowed(e: Examination) -> Iterator[Words]:
    """The grade is one of the year's."""
    grade, start = e.values["grade"], e.values["start_month"]
    if grade is None or not start:
        return
    grades = e.parameter("resident_pension/grades_fen", period.first_day(start)).numbers
    if grade not in grades:
        listed_zh, listed_en = "、".join(map(_yuan, grades)), ", ".join(map(_yuan, grades))
        yield (
            f"{start[:4]} 年没有每年 {_yuan(grade)} 元这一档。可选：{listed_zh} 元",
            f"There is no grade of {_yuan(grade)} yuan in {start[:4]}. Choose from {listed_en} yuan",
        )


@check("start_month")
def start_not_back_dated(e: Examination) -> Iterator[Words]:
    """An enrolment that begins before this month is looked at by the hub."""
    yield from _back_dated(e, "start_month")


@check("from_month")
def claim_not_back_dated(e: Examination) -> Iterator[Words]:
    """A pension drawn from an earlier month means arrears, which the hub looks at."""
    yield from _back_dated(e, "from_month")


def _back_dated(e: Examination, field: str) -> Iterator[Words]:
    month, this = e.values[field], period.month_of(e.today)
    if month and month < this:
        count = period.months_between(month, this)
        yield (
            f"早于本月 {count} 个月，涉及以前的月份，中心会核对后补算",
            f"{count} month(s) before this one: earlier months are concerned; the hub will check and settle them",
        )


@check("start_month")
def start_not_far_ahead(e: Examination) -> Iterator[Words]:
    """An enrolment begins this year or next January at the latest."""
    month = e.values["start_month"]
    if month and month > f"{e.today.year + 1}-01":
        yield (f"最晚从 {e.today.year + 1}-01 起", f"At the latest from {e.today.year + 1}-01")


@check("from_month")
def claim_month_right(e: Examination) -> Iterator[Words]:
    """Not before the month of the birthday, and not further ahead than claims are taken."""
    month, birth = e.values["from_month"], e.view.birth_on
    if not month or birth is None:
        return
    first = pension.claim_month(birth, e.today, e.today, e.parameters)
    age = e.parameter("resident_pension/claim_age_years").number
    latest = period.add_months(period.month_of(e.today), e.parameter("resident_pension/claim_ahead_months").number)
    if month < first:
        yield (f"{first} 才满 {age} 岁，从那个月起领取", f"Reaches {age} in {first}: draws from that month")
    elif month > latest:
        yield (f"太早申请：最晚可填 {latest}", f"Too early to claim: {latest} is the latest month to enter")


@check()
def claim_age_reached(e: Examination) -> Iterator[Words]:
    """The claim age is reached, or will be within the time that claims are taken ahead."""
    birth = e.view.birth_on
    if birth is None:
        return
    first = pension.claim_month(birth, e.today, e.today, e.parameters)
    ahead = e.parameter("resident_pension/claim_ahead_months").number
    age = e.parameter("resident_pension/claim_age_years").number
    if period.months_between(period.month_of(e.today), first) > ahead:
        start = period.add_months(first, -ahead)
        yield (
            f"未满 {age} 岁（{first} 满）。{start} 起可以申请",
            f"Not yet {age} (reached in {first}). May claim from {start}",
        )


@check()
def was_enrolled(e: Examination) -> Iterator[Words]:
    """Only who was enrolled can draw."""
    if e.view.known and not e.view.enrolled(RESIDENT_PENSION, ("active", "suspended", "ended")):
        yield ("名册里没有居民养老参保记录，先办参保登记", "No resident pension enrolment in the register: enrol first")


@check("years_note")
def paid_long_enough(e: Examination) -> Iterator[Words]:
    """Enough paid years, or a reason why fewer will do."""
    needed = e.parameter("resident_pension/min_paid_years").number
    months = e.view.account.get("paid_months", 0)
    if months < needed * 12 and not e.values["years_note"]:
        zh, en = f"{months // 12} 年 {months % 12} 个月", f"{months // 12} years {months % 12} months"
        yield (
            f"名册里缴费 {zh}，不满 {needed} 年。请补缴，或写明可以少缴的理由",
            f"The register shows {en} paid, below {needed} years. Pay the rest, or say why fewer will do",
        )


@check("years_note")
def short_years_explained(e: Examination) -> Iterator[Words]:
    """Fewer paid years with a reason: the hub looks at the reason."""
    needed = e.parameter("resident_pension/min_paid_years").number
    if e.view.account.get("paid_months", 0) < needed * 12 and e.values["years_note"]:
        yield (
            f"缴费不满 {needed} 年，已写理由，中心会核对",
            f"Fewer than {needed} years paid, with a reason; the hub will check",
        )


@check()
def not_drawing_yet(e: Examination) -> Iterator[Words]:
    """No resident pension is being drawn."""
    for benefit in e.view.drawing(RESIDENT_PENSION):
        yield (
            f"名册里自 {benefit['from_month']} 起已在领居民养老金",
            f"Already draws a resident pension since {benefit['from_month']}",
        )


def _birth(e: Examination) -> date | None:
    """By the register, for somebody new by the ID number."""
    text = e.values.get("birth_on")
    return e.view.birth_on or (date.fromisoformat(text) if text else None)


def _yuan(fen: int) -> str:
    return money.yuan(fen).removesuffix(".00")
