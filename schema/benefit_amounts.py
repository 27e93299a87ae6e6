# SPDX-License-Identifier: Apache-2.0
"""What a case about money comes to: the same function for the estimate at the counter and the effect at the hub.

Each takes the parsed values of the item, the person's view, the day of knowledge and the parameters, and leaves a
trace. Raises ParameterNotFound where the law or a parameter does not reach the case's day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from schema import period
from schema.parameter import Parameters
from schema.rules import contributions, death, employee_pension, injury, maternity, medical, pension, retirement
from schema.rules import unemployment as unemployment_rules
from schema.rules.trace import Trace
from schema.view import EMPLOYEE_PENSION, RESIDENT_PENSION, PersonView

Values = dict[str, Any]


@dataclass(frozen=True)
class Pay:
    """One amount to be paid once. `kind` as in `payment_order`; `payer` fund or employer."""

    kind: str
    insurance: str
    amount_fen: int
    payer: str = injury.FUND


@dataclass(frozen=True)
class Due:
    """Months or a year to be paid in later: base or grade of each month or year, and how much in all."""

    from_month: str
    to_month: str
    base_fen: int
    due_fen: int


def death_payments(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> list[Pay]:
    """Funeral and survivor grant of the employee pension, or the resident pension's funeral grant; the accounts."""
    died = date.fromisoformat(values["died_on"])
    out = []
    if values["scheme"] == EMPLOYEE_PENSION:
        drawn = values["drawn_months"] if values["retired"] else None
        grants = death.employee_grants(values["paid_months"] or 0, drawn, died, known_on, parameters, trace)
        out += [
            Pay("funeral", EMPLOYEE_PENSION, grants.funeral_fen),
            Pay("survivor", EMPLOYEE_PENSION, grants.survivor_fen),
        ]
    else:
        out.append(Pay("funeral", RESIDENT_PENSION, death.resident_funeral(died, known_on, parameters, trace)))
    out += [
        Pay("inheritance", a["insurance"], a["balance_fen"]) for a in view.rows_of("account") if a["balance_fen"] > 0
    ]
    return [pay for pay in out if pay.amount_fen]


def overpaid(died_on: str, view: PersonView) -> tuple[int, int]:
    """Months paid after the month of death, and how much that was; of all benefits of the person together."""
    months = amount = 0
    for benefit in view.benefits:
        late = period.months_between(died_on[:7], benefit["paid_through"]) if benefit["paid_through"] else 0
        months += max(0, late)
        amount += max(0, late) * (benefit["basic_fen"] + benefit["account_fen"] + benefit["extra_fen"])
    return months, amount


