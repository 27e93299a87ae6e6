# SPDX-License-Identifier: Apache-2.0
"""Checks of benefits that begin, pause and end: death, pause, payout account, retirement, unemployment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from schema import benefit_amounts, money, period
from schema.examination import Examination, Words, check
from schema.rules import retirement
from schema.view import EMPLOYEE_PENSION, RESIDENT_PENSION

PENSIONS = (RESIDENT_PENSION, EMPLOYEE_PENSION)
UNEMPLOYMENT = "unemployment"
WORKING_AGE_YEARS = 16
EARLIEST_AGE = {"60": "1", "55": "2", "50": "2"}


@check("died_on")
def death_date_possible(e: Examination) -> Iterator[Words]:
    """Nobody dies tomorrow, or before being born."""
    died, birth = e.values["died_on"], e.view.person.get("birth_on")
    if died and died > e.today.isoformat():
        yield (f"死亡日期 {died} 还没有到", f"The date of death {died} is in the future")
    elif died and birth and died < birth:
        yield (f"死亡日期 {died} 早于出生日期 {birth}", f"Died on {died}, before being born on {birth}")


@check("died_on")
def death_reported_in_time(e: Examination) -> Iterator[Words]:
    """Family and employers report within 20 working days."""
    died = e.values["died_on"]
    limit = e.parameter("death/report_working_days").number
    if died and period.add_working_days(date.fromisoformat(died), limit) < e.today:
        yield (
            f"超过 {limit} 个工作日才申报，照常受理",
            f"Reported after more than {limit} working days; taken all the same",
        )


@check("died_on")
def paid_after_death(e: Examination) -> Iterator[Words]:
    """What was paid for months after the death must come back."""
    died = e.values["died_on"]
    months, amount = benefit_amounts.overpaid(died, e.view) if died else (0, 0)
    if months:
        yield (
            f"死亡次月以后已发 {months} 个月，共 {money.yuan(amount)} 元，要退回。请告知家属",
            f"{months} month(s) were paid after the month of death, {money.yuan(amount)} yuan in all: tell the family",
        )


@check()
def death_known(e: Examination) -> Iterator[Words]:
    """The grant follows the death report, which may still be on its way."""
    reported = any(other["service"] == "death_report" for other in e.view.open_cases)
    if e.view.known and e.view.person.get("life_status") != "2" and not reported:
        yield ("名册里此人在世。先办死亡申报", "Alive by the register: report the death first")


@check()
def death_not_granted_yet(e: Examination) -> Iterator[Words]:
    """One funeral grant only, whichever fund pays it (社会保险法 49)."""
    for order in e.view.rows_of("payment_order"):
        if order["kind"] == "funeral":
            yield ("丧葬补助金已经批过，只能领一份", "A funeral grant was approved before; there is only one")


@check("heir_id_number")
def heir_is_other(e: Examination) -> Iterator[Words]:
    """The heir is not the deceased."""
    if e.values["heir_id_number"] and e.values["heir_id_number"] == e.view.person.get("id_number"):
        yield (
            "领取人不能是死者本人。请填家属的证号",
            "The heir cannot be the deceased: enter the family member's number",
        )


@check("holder", "heir_name")
def holder_is_heir(e: Examination) -> Iterator[Words]:
    """The grant goes into the heir's own account."""
    holder, heir = e.values["holder"], e.values["heir_name"]
    if holder and heir and holder != heir:
        yield (
            f"开户人要和领取人是同一人，这里是「{holder}」",
            f"The account must be the heir's own; this says {holder}",
        )


@check("account_no")
def account_differs(e: Examination) -> Iterator[Words]:
    """A change changes something."""
    given = e.values["account_no"]
    if given and not e.view.at_hub and given == e.view.bank_account.get("account_no"):
        yield ("和现在的账号一样，不用变更", "The same account as now: nothing to change")


