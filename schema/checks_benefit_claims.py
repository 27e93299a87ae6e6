# SPDX-License-Identifier: Apache-2.0
"""Checks of claims paid once, of contributions paid later or back, and of relations that move."""

from __future__ import annotations

from collections.abc import Iterator

from schema import money, period
from schema.errors import ParameterNotFound
from schema.examination import Examination, Words, check
from schema.view import RESIDENT_PENSION

BIRTHS_APART_MONTHS = 7
LONG_BACK_MONTHS = 36
LEAVING_GRADES = range(5, 11)
RESIDENT_SINCE = 2009


@check()
def enrolled_now(e: Examination) -> Iterator[Words]:
    """A running relation to the resident pension."""
    if e.view.known and not e.view.enrolled(RESIDENT_PENSION):
        yield ("名册里没有正在参保的居民养老关系，先办参保登记", "Not in the resident pension now: enrol first")


@check("kind", "grade", "from_year", "to_year")
def grade_of_years(e: Examination) -> Iterator[Words]:
    """The grade is one of each year's."""
    grade = e.values["grade"]
    if grade is None:
        return
    for year in _years(e) or [str(e.today.year)]:
        grades = e.parameter("resident_pension/grades_fen", period.first_day(f"{year}-12")).numbers
        if grade not in grades:
            listed = "、".join(money.yuan(g).removesuffix(".00") for g in grades)
            yield (f"{year} 年没有这一档。可选：{listed} 元", f"{year} had no such grade; there were {listed} yuan")


@check("kind", "grade")
def grade_differs(e: Examination) -> Iterator[Words]:
    """A change changes something."""
    if e.values["kind"] != "change" or e.view.at_hub:
        return
    for relation in e.view.enrolled(RESIDENT_PENSION):
        if relation["grade_fen"] == e.values["grade"]:
            yield ("和现在的档次一样，不用变更", "The same grade as now: nothing to change")


@check("kind", "from_year", "to_year")
def back_years_possible(e: Examination) -> Iterator[Words]:
    """Past years, in order, since the scheme began and the person was sixteen."""
    first, last = e.values["from_year"], e.values["to_year"]
    if e.values["kind"] != "back_pay" or not first or not last:
        return
    birth = e.view.birth_on
    earliest = max(RESIDENT_SINCE, birth.year + 16 if birth else 0)
    if first > last:
        yield ("起始年份晚于终止年份", "The first year is after the last")
    elif int(first) < earliest:
        yield (f"最早可以补 {earliest} 年", f"{earliest} is the earliest year")
    elif int(last) >= e.today.year:
        yield ("补缴只补以前的年份，今年的直接缴", "Only past years are paid later; this year's is simply paid")


@check("child_born_on")
def birth_possible(e: Examination) -> Iterator[Words]:
    """The child is born, and the claim is made in time."""
    born = e.values["child_born_on"]
    if born and born > e.today.isoformat():
        yield (f"出生日期 {born} 还没有到", f"The birth on {born} is in the future")


@check()
def is_woman(e: Examination) -> Iterator[Words]:
    """The allowance is the mother's; fathers' leave is the employer's to pay."""
    if e.view.person.get("sex") == "1":
        yield (
            "生育津贴由生育的女职工申领；配偶护理假工资由单位付",
            "The allowance is the mother's; the employer pays fathers' leave",
        )


@check("paid_months")
def maternity_paid_enough(e: Examination) -> Iterator[Words]:
    """Enough months paid before the birth (R35)."""
    needed, paid = e.parameter("maternity/min_paid_months").number, e.values["paid_months"]
    if paid is not None and paid < needed:
        yield (f"缴费不满 {needed} 个月，中心会核对", f"Fewer than {needed} months paid; the hub will check")


@check("child_born_on")
def births_apart(e: Examination) -> Iterator[Words]:
    """Two births lie at least seven months apart (R35), and one birth is paid once."""
    born = e.values["child_born_on"]
    for order in e.view.rows_of("payment_order"):
        if born and order["kind"] == "maternity" and order["about_on"]:
            apart = abs(period.months_between(order["about_on"][:7], born[:7]))
            if apart < BIRTHS_APART_MONTHS:
                yield (
                    f"{order['about_on']} 的生育已付过津贴，相隔不足 7 个月",
                    f"Paid for a birth on {order['about_on']} already",
                )


@check("bill_no")
def bill_once(e: Examination) -> Iterator[Words]:
    """One bill is reimbursed once (R34)."""
    given = e.values["bill_no"]
    if given and any(order["about"] == given for order in e.view.rows_of("payment_order")):
        yield (f"票据 {given} 已经报销过", f"The bill {given} was reimbursed before")


@check("total", "self_paid", "first_part")
def bill_adds_up(e: Examination) -> Iterator[Words]:
    """The parts are not above the total."""
    total = e.values["total"]
    if total is not None and (e.values["self_paid"] or 0) + (e.values["first_part"] or 0) > total:
        yield ("自费和先行自付合计超过总金额", "Self-paid and first part together exceed the total")


@check("admitted_on", "discharged_on")
def stay_in_order(e: Examination) -> Iterator[Words]:
    """In before out, and out before now."""
    came, left = e.values["admitted_on"], e.values["discharged_on"]
    if came and left and came > left:
        yield ("入院日期晚于出院日期", "Admitted after being discharged")
    elif left and left > e.today.isoformat():
        yield (f"出院日期 {left} 还没有到", f"The discharge on {left} is in the future")


