# SPDX-License-Identifier: Apache-2.0
"""Every rule by its case file (tests/cases/rules), which a policy officer can read; dated rules and their trace."""

from __future__ import annotations

import importlib
import json
import pkgutil
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import rules
from schema.errors import ParameterNotFound
from schema.money import parse_yuan
from schema.rules import pension
from schema.rules import trace as tracing
from schema.rules.trace import RULES, Trace, rule
from tests.schema.domain import CASES, parameters, read

FILES = {path.stem: read(path) for path in sorted((CASES / "rules").glob("*.toml"))}
ON = date(2026, 11, 1)


def cases(name: str) -> list[Any]:
    return [pytest.param(c, id=c["name"]) for c in FILES[name]["cases"]]


@pytest.mark.parametrize("case", cases("resident_monthly_benefit"))
def test_resident_monthly_benefit(case: dict[str, Any]) -> None:
    trace = Trace()
    found = pension.resident_monthly_benefit(
        parse_yuan(case["balance"]), case["age"], case["on"], case.get("known_on"), parameters(), trace
    )
    assert found.basic_fen == parse_yuan(case["basic"])
    assert found.account_fen == parse_yuan(case["account"])
    assert found.total_fen == parse_yuan(case["total"])
    assert trace.lines[0].result == found.total_fen


@pytest.mark.parametrize("case", cases("resident_subsidy"))
def test_resident_subsidy(case: dict[str, Any]) -> None:
    found = pension.resident_subsidy(parse_yuan(case["grade"]), case["on"], None, parameters())
    assert found == parse_yuan(case["subsidy"])


@pytest.mark.parametrize("case", cases("claim_month"))
def test_claim_month(case: dict[str, Any]) -> None:
    assert pension.claim_month(case["birth"], case["on"], None, parameters()) == case["month"]


def test_every_rule_has_a_case_file() -> None:
    for module in pkgutil.iter_modules(rules.__path__):
        importlib.import_module(f"schema.rules.{module.name}")
    assert {file["rule"] for file in FILES.values()} == {name for name in RULES if not name.startswith("test.")}


def test_below_the_claim_age_there_is_no_benefit() -> None:
    with pytest.raises(ValueError, match="claim age of 60"):
        pension.resident_monthly_benefit(100, 59, ON, None, parameters())


@given(st.integers(0, 10**9), st.integers(0, 600))
def test_the_parts_add_up_and_more_money_never_means_less_pension(balance: int, months: int) -> None:
    found = pension.resident_monthly_benefit(balance, 60, ON, None, parameters(), paid_months=months)
    more = pension.resident_monthly_benefit(balance + 139, 60, ON, None, parameters(), paid_months=months)
    assert found.total_fen == found.basic_fen + found.account_fen + found.extra_fen
    assert more.account_fen == found.account_fen + 1


def test_before_there_was_a_scheme_there_is_no_rule() -> None:
    with pytest.raises(ParameterNotFound, match=r"resident_pension\.monthly_benefit"):
        pension.resident_monthly_benefit(100, 60, date(2009, 8, 31), None, parameters())


def test_the_trace_names_formula_law_inputs_and_documents() -> None:
    trace = Trace()
    pension.resident_monthly_benefit(1_820_000, 60, ON, date(2026, 11, 25), parameters(), trace, paid_months=192)
    (line,) = json.loads(trace.to_json())
    assert line["rule"] == "resident_pension.monthly_benefit"
    assert "国发〔2014〕8号" in line["law"]
    assert "÷" in line["formula"]["zh"] and "/" in line["formula"]["en"]
    assert line["inputs"]["balance_fen"] == 1_820_000
    assert line["inputs"]["account_fen"] == 13_094
    assert line["result"] == 48_094
    documents = {p["name"]: (p["value"], p["source"], p["verified"]) for p in line["parameters"]}
    assert documents["resident_pension/basic_monthly_fen"][0] == 35_000
    assert documents["resident_pension/account_months"][0] == 139
    assert all(source for _, source, _ in documents.values())


@rule("test.amount", since=date(2009, 1, 1), law="甲")
def amount(on: date, trace: Trace | None = None) -> int:
    if trace is not None:
        trace.record("一", "one", {}, 1)
    return 1


@rule("test.amount", since=date(2015, 1, 1), law="乙")
def amount_2015(on: date, trace: Trace | None = None) -> int:
    if trace is not None:
        trace.record("二", "two", {"of": other(on, trace)}, 2)
    return 2


@rule("test.other", since=date(2009, 1, 1), law="丙")
def other(on: date, trace: Trace | None = None) -> int:
    if trace is not None:
        trace.record("三", "three", {}, 3)
    return 3


@pytest.mark.parametrize("called", [amount, amount_2015])
def test_the_version_in_force_on_the_day_runs_whichever_is_called(called: Any) -> None:
    assert called(date(2014, 12, 31)) == 1
    assert called(on=date(2015, 1, 1)) == 2


def test_a_rule_inside_a_rule_leaves_its_own_line_with_its_own_law() -> None:
    trace = Trace()
    amount(date(2020, 1, 1), trace)
    assert [(line.rule, line.law) for line in trace.lines] == [("test.other", "丙"), ("test.amount", "乙")]


def test_two_versions_of_one_day_are_a_mistake() -> None:
    with pytest.raises(AssertionError, match="two versions"):
        rule("test.amount", since=date(2015, 1, 1), law="丁")(amount_2015)
    assert tracing.at("test.amount", ON).law == "乙"
