# SPDX-License-Identifier: Apache-2.0
"""The trial calculations: employee pension, resident pension, unemployment benefit, contributions."""

from __future__ import annotations

from datetime import date

from schema import period
from schema.parameter import Parameters
from schema.rules import contributions, employee_pension, pension, retirement, unemployment
from schema.rules.employee_pension import INDEX_ONE
from schema.rules.retirement import Retirement
from schema.rules.trace import Trace
from schema.service_parts import Choice
from schema.view import EMPLOYEE_PENSION, RESIDENT_PENSION, PersonView
from schema.what_if import (
    TOPICS,
    Cell,
    Column,
    Outcome,
    Topic,
    Values,
    account_of,
    age_text,
    employer_class,
    form_field,
)

GROUPS = (
    Choice("60", {"zh": "男 60 岁", "en": "Men, 60"}),
    Choice("55", {"zh": "女 55 岁（管理技术岗）", "en": "Women, 55"}),
    Choice("50", {"zh": "女 50 岁", "en": "Women, 50"}),
)
WAYS = (
    Choice("employee", {"zh": "单位职工", "en": "Employee"}),
    Choice("flexible", {"zh": "灵活就业", "en": "Flexible worker"}),
)
CLASSES = tuple(Choice(str(n), {"zh": f"{n} 类", "en": f"Class {n}"}) for n in range(1, 9))
INSURANCES = {
    "employee_pension": {"zh": "职工养老", "en": "Employee pension"},
    "employee_medical": {"zh": "职工医保", "en": "Employee medical"},
    "unemployment": {"zh": "失业保险", "en": "Unemployment"},
    "work_injury": {"zh": "工伤保险", "en": "Work injury"},
    "maternity": {"zh": "生育保险", "en": "Maternity"},
}
NO_INTEREST = {"zh": "以后的利息、补贴调整", "en": "interest and changes of subsidies to come"}
NO_RAISES = {
    "zh": "以后的利息、工资增长和计发基数调整；指数按现在的算",
    "en": "interest, rising wages and changes of the base to come; the index stays as it is",
}
TOO_FEW = {"zh": "年限不够", "en": "too few years"}


def _column(zh: str, en: str, *, money: bool = False) -> Column:
    return Column({"zh": zh, "en": en}, money)


def employee(values: Values, today: date, parameters: Parameters) -> Outcome:
    """A monthly pension for every choice of the month: the earliest, the legal one, each year after, the latest."""
    trace = Trace()
    birth, this = date.fromisoformat(values["birth_on"]), period.month_of(today)
    legal = retirement.legal_month(birth, int(values["group"]), today, today, parameters, trace)
    months = _months_to_choose(legal, this)
    rows = [
        employee_row(values, birth, month, today, parameters, trace if month == max(legal.month, months[0]) else None)
        for month in months
    ]
    columns = (
        _column("退休月份", "Retires in"), _column("年龄（岁-月）", "Age (years-months)"),
        _column("缴费月数", "Months paid"), _column("要求月数", "Months needed"),
        _column("个人账户", "Account", money=True), _column("基础养老金", "Basic", money=True),
        _column("账户养老金", "Account part", money=True), _column("过渡性", "Transitional", money=True),
        _column("每月合计", "Per month", money=True),
    )  # fmt: skip
    return Outcome(columns, rows, months.index(max(legal.month, months[0])), (NO_RAISES,), trace)


def employee_row(
    values: Values, birth: date, month: str, today: date, parameters: Parameters, trace: Trace | None
) -> list[Cell]:
    """One month of retirement: what is paid until then is paid on the base given, 8 % of it into the account."""
    on, more = period.first_day(month), max(0, period.months_between(period.month_of(today), month))
    base = contributions.base(values["base"] or 0, today, today, parameters, trace)
    shares = contributions.monthly(EMPLOYEE_PENSION, base, today, today, parameters, trace)
    paid = values["paid_months"] + (values["deemed_months"] or 0) + more
    balance = values["balance"] + more * shares.account_fen
    needed = retirement.min_paid_months(month, today, today, parameters, trace)
    age = period.months_between(period.month_of(birth), month)
    found = employee_pension.monthly_pension(
        values["index"], paid, values["months_before_1998"] or 0, balance, age // 12, on, today, parameters, trace,
        age_months=age % 12,
    )  # fmt: skip
    total: Cell = found.total_fen if paid >= needed else TOO_FEW
    parts: list[Cell] = [balance, found.basic_fen, found.account_fen, found.transitional_fen]
    return [month, age_text(birth, month), str(paid), str(needed), *parts, total]