@check("kind")
def draws_that_benefit(e: Examination) -> Iterator[Words]:
    """Only what is drawn can be paused or resumed."""
    kind = e.values["kind"]
    if kind and e.view.known and not e.view.drawing(kind):
        yield ("名册里此人没有在领这种待遇", "By the register this benefit is not drawn")


@check("kind", "action")
def pause_fits_state(e: Examination) -> Iterator[Words]:
    """What is paid can be paused, what is paused can be resumed."""
    kind, action = e.values["kind"], e.values["action"]
    states = {b["state"] for b in e.view.drawing(kind)} if kind else set()
    if action == "pause" and states == {"suspended"}:
        yield ("这种待遇已经暂停", "This benefit is paused already")
    elif action == "resume" and states == {"active"}:
        yield ("这种待遇没有暂停，不用恢复", "This benefit is not paused: nothing to resume")


@check("from_month", "kind", "action")
def pause_month_paid(e: Examination) -> Iterator[Words]:
    """A pause that begins in a month already paid means money to come back."""
    month, kind = e.values["from_month"], e.values["kind"]
    if not month or not kind or e.values["action"] != "pause":
        return
    for benefit in e.view.drawing(kind):
        if benefit["paid_through"] and benefit["paid_through"] >= month:
            count = period.months_between(month, benefit["paid_through"]) + 1
            yield (
                f"{count} 个月已经发放，涉及退回，中心会核对",
                f"{count} month(s) are paid already; the hub will check",
            )


@check("from_month")
def pause_month_possible(e: Examination) -> Iterator[Words]:
    """A pause or resumption begins next month at the latest."""
    latest = period.add_months(period.month_of(e.today), 1)
    if e.values["from_month"] and e.values["from_month"] > latest:
        yield (f"最晚从 {latest} 起", f"From {latest} at the latest")


@check()
def draws_no_pension(e: Examination) -> Iterator[Words]:
    """Who draws a pension has no unemployment benefit, and no relation to move."""
    for kind in PENSIONS:
        for benefit in e.view.drawing(kind):
            yield (f"名册里自 {benefit['from_month']} 起在领养老金", f"Draws a pension since {benefit['from_month']}")


@check()
def draws_no_employee_pension(e: Examination) -> Iterator[Words]:
    """One employee pension only."""
    for benefit in e.view.drawing(EMPLOYEE_PENSION):
        yield (
            f"名册里自 {benefit['from_month']} 起已在领职工养老金",
            f"Already draws an employee pension since {benefit['from_month']}",
        )


@check()
def was_in_employee_pension(e: Examination) -> Iterator[Words]:
    """Only who was insured can retire."""
    if e.view.known and not e.view.enrolled(EMPLOYEE_PENSION, ("active", "suspended", "ended")):
        yield (
            "名册里没有职工养老参保记录，请先转入或补登",
            "No employee pension in the register: transfer or enrol first",
        )


@check("group")
def group_fits_sex(e: Examination) -> Iterator[Words]:
    """The former retirement age is one of the person's sex."""
    group, sex = e.values["group"], e.view.person.get("sex")
    if group and sex and EARLIEST_AGE[group] != sex:
        yield ("退休类别和性别不符", "This retirement group is not one of the person's sex")


@check("group", "retire_month")
def retires_within_window(e: Examination) -> Iterator[Words]:
    """Between three years before the legal month (not before the former age) and three years after it."""
    month = e.values["retire_month"]
    found = benefit_amounts.retirement_of(e.values, e.view, e.today, e.parameters)
    if month and found and not found.earliest <= month <= found.latest:
        yield (
            f"法定退休月份是 {found.month}，可选 {found.earliest} 到 {found.latest}",
            f"The legal month is {found.month}; one may choose from {found.earliest} to {found.latest}",
        )


@check("group", "retire_month")
def retires_flexibly(e: Examination) -> Iterator[Words]:
    """Earlier or later than the legal month needs the person's written choice, later the employer's as well."""
    month = e.values["retire_month"]
    found = benefit_amounts.retirement_of(e.values, e.view, e.today, e.parameters)
    if month and found and month != found.month and found.earliest <= month <= found.latest:
        word = ("提前", "earlier") if month < found.month else ("延迟", "later")
        yield (
            f"比法定月份 {found.month} {word[0]}，属弹性退休",
            f"{word[1]} than the legal month {found.month}: by choice",
        )


