# SPDX-License-Identifier: Apache-2.0
"""Checks about employers and those who work for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from schema import money, period
from schema.effects_employer import UNIT_CHANGES
from schema.examination import Examination, Words, check
from schema.view import EMPLOYEE_PENSION, RESIDENT_PENSION
from schema.view_rows import Row


@check("uscc")
def unit_not_in_register(e: Examination) -> Iterator[Words]:
    """A unit that registers is not there already under its credit code."""
    given = e.values["uscc"]
    holder = e.unit.holder_of(given) if e.unit and given else None
    if holder is not None and e.unit and holder != e.unit.unit_id:
        yield (
            "名册里已有这个信用代码。请按代码找到单位，办信息变更",
            "A unit with this credit code is in the register: find it and use the item for changes",
        )
    if e.unit and e.unit.known and not e.unit.ended:
        yield ("这个单位已经登记。要改信息请办单位信息变更", "This unit is registered: use the item for changes")


@check("uscc", "type")
def unit_type_fits_code(e: Examination) -> Iterator[Words]:
    """The first two places of the code say what kind of body it is."""
    code, kind = e.values["uscc"], e.values["type"]
    if code and kind and code[:2] != kind and code[:2] in ("91", "92", "93", "11", "12", "13", "51", "52", "53", "54"):
        yield (
            f"单位类型和信用代码前两位（{code[:2]}）不同。请看执照",
            f"The kind of unit and the first places of its code ({code[:2]}) differ. Check the licence",
        )


@check("set_up_on")
def unit_registers_in_time(e: Examination) -> Iterator[Words]:
    """社会保险法 §57: within 30 days of being set up; never before."""
    set_up = e.values["set_up_on"]
    days = e.parameter("enrolment/registration_days").number
    if set_up and set_up > e.today.isoformat():
        yield (f"成立日期 {set_up} 还没有到", f"The date of being set up, {set_up}, is in the future")
    elif set_up and e.today > date.fromisoformat(set_up) + timedelta(days=days):
        yield (f"成立已超过 {days} 日。照常登记，中心会核对", f"Set up more than {days} days ago; the hub will check")


@check()
def unit_is_registered(e: Examination) -> Iterator[Words]:
    """Nothing is done for a unit that is deregistered."""
    if e.unit and e.unit.ended:
        on = e.unit.unit["ended_on"]
        yield (f"名册里这个单位已于 {on} 注销", f"The register says: deregistered on {on}")


@check(*UNIT_CHANGES, "end_on")
def unit_changes_something(e: Examination) -> Iterator[Words]:
    """A change says at least one thing that differs from the register."""
    if not e.unit or not e.unit.known:
        return
    now = e.unit.unit
    changed = [n for n, column in UNIT_CHANGES.items() if e.values[n] and e.values[n] != now.get(column)]
    if not changed and not e.values["end_on"]:
        yield ("没有改动。请至少改一项，或填注销日期", "Nothing is changed: change a field, or give the day of the end")


@check("end_on")
def nobody_works_there(e: Examination) -> Iterator[Words]:
    """A unit ends when nobody works for it any more by the register."""
    if e.values["end_on"] and e.unit and e.unit.working:
        n = e.unit.working
        yield (f"名册里还有 {n} 人在职，请先办职工减员", f"{n} still work there by the register: have them leave first")


@check("unit")
def not_working_there_yet(e: Examination) -> Iterator[Words]:
    """Nobody joins the unit where they work already."""
    for job in _jobs(e, here=True):
        since = job["began_month"]
        yield (f"名册里自 {since} 起已在这个单位。要改基数请办基数申报", f"Works there since {since} by the register")


@check("unit")
def working_elsewhere(e: Examination) -> Iterator[Words]:
    """Two employers at once: only work injury may be paid twice, so the hub looks."""
    for job in _jobs(e, here=False):
        since = job["began_month"]
        yield (
            f"名册里自 {since} 起还在另一个单位。请问清是否已离职，中心会核对",
            f"Works for another unit since {since} by the register. Ask whether that is over; the hub will check",
        )


@check("unit")
def works_there(e: Examination) -> Iterator[Words]:
    """Leaving a unit, or a base there, needs that the person works there."""
    if e.unit and e.unit.known and e.view.known and not _jobs(e, here=True):
        yield (
            "名册里此人不在这个单位。请核对单位，或先办职工增员",
            "By the register the person does not work there: check the unit, or have them join first",
        )


@check("hired_on")
def joins_in_time(e: Examination) -> Iterator[Words]:
    """社会保险法 §58: within 30 days of being hired."""
    hired = e.values["hired_on"]
    days = e.parameter("enrolment/registration_days").number
    if hired and e.today > date.fromisoformat(hired) + timedelta(days=days):
        yield (
            f"用工已超过 {days} 日。工伤从中心收到的次日起算，中心会核对补缴",
            f"Hired more than {days} days ago. Injury cover begins the day after the hub receives this",
        )


@check("hired_on", "start_month")
def insured_from_hiring(e: Examination) -> Iterator[Words]:
    """Contributions do not begin before the work."""
    hired, month = e.values["hired_on"], e.values["start_month"]
    if hired and month and month < hired[:7]:
        yield (f"参保月 {month} 早于用工日期 {hired}", f"Insured from {month}, before being hired on {hired}")


@check("id_number", "hired_on")
def old_enough_to_work(e: Examination) -> Iterator[Words]:
    """Nobody below the least age is employed."""
    number, hired = e.values["id_number"], e.values["hired_on"]
    least = e.parameter("employment/least_age_years").number
    birth = e.view.birth_on or _birth(e)
    if number and hired and birth and period.age_on(birth, date.fromisoformat(hired)) < least:
        yield (f"用工那天未满 {least} 周岁，不能招用", f"Younger than {least} on the day of hiring: not allowed")


@check("left_on", "stop_month")
def leaves_in_order(e: Examination) -> Iterator[Words]:
    """The last insured month is not before the work began, nor far ahead."""
    left, stop = e.values["left_on"], e.values["stop_month"]
    began = min((job["began_month"] for job in _jobs(e, here=True)), default=None)
    if stop and began and stop < began:
        yield (f"停保月 {stop} 早于入职月 {began}", f"The last month {stop} is before the first, {began}")
    if stop and stop > period.add_months(period.month_of(e.today), 1):
        yield ("停保月最晚到下个月", "The last month is the next one at the latest")
    if left and stop and stop < left[:7]:
        yield (f"停保月 {stop} 早于离职日期 {left}", f"The last month {stop} is before the day of leaving, {left}")


@check("left_on")
def leaves_in_time(e: Examination) -> Iterator[Words]:
    """浙江省职工基本养老保险条例 §12: told within 30 days."""
    left, days = e.values["left_on"], e.parameter("enrolment/registration_days").number
    if left and e.today > date.fromisoformat(left) + timedelta(days=days):
        yield (f"离职已超过 {days} 日，中心会核对多缴的月份", f"Left more than {days} days ago; the hub will check")


@check("from_month")
def base_not_back_dated(e: Examination) -> Iterator[Words]:
    """A declared base counts from this month on; earlier months are made good by another item."""
    month = e.values["from_month"]
    if month and month < period.month_of(e.today):
        yield (f"{month} 已过。以前月份的差额要另办补缴", f"{month} is over: earlier months need a back-payment")


@check("new_base")
def base_within_limits(e: Examination) -> Iterator[Words]:
    """Contributions are computed within floor and cap whatever is declared."""
    yield from _limits(e, e.values["new_base"])


@check("wage")
def wage_within_limits(e: Examination) -> Iterator[Words]:
    """The first declared base, like any other."""
    yield from _limits(e, e.values["wage"])


@check("base")
def chosen_base_within_limits(e: Examination) -> Iterator[Words]:
    """A flexible worker chooses between floor and cap."""
    yield from _limits(e, e.values["base"])


@check("start_month")
def insured_by_employer(e: Examination) -> Iterator[Words]:
    """Whoever has an employer is insured through it."""
    for job in e.view.employments:
        if not job["ended_month"]:
            since = job["began_month"]
            yield (
                f"名册里自 {since} 起有单位参保。同一个月不能重复参保，中心会核对",
                f"Insured through an employer since {since}: not twice for one month; the hub will check",
            )


@check("insurances")
def resident_pension_rests(e: Examination) -> Iterator[Words]:
    """Nobody pays into both pensions for one month."""
    chosen = e.values["insurances"] or []
    if EMPLOYEE_PENSION in chosen and any(r["state"] == "active" for r in e.view.enrolled(RESIDENT_PENSION)):
        yield (
            "名册里还在居民养老参保。职工养老生效后，居民养老同月起停缴，中心会核对",
            "In the resident pension now: it rests from the month the employee pension begins; the hub will check",
        )


@check("insurances")
def not_flexible_yet(e: Examination) -> Iterator[Words]:
    """Nobody enrols anew into what goes on; a relation that rests is resumed."""
    for name in e.values["insurances"] or []:
        for relation in e.view.enrolled(name):
            since = relation["began_month"]
            yield (
                f"名册里自 {since} 起已有这项保险。停保的请办复保",
                f"There is such a relation since {since}; one that rests is resumed by another item",
            )


@check("action", "insurances")
def relation_can_change(e: Examination) -> Iterator[Words]:
    """Only what goes on can be stopped, only what rests can be resumed."""
    wanted = {"stop": "active", "resume": "suspended"}.get(e.values["action"] or "")
    names = [n for n in e.values["insurances"] or [] if not e.view.enrolled(n, (wanted or "",))]
    if wanted and names and e.view.known:
        what = ("参保", "goes on") if wanted == "active" else ("停保", "rests")
        yield (f"名册里没有正在{what[0]}的这项保险", f"No such insurance that {what[1]} in the register")


@check("action", "from_month", "insurances")
def stop_or_resume_month(e: Examination) -> Iterator[Words]:
    """From this month or the next: what was paid stays paid."""
    month, this = e.values["from_month"], period.month_of(e.today)
    if month and not this <= month <= period.add_months(this, 1):
        yield (f"只能从本月或下月起，这里是 {month}", f"From this month or the next only; this is {month}")


@check("action", "from_month", "insurances")
def medical_waits(e: Examination) -> Iterator[Words]:
    """浙江省医疗保障条例 §29: after a gap medical benefits come back in the third month."""
    month = e.values["from_month"]
    if e.values["action"] == "resume" and "employee_medical" in (e.values["insurances"] or []) and month:
        back = period.add_months(month, e.parameter("enrolment/medical_waiting_months").number)
        yield (f"请告诉申请人：中断后医保待遇从 {back} 起恢复", f"Tell the applicant: medical benefits return {back}")


def _jobs(e: Examination, *, here: bool) -> list[Row]:
    """Work that has not ended, at the unit named or anywhere else."""
    unit_id = e.unit.unit_id if e.unit else None
    running = [job for job in e.view.employments if not job["ended_month"]]
    return [job for job in running if unit_id is not None and (job["unit_id"] == unit_id) is here]


def _birth(e: Examination) -> date | None:
    text = e.values.get("birth_on")
    return date.fromisoformat(text) if text else None


def _limits(e: Examination, amount: int | None) -> Iterator[Words]:
    floor = e.parameter("contribution/base_floor_fen").number
    cap = e.parameter("contribution/base_cap_fen").number
    if amount is not None and not floor <= amount <= cap:
        low, high = money.yuan(floor), money.yuan(cap)
        yield (
            f"缴费按 {low} 元到 {high} 元之间计算，超出的部分不计",
            f"Contributions are computed between {low} and {high} yuan",
        )