@check("discharged_on")
def bill_in_time(e: Examination) -> Iterator[Words]:
    """Bills are handed in within the window of the pooling city."""
    left, months = e.values["discharged_on"], e.parameter("medical/claim_window_months").number
    if left and period.months_between(left[:7], period.month_of(e.today)) > months:
        yield (
            f"出院已超过 {months} 个月，中心会核对",
            f"More than {months} months since the discharge; the hub will check",
        )


@check("cause")
def cause_covered(e: Examination) -> Iterator[Words]:
    """Another fund or somebody else pays for these (社会保险法 30)."""
    words = {
        "work": ("工伤由工伤保险付，请办工伤待遇申领", "Work injury: claim it from that fund"),
        "third_party": (
            "应由第三人负担的不能报。第三人不付的，另行申请先行支付",
            "A third party pays; ask for advance payment if not",
        ),
        "abroad": ("在境外就医的不能报", "Care abroad is not covered"),
    }  # fmt: skip
    if e.values["cause"] in words:
        yield words[e.values["cause"]]


@check("grade")
def injury_grade_known(e: Examination) -> Iterator[Words]:
    """The grade is the one of the appraisal in the register."""
    grades = {row["grade"] for row in e.view.rows_of("injury") if row["grade"]}
    given = e.values["grade"]
    if given and given.zfill(2) not in {g.zfill(2) for g in grades}:
        yield (
            "名册里没有这个等级的鉴定结论，中心会核对",
            "No appraisal with this grade in the register; the hub will check",
        )


@check("grade", "claimed")
def injury_items_fit(e: Examination) -> Iterator[Words]:
    """Grants on leaving are for grades 5 to 10; the fund's monthly allowance is for grades 1 to 4."""
    grade, claimed = e.values["grade"], e.values["claimed"] or []
    if grade and "leaving" in claimed and int(grade) not in LEAVING_GRADES:
        yield ("一至四级保留劳动关系，没有离职的两项补助", "Grades 1 to 4 keep their post: no grants on leaving")
    if grade and "monthly" in claimed and int(grade) > 4:
        yield (
            "五、六级的伤残津贴由单位按月发，七至十级没有",
            "The employer pays the allowance of grades 5 and 6; 7 to 10 have none",
        )


@check("graded_on")
def graded_in_past(e: Examination) -> Iterator[Words]:
    """The appraisal has been made."""
    if e.values["graded_on"] and e.values["graded_on"] > e.today.isoformat():
        yield (f"鉴定日期 {e.values['graded_on']} 还没有到", "The appraisal is dated in the future")


@check("from_month", "to_month")
def span_in_order(e: Examination) -> Iterator[Words]:
    """From before to."""
    first, last = e.values["from_month"], e.values["to_month"]
    if first and last and first > last:
        yield ("起始月份晚于终止月份", "The first month is after the last")


@check("from_month", "to_month")
def back_pay_long(e: Examination) -> Iterator[Words]:
    """More than three years back needs proof of the labour relation (R19)."""
    first, last = e.values["from_month"], e.values["to_month"]
    if first and last and first <= last and first < period.month_of(e.today):
        months = period.months_between(first, min(last, period.month_of(e.today))) + 1
        if months > LONG_BACK_MONTHS:
            yield (
                f"补缴 {months} 个月，超过三年，中心会核对劳动关系",
                f"{months} months back: the hub will check the proof",
            )


@check("from_month")
def limits_recorded(e: Examination) -> Iterator[Words]:
    """The limits of that month are in the parameters; otherwise no amount can be computed."""
    month = e.values["from_month"]
    if not month:
        return
    try:
        e.parameter("contribution/base_floor_fen", period.first_day(month))
        e.parameter("contribution/base_cap_fen", period.first_day(month))
    except ParameterNotFound:
        yield (
            f"参数里没有 {month} 的缴费基数上下限，算不出金额，由中心补上后核定",
            f"The limits of {month} are not recorded: the hub adds them before it computes the amount",
        )


@check("amount")
def amount_not_zero(e: Examination) -> Iterator[Words]:
    """An amount of nothing is nothing to pay back."""
    if e.values["amount"] == 0:
        yield ("金额是零", "The amount is zero")


@check("receipt")
def refund_once(e: Examination) -> Iterator[Words]:
    """One receipt is refunded once."""
    given = e.values["receipt"]
    if given and any(o["about"] == given and o["kind"] == "refund" for o in e.view.rows_of("payment_order")):
        yield (f"票据 {given} 已经退过", f"The receipt {given} was refunded before")


@check("from_on", "to_on")
def care_period_possible(e: Examination) -> Iterator[Words]:
    """A filing ends after it begins."""
    first, last = e.values["from_on"], e.values["to_on"]
    if first and last and first > last:
        yield ("终止日期早于起始日期", "It ends before it begins")


@check("from_on")
def care_not_filed_yet(e: Examination) -> Iterator[Words]:
    """One filing at a time."""
    first = e.values["from_on"]
    for row in e.view.rows_of("care_filing"):
        if first and not e.view.at_hub and row["from_on"] <= first and (row["to_on"] or first) >= first:
            yield (
                f"已备案去{row['place']}（{row['from_on']} 起），新的备案会接着用",
                f"Filed for {row['place']} already",
            )


def _years(e: Examination) -> list[str]:
    """The years of a back payment, at most fifty."""
    first, last = e.values["from_year"], e.values["to_year"]
    if e.values["kind"] != "back_pay" or not first or not last:
        return []
    return [str(y) for y in range(max(int(first), RESIDENT_SINCE), min(int(last), e.today.year) + 1)]