def _months_to_choose(legal: Retirement, this: str) -> list[str]:
    first, last = max(legal.earliest, this), max(legal.latest, this)
    every = [period.add_months(legal.month, 12 * n) for n in range(-3, 4)]
    return sorted({first, last, *(month for month in every if first < month < last)})


def resident(values: Values, today: date, parameters: Parameters) -> Outcome:
    """A monthly resident pension for every grade, paid each year until the claim age."""
    trace = Trace()
    birth, this = date.fromisoformat(values["birth_on"]), period.month_of(today)
    claim = max(this, pension.claim_month(birth, today, today, parameters, trace))
    years = period.months_between(this, claim) // 12
    on, age = period.first_day(claim), period.age_on(birth, period.last_day(claim))
    rows: list[list[Cell]] = []
    grades = parameters.at("resident_pension/grades_fen", today, today).numbers
    for grade in grades:
        line = trace if grade == grades[0] else None
        subsidy = pension.resident_subsidy(grade, today, today, parameters, line)
        balance, paid = values["balance"] + years * (grade + subsidy), values["paid_months"] + 12 * years
        found = pension.resident_monthly_benefit(balance, age, on, today, parameters, line, paid_months=paid)
        needed = parameters.at("resident_pension/min_paid_years", on, today).number
        total: Cell = found.total_fen if paid >= 12 * needed else TOO_FEW
        rows.append(
            [grade, subsidy, str(years), balance, found.basic_fen, found.account_fen, found.extra_fen, claim, total]
        )
    columns = (
        _column("每年缴", "Per year", money=True), _column("每年补贴", "Subsidy", money=True),
        _column("还缴几年", "Years to pay"), _column("到时账户", "Account then", money=True),
        _column("基础养老金", "Basic", money=True), _column("账户养老金", "Account part", money=True),
        _column("长缴加发", "Addition", money=True), _column("起领月份", "Drawn from"),
        _column("每月合计", "Per month", money=True),
    )  # fmt: skip
    return Outcome(columns, rows, -1, (NO_INTEREST,), trace)


def unemployed(values: Values, today: date, parameters: Parameters) -> Outcome:
    """For how many months, and how much."""
    trace = Trace()
    on = date.fromisoformat(values["registered_on"])
    found = unemployment.benefit_months(
        values["paid_months"], on, today, parameters, trace, unused_months=values["unused_months"] or 0
    )
    monthly = unemployment.monthly_benefit(on, today, parameters, trace)
    last = period.add_months(period.month_of(on), max(0, found.months - 1))
    columns = (
        _column("可领月数", "Months"), _column("其中上次剩余", "Of them left over"), _column("从", "From"),
        _column("到", "To"), _column("每月", "Per month", money=True), _column("合计", "In all", money=True),
    )  # fmt: skip
    span = (period.month_of(on), last) if found.months else ("--", "--")
    row: list[Cell] = [str(found.months), str(found.carried), *span, monthly, monthly * found.months]
    return Outcome(columns, [row], -1, (), trace)


def contribution(values: Values, today: date, parameters: Parameters) -> Outcome:
    """What is due each month of a wage, insurance by insurance."""
    trace = Trace()
    base = contributions.base(values["wage"], today, today, parameters, trace)
    rows: list[list[Cell]] = []
    totals = [0, 0, 0, 0]
    for insurance, title in INSURANCES.items():
        if values["way"] == "employee":
            risk = int(values["injury_class"] or 1)
            shares = contributions.monthly(insurance, base, today, today, parameters, trace, injury_class=risk)
        elif insurance in ("employee_pension", "employee_medical"):
            shares = contributions.flexible(insurance, base, today, today, parameters, trace)
        else:
            continue
        parts = (shares.employer_fen, shares.employee_fen, shares.account_fen, shares.total_fen)
        totals = [before + part for before, part in zip(totals, parts, strict=True)]
        rows.append([title, base, *parts])
    rows.append([{"zh": "合计", "en": "Total"}, base, *totals])
    columns = (
        _column("险种", "Insurance"), _column("缴费基数", "Base", money=True),
        _column("单位缴", "Employer", money=True), _column("个人缴", "Person", money=True),
        _column("其中记账户", "Of it credited", money=True), _column("合计", "Total", money=True),
    )  # fmt: skip
    return Outcome(columns, rows, len(rows) - 1, (), trace)