@check("basis", "retire_month")
def early_age_reached(e: Examination) -> Iterator[Words]:
    """Special trades and total disability: the early age is reached."""
    basis, month, birth = e.values["basis"], e.values["retire_month"], e.view.birth_on
    if not basis or not month or birth is None or e.view.person.get("sex") not in ("1", "2"):
        return
    first = retirement.early_month(birth, int(e.view.person["sex"]), basis, e.today, e.today, e.parameters)
    if month < first:
        yield (f"{first} 才到提前退休年龄", f"Reaches the early age in {first}")


@check("paid_months", "deemed_months", "retire_month")
def years_enough(e: Examination) -> Iterator[Words]:
    """Enough paid months for the month of retirement, deemed ones included."""
    month, paid = e.values["retire_month"], e.values["paid_months"]
    if not month or paid is None or month < "1998-01":
        return
    work_began = e.view.person.get("work_began_on")
    began = date.fromisoformat(work_began) if work_began else None
    needed = retirement.min_paid_months(month, e.today, e.today, e.parameters, work_began_on=began)
    have = paid + (e.values["deemed_months"] or 0)
    if have < needed:
        short = needed - have
        yield (
            f"{month} 退休要满 {needed} 个月，还差 {short} 个月。可以延缴，或转居民养老",
            f"{needed} months are needed in {month}, {short} are missing: pay on, or move to the resident pension",
        )


@check("paid_months", "deemed_months")
def years_possible(e: Examination) -> Iterator[Words]:
    """No more years than since the age of sixteen."""
    birth = e.view.birth_on
    if birth is None:
        return
    most = period.months_between(period.month_reaching_age(birth, WORKING_AGE_YEARS), period.month_of(e.today)) + 1
    if (e.values["paid_months"] or 0) + (e.values["deemed_months"] or 0) > max(0, most):
        yield (f"年限超过满 16 岁以来的 {most} 个月，中心会核对", f"More than the {most} months since the age of 16")


@check("reason")
def unemployment_involuntary(e: Examination) -> Iterator[Words]:
    """Who left of their own will has no benefit."""
    if e.values["reason"] == "resigned":
        yield ("本人要求离职的，不能领失业保险金", "Who resigned has no unemployment benefit")


@check("paid_months")
def unemployment_paid_enough(e: Examination) -> Iterator[Words]:
    """A year paid since the last benefit."""
    needed, paid = e.parameter("unemployment/min_paid_months").number, e.values["paid_months"]
    if paid is not None and paid < needed and not e.values.get("unused_months"):
        yield (f"缴费不满 {needed} 个月", f"Fewer than {needed} months paid")


@check()
def draws_no_unemployment(e: Examination) -> Iterator[Words]:
    """One spell at a time."""
    if e.view.drawing(UNEMPLOYMENT):
        yield ("名册里已在领失业保险金", "Already draws unemployment benefit")


@check()
def not_employed(e: Examination) -> Iterator[Words]:
    """Nobody works and draws unemployment benefit."""
    if any(not job["ended_month"] for job in e.view.employments):
        yield ("名册里还有在职记录，请单位先办减员，中心会核对", "Still employed by the register; the hub will check")


@check("registered_on")
def unemployment_registered_then(e: Examination) -> Iterator[Words]:
    """The clock runs from the registration, which is an item of its own (社会保险法 50)."""
    given = e.values["registered_on"]
    if given and given > e.today.isoformat():
        yield (f"失业登记日期 {given} 还没有到", f"The registration on {given} is in the future")
    elif given and all(row["registered_on"] != given for row in e.view.rows_of("unemployment_spell")):
        yield (
            "名册里没有这一天的失业登记，中心会核对",
            "No registration of that day in the register; the hub will check",
        )
