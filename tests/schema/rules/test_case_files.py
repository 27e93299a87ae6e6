# SPDX-License-Identifier: Apache-2.0
"""The rules of benefits and contributions by their case files (tests/cases/rules), which a policy officer can read.

`given` are the rule's arguments, `gives` what must come out. Amounts are yuan in quotes and lose the ending `_fen`:
`balance` is the argument `balance_fen`; a result that is one number is `amount` (yuan) or `result` (as it is).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date
from inspect import signature
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import ParameterNotFound
from schema.money import parse_yuan
from schema.parameter import Parameters, Value
from schema.rules import (
    contributions,
    death,
    employee_pension,
    injury,
    maternity,
    medical,
    retirement,
    unemployment,
)
from schema.rules.medical import Bill
from schema.rules.trace import Trace
from tests.schema.domain import CASES, parameters, read

RULES: dict[str, Callable[..., Any]] = {
    "average_index": employee_pension.average_index,
    "basic_pension": employee_pension.basic_pension,
    "account_pension": employee_pension.account_pension,
    "transitional_pension": employee_pension.transitional_pension,
    "monthly_pension": employee_pension.monthly_pension,
    "lump_sum": employee_pension.lump_sum,
    "account_interest": employee_pension.account_interest,
    "legal_month": retirement.legal_month,
    "min_paid_months": retirement.min_paid_months,
    "early_month": retirement.early_month,
    "unemployment_months": unemployment.benefit_months,
    "unemployment_monthly": unemployment.monthly_benefit,
    "injury_own_wage": injury.own_wage,
    "injury_one_off": injury.one_off_grant,
    "injury_monthly_allowance": injury.monthly_allowance,
    "injury_nursing": injury.nursing,
    "injury_leaving": injury.leaving_grants,
    "injury_death": injury.death_grants,
    "injury_dependants": injury.dependants_allowance,
    "death_employee_grants": death.employee_grants,
    "death_resident_funeral": death.resident_funeral,
    "maternity_leave_days": maternity.leave_days,
    "maternity_allowance": maternity.allowance,
    "medical_reimbursement": medical.reimbursement,
    "contribution_base": contributions.base,
    "contribution_undeclared": contributions.undeclared,
    "contribution_monthly": contributions.monthly,
    "contribution_flexible": contributions.flexible,
    "contribution_late_fee": contributions.late_fee,
}
FILES = {name: read(CASES / "rules" / f"{name}.toml") for name in RULES}
ON = date(2026, 11, 1)


def cases() -> list[Any]:
    return [pytest.param(name, c, id=f"{name}-{c['name']}") for name, file in FILES.items() for c in file["cases"]]


@pytest.mark.parametrize(("name", "case"), cases())
def test_rule(name: str, case: dict[str, Any]) -> None:
    rule, trace = RULES[name], Trace()
    known = set(signature(rule).parameters)
    common = {"on": case["on"], "known_on": case.get("known_on"), "parameters": parameters()}
    arguments = {k: v for k, v in common.items() if k in known} | _arguments(name, case["given"], known)
    found = rule(**arguments, trace=trace)
    assert rule(**arguments) == found, "with and without a trace"
    for key, expected in case["gives"].items():
        assert _result(found, key) == _plain(key, expected), key
    assert trace.lines[-1].rule == FILES[name]["rule"]
    assert trace.lines[-1].law and all(trace.lines[-1].formula.values())


def _arguments(name: str, given_: dict[str, Any], known: set[str]) -> dict[str, Any]:
    if name == "average_index":
        return {"years": [(parse_yuan(base), parse_yuan(wage), months) for base, wage, months in given_["years"]]}
    if name == "account_interest":
        credited = {int(month): parse_yuan(text) for month, text in given_["credited"].items()}
        return {"opening_fen": parse_yuan(given_["opening"]), "credited": credited}
    if name == "medical_reimbursement":
        return {"bill": Bill(**_with_fen(given_, {f.name for f in fields(Bill)}))}
    if name == "death_employee_grants":
        return {"drawn_months": None, **given_}
    return _with_fen(given_, known)


def _with_fen(given_: dict[str, Any], known: set[str]) -> dict[str, Any]:
    return {f"{k}_fen" if f"{k}_fen" in known else k: _amount(k, v, known) for k, v in given_.items()}


def _amount(key: str, value: Any, known: set[str]) -> Any:
    return parse_yuan(value) if f"{key}_fen" in known else value


def _result(found: Any, key: str) -> Any:
    if not is_dataclass(found):
        return found
    return getattr(found, f"{key}_fen") if hasattr(found, f"{key}_fen") else getattr(found, key)


def _plain(key: str, expected: Any) -> Any:
    if key == "amounts":
        return tuple(map(parse_yuan, expected))
    return parse_yuan(expected) if isinstance(expected, str) and "." in expected else expected


def changed(name: str, number: int) -> Parameters:
    """The parameters with one of them put to another number."""
    out = {p.name: p for p in parameters()}
    old = out[name]
    values = tuple(Value(v.name, number, v.unit, v.from_, v.published, v.source, v.verified) for v in old.values)
    return Parameters(out | {name: type(old)(old.name, old.title, old.unit, values)})


def test_where_the_county_counts_months_of_age_the_divisor_lies_between_the_two_ages() -> None:
    by_month = changed("pension/payout_by_month", 1)
    # 132 - 7 * 5 / 12 = 129.08 months at 61 years and 5 months.
    assert employee_pension.account_pension(12_908_333, 61, ON, None, by_month, age_months=5) == 100_000
    assert employee_pension.account_pension(13_200_000, 61, ON, None, parameters(), age_months=5) == 100_000
    assert employee_pension.account_pension(5_600_000, 70, ON, None, by_month, age_months=5) == 100_000


def test_interest_may_be_rounded_up_to_the_jiao() -> None:
    up = changed("pension/interest_up_to_fen", 10)
    day = date(2024, 12, 31)
    assert employee_pension.account_interest(10_000_000, dict.fromkeys(range(1, 13), 40_000), day, None, up) == 268_820
    assert employee_pension.account_interest(100, {}, day, None, up) == 10


def test_without_a_paid_month_there_is_no_index() -> None:
    with pytest.raises(ValueError, match="no paid month"):
        employee_pension.average_index([(500_000, 800_000, 0)], ON)


def test_a_group_or_class_or_float_the_law_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="retired at 57"):
        retirement.legal_month(date(1970, 1, 1), 57, ON, None, parameters())
    with pytest.raises(ValueError, match="70 % is no floating rate"):
        contributions.monthly("work_injury", 500_000, ON, None, parameters(), float_percent=70)
    with pytest.raises(KeyError):
        contributions.monthly("work_injury", 500_000, ON, None, parameters(), injury_class=9)
    with pytest.raises(ValueError, match="above the total"):
        medical.reimbursement(Bill(100, self_paid_fen=101), ON, None, parameters())


def test_years_whose_limits_are_not_recorded_are_not_guessed() -> None:
    with pytest.raises(ParameterNotFound, match="base_floor_fen"):
        contributions.base(500_000, date(2015, 6, 1), None, parameters())


@given(st.dates(date(1950, 1, 1), date(2000, 12, 31)), st.sampled_from([50, 55, 60]))
def test_a_later_birth_never_retires_earlier_and_the_window_surrounds_the_legal_month(birth: date, age: int) -> None:
    found = retirement.legal_month(birth, age, ON, None, parameters())
    later = retirement.legal_month(birth.replace(year=birth.year + 1, day=1), age, ON, None, parameters())
    assert found.month < later.month
    assert found.earliest <= found.month < found.latest
    assert 0 <= found.delay_months <= (60 if age == 50 else 36)


@given(
    st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 10**7), st.integers(1, 3), st.integers(1, 4),
    st.booleans(), st.booleans(), st.booleans(), st.integers(0, 10**8), st.integers(0, 10**8),
)  # fmt: skip
def test_the_parts_of_a_bill_add_up_and_none_is_negative(
    total: int, own: int, first: int, level: int, admission: int, retired: bool, unfiled: bool, assisted: bool,
    used: int, left: int,
) -> None:  # fmt: skip
    bill = Bill(total + own + first, own, first, level, admission, retired, unfiled, assisted, used, left)
    found = medical.reimbursement(bill, ON, None, parameters())
    assert found.paid_fen + found.own_fen == bill.total_fen
    assert min(found.pooled_fen, found.serious_fen, found.assistance_fen) >= 0
    assert found.own_fen >= own + first


@given(st.integers(0, 10**7), st.lists(st.tuples(st.sampled_from(["spouse", "other"]), st.booleans()), max_size=6))
def test_dependants_together_never_get_more_than_the_wage(wage: int, dependants: list[tuple[str, bool]]) -> None:
    amounts = injury.dependants_allowance(wage, dependants, ON, None, parameters())
    # Below the limit each is rounded by itself.
    assert len(amounts) == len(dependants) and sum(amounts) <= wage + len(dependants)