def _of_employee(view: PersonView, today: date) -> Values:
    account = account_of(view, EMPLOYEE_PENSION)
    wage = next((job["wage_fen"] for job in reversed(view.employments) if not job["ended_month"]), None)
    return {
        "birth_on": view.person.get("birth_on"), "group": "60" if view.person.get("sex") == "1" else "50", "base": wage,
        "index": INDEX_ONE, "paid_months": account.get("paid_months"), "balance": account.get("balance_fen"),
    }  # fmt: skip


def _of_resident(view: PersonView, today: date) -> Values:
    account = account_of(view, RESIDENT_PENSION)
    return {
        "birth_on": view.person.get("birth_on"), "paid_months": account.get("paid_months", 0),
        "balance": account.get("balance_fen", 0),
    }  # fmt: skip


def _of_unemployed(view: PersonView, today: date) -> Values:
    spells = [row["registered_on"] for row in view.rows_of("unemployment_spell") if not row["ended_on"]]
    return {
        "registered_on": max(spells, default=today.isoformat()),
        "paid_months": account_of(view, "unemployment").get("paid_months"),
    }


def _of_contribution(view: PersonView, today: date) -> Values:
    wage = next((job["wage_fen"] for job in reversed(view.employments) if not job["ended_month"]), None)
    return {"way": "employee" if wage else "flexible", "wage": wage, "injury_class": employer_class(view) or None}


BIRTH = form_field("birth_on", "date", "出生日期", "Birth date")
_MONTHS = {"at_most": 720}
for _topic in (
    Topic(
        "employee", {"zh": "职工养老金", "en": "Employee pension"},
        (
            BIRTH,
            form_field("group", "choice", "原退休年龄", "Former retirement age", choices=GROUPS),
            form_field("base", "money", "以后的月缴费基数", "Base per month from now on"),
            form_field("index", "number", "平均缴费指数", "Average index", at_least=1, at_most=50000,
                       hint={"zh": "以万分之一计：0.85 填 8500", "en": "In ten-thousandths: 8500 for 0.85"}),
            form_field("paid_months", "number", "已缴月数", "Months paid", **_MONTHS),
            form_field("deemed_months", "number", "视同缴费月数", "Deemed months", required=False, **_MONTHS),
            form_field("months_before_1998", "number", "其中 1998 年前", "Before 1998", required=False, **_MONTHS),
            form_field("balance", "money", "个人账户储存额", "Balance of the account"),
        ),
        employee, _of_employee,
    ),
    Topic(
        "resident", {"zh": "城乡居民养老金", "en": "Resident pension"},
        (
            BIRTH,
            form_field("paid_months", "number", "已缴月数", "Months paid", **_MONTHS),
            form_field("balance", "money", "个人账户储存额", "Balance of the account"),
        ),
        resident, _of_resident,
    ),
    Topic(
        "unemployment", {"zh": "失业保险金", "en": "Unemployment benefit"},
        (
            form_field("registered_on", "date", "失业登记日期", "Registered on"),
            form_field("paid_months", "number", "缴费月数", "Months paid", **_MONTHS),
            form_field("unused_months", "number", "上次没领完的月数", "Months left over", required=False, at_most=24),
        ),
        unemployed, _of_unemployed,
    ),
    Topic(
        "contribution", {"zh": "社会保险费", "en": "Contributions"},
        (
            form_field("way", "choice", "参保方式", "How insured", choices=WAYS),
            form_field("wage", "money", "月工资或选定基数", "Wage or chosen base per month"),
            form_field("injury_class", "choice", "行业类别", "Industry class", required=False, choices=CLASSES),
        ),
        contribution, _of_contribution,
    ),
):  # fmt: skip
    TOPICS[_topic.id] = _topic
