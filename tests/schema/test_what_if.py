# SPDX-License-Identifier: Apache-2.0
"""Trial calculations: the same rules as decided cases, all faults at once, nothing guessed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import estimate, what_if
from schema.what_if import TOPICS, Outcome
from tests.schema import domain

TODAY = date(2026, 11, 25)
RETIRES = {
    "birth_on": "1966-07-15", "group": "60", "base": "7200", "index": "8500", "paid_months": "264",
    "deemed_months": "78", "months_before_1998": "78", "balance": "152340.60",
}  # fmt: skip


def of(topic: str, answers: dict[str, str], today: date = TODAY) -> Outcome:
    outcome, findings = what_if.work_out(TOPICS[topic], answers, today, domain.parameters())
    assert outcome is not None, findings
    return outcome


def decided(service: str, over: dict[str, Any] | None = None) -> dict[str, int | str]:
    """What the item's own estimate says, by its Chinese words."""
    data = domain.merged(domain.good(service), over or {})
    item, values = domain.services()[service], domain.examined(data).values
    found = estimate.estimate(item, values, domain.view_of(data), data["today"], domain.parameters())
    return {zh: amount for zh, _, amount in found.lines}


def test_a_retirement_today_is_what_the_retirement_case_comes_to() -> None:
    # Born so that the legal month has just passed: nothing more is paid in.
    born = {"birth_on": "1966-03-12", "id_number": "330623196603120015"}
    answers = RETIRES | {"birth_on": born["birth_on"]}
    outcome = of("employee", answers)
    row = outcome.rows[outcome.plain_row]
    case = decided("retirement_claim", {"person": born, "answers": {"retire_month": str(row[0])}})
    assert (row[0], row[2]) == ("2026-11", "342"), "the legal month has passed: as if retiring now"
    assert [row[5], row[6], row[7], row[8]] == [
        case["基础养老金"], case["个人账户养老金"], case["过渡性养老金"], case["每月合计"],
    ]  # fmt: skip


def test_later_retirement_pays_more_months_into_the_account_and_more_each_month() -> None:
    rows = of("employee", RETIRES | {"birth_on": "1970-08-15"}).rows
    months, paid, totals = [r[0] for r in rows], [int(str(r[2])) for r in rows], [r[8] for r in rows]
    assert (months[0], months[-1]) == ("2030-08", "2035-01") and "2032-01" in months
    assert paid == sorted(paid) and totals == sorted(totals)  # type: ignore[type-var]
    first = rows[0]
    assert first[4] == 15_234_060 + (int(str(first[2])) - 342) * 57_600


def test_too_few_years_for_the_month_are_said_and_no_amount_is_promised() -> None:
    rows = of("employee", RETIRES | {"paid_months": "20", "deemed_months": ""}).rows
    assert {str(r[8]) for r in rows} == {str({"zh": "年限不够", "en": "too few years"})}


def test_a_resident_pension_at_the_claim_age_is_what_the_claim_comes_to() -> None:
    answers = {"birth_on": "1966-11-08", "paid_months": "192", "balance": "18200"}
    rows = of("resident", answers).rows
    assert {row[8] for row in rows} == {48_094} == {decided("resident_pension_claim")["每月合计"]}
    assert [row[0] for row in rows] == [10_000, 30_000, 50_000, 100_000, 200_000, 300_000, 500_000]


def test_a_higher_grade_means_a_higher_resident_pension() -> None:
    rows = of("resident", {"birth_on": "1981-11-03", "paid_months": "24", "balance": "2000"}).rows
    assert [row[2] for row in rows] == ["15"] * 7
    assert rows[0][3] == 200_000 + 15 * (10_000 + 3_000)
    totals = [row[8] for row in rows]
    assert totals == sorted(totals)  # type: ignore[type-var]


def test_unemployment_is_what_the_claim_comes_to() -> None:
    answers = {"registered_on": "2026-11-10", "paid_months": "60", "unused_months": ""}
    (row,) = of("unemployment", answers).rows
    case = decided("unemployment_claim")
    assert (row[0], row[4], row[5]) == (case["可领月数"], case["每月"], case["合计"])


def test_contributions_of_an_employee_and_of_a_flexible_worker() -> None:
    employee = of("contribution", {"way": "employee", "wage": "7200", "injury_class": "3"}).rows
    assert employee[-1][1:] == [720_000, 115_200 + 39_600 + 3_600 + 5_040, 57_600 + 14_400 + 3_600, 57_600, 239_040]
    flexible = of("contribution", {"way": "flexible", "wage": "3000", "injury_class": ""}).rows
    assert [row[1] for row in flexible] == [498_600] * 3
    assert flexible[0][3] == 99_720


def test_every_fault_is_told_at_once() -> None:
    outcome, findings = what_if.work_out(TOPICS["employee"], {"birth_on": "gestern"}, TODAY, domain.parameters())
    assert outcome is None
    assert [f.field for f in findings] == ["birth_on", "group", "base", "index", "paid_months", "balance"]


def test_a_day_before_the_law_is_answered_and_not_guessed() -> None:
    answers = {"registered_on": "1990-01-01", "paid_months": "60", "unused_months": ""}
    outcome, findings = what_if.work_out(TOPICS["unemployment"], answers, TODAY, domain.parameters())
    assert outcome is None and [f.code for f in findings] == ["not_recorded"]


def test_the_documents_say_value_source_and_that_nobody_verified_them() -> None:
    listed = what_if.documents(of("unemployment", {"registered_on": "2026-11-10", "paid_months": "60"}).trace,
                               domain.parameters())  # fmt: skip
    wage = next(d for d in listed if d["title"]["zh"] == "本县最低月工资")
    assert (wage["value"]["zh"], wage["from"], wage["verified"]) == ("2,430.00 元", "2026-01-01", False)
    assert all(d["source"] and d["value"]["en"] for d in listed)
    assert any(d["verified"] for d in listed)


@pytest.mark.parametrize("topic", TOPICS)
@given(drawn=st.data())
def test_whatever_is_typed_is_answered(topic: str, drawn: st.DataObject) -> None:
    texts = st.one_of(
        st.text(max_size=12), st.sampled_from(["1966-11-08", "2030-01-01", "60", "100", "7200", "flexible"])
    )
    answers = {f.name: drawn.draw(texts) for f in TOPICS[topic].fields}
    outcome, findings = what_if.work_out(TOPICS[topic], answers, TODAY, domain.parameters())
    assert (outcome is None) == bool(findings)