def employee_pension_of(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> employee_pension.EmployeePension:
    """The monthly pension from the month after retirement."""
    month = values["retire_month"]
    assert view.birth_on is not None, "only a person in the register can retire"
    months = period.months_between(period.month_of(view.birth_on), month)
    return employee_pension.monthly_pension(
        values["index"], (values["paid_months"] or 0) + (values["deemed_months"] or 0),
        values["months_before_1998"] or 0, values["balance"] or 0, months // 12, period.first_day(month), known_on,
        parameters, trace, age_months=months % 12,
    )  # fmt: skip


def retirement_of(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> retirement.Retirement | None:
    """The legal month and its window for the group chosen; None while birth or group is unknown."""
    if view.birth_on is None or not values.get("group"):
        return None
    return retirement.legal_month(view.birth_on, int(values["group"]), known_on, known_on, parameters, trace)


def unemployment_of(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> tuple[unemployment_rules.Entitlement, int]:
    """For how many months, and how much a month; by the law of the day of registration."""
    on = date.fromisoformat(values["registered_on"])
    months = unemployment_rules.benefit_months(
        values["paid_months"], on, known_on, parameters, trace, unused_months=values["unused_months"] or 0
    )
    return months, unemployment_rules.monthly_benefit(on, known_on, parameters, trace)


def maternity_of(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> tuple[int, int]:
    """Days of leave and the allowance."""
    born = date.fromisoformat(values["child_born_on"])
    days = maternity.leave_days(
        values["child"], born, known_on, parameters, trace, babies=values["babies"], difficult=values["difficult"]
    )
    return days, maternity.allowance(values["employer_wage"], days, born, known_on, parameters, trace)


def medical_of(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> medical.Reimbursement:
    """Who pays what of the bill. Care in another city counts as filed where the register has a filing for the day."""
    left_on = values["discharged_on"]
    filed = any(
        row["from_on"] <= left_on and (row["to_on"] or left_on) >= left_on for row in view.rows_of("care_filing")
    )
    bill = medical.Bill(
        total_fen=values["total"], self_paid_fen=values["self_paid"] or 0, first_part_fen=values["first_part"] or 0,
        level=int(values["hospital_level"]), admission=values["admission"], retired=values["retired"],
        unfiled_elsewhere=values["elsewhere"] and not filed, assisted=values["assisted"],
    )  # fmt: skip
    return medical.reimbursement(bill, date.fromisoformat(left_on), known_on, parameters, trace)


def injury_payments(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> list[Pay]:
    """The one-off amounts claimed: disability grant, grants on leaving, bills."""
    on, grade = date.fromisoformat(values["graded_on"]), int(values["grade"])
    out = []
    if "one_off" in values["claimed"]:
        wage = injury.own_wage(values["wage"], on, known_on, parameters, trace)
        one_off = injury.one_off_grant(grade, wage, on, known_on, parameters, trace)
        out.append(Pay("injury_one_off", "work_injury", one_off))
    if "leaving" in values["claimed"]:
        left = values["months_to_retirement"]
        grants = injury.leaving_grants(grade, 60 if left is None else left, on, known_on, parameters, trace)
        out.append(Pay("injury_medical", "work_injury", grants.medical_fen))
        out.append(Pay("injury_employment", "work_injury", grants.employment_fen, injury.EMPLOYER))
    if "bills" in values["claimed"]:
        out.append(Pay("injury_bills", "work_injury", values["bills"] or 0))
    return [pay for pay in out if pay.amount_fen]


def injury_monthly(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> tuple[int, int]:
    """What the fund pays each month: disability allowance (grades 1 to 4) and nursing."""
    on, grade = date.fromisoformat(values["graded_on"]), int(values["grade"])
    allowance = nursing = 0
    if "monthly" in values["claimed"] and injury.allowance_payer(grade) == injury.FUND:
        wage = injury.own_wage(values["wage"], on, known_on, parameters, trace)
        allowance = injury.monthly_allowance(grade, wage, on, known_on, parameters, trace)
    if "nursing" in values["claimed"]:
        nursing = injury.nursing(int(values["nursing_level"] or 0), on, known_on, parameters, trace)
    return allowance, nursing


def grades_due(values: Values) -> list[Due]:
    """Each past year of the resident pension that is paid later, at the grade chosen."""
    first, last = int(values["from_year"]), int(values["to_year"])
    return [Due(f"{y}-01", f"{y}-12", values["grade"], values["grade"]) for y in range(first, last + 1)]


def months_due(
    values: Values, view: PersonView, known_on: date, parameters: Parameters, trace: Trace | None = None
) -> Due:
    """Months of an insurance paid later or further on, month by month with the limits and rates of that month."""
    month, last, due, base = values["from_month"], values["to_month"], 0, 0
    while month <= last:
        # The same words a hundred times would hide the sum: the trace shows the first month.
        line = trace if month == values["from_month"] else None
        on = period.first_day(month)
        base = contributions.base(values["base"], on, known_on, parameters, line)
        if values["payer"] == "employer":
            due += contributions.monthly(values["insurance"], base, on, known_on, parameters, line).total_fen
        else:
            due += contributions.flexible(values["insurance"], base, on, known_on, parameters, line).total_fen
        month = period.add_months(month, 1)
    return Due(values["from_month"], last, base, due)


def subsidy_of(grade_fen: int, year: str, known_on: date, parameters: Parameters, trace: Trace | None = None) -> int:
    """The government's subsidy of a grade in a year."""
    return pension.resident_subsidy(grade_fen, date(int(year), 1, 1), known_on, parameters, trace)
