# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from schema import checks, prefill
from tests.schema import domain


def test_a_form_opens_with_what_the_register_knows() -> None:
    data = domain.good("resident_pension_enrolment")
    item = domain.services()[data["service"]]
    opened = prefill.answers(item, domain.view_of(data), data["today"], domain.parameters())
    assert set(opened) == {f.name for f in item.fields}
    assert opened["name"] == opened["holder"] == "陈桂英"
    assert (opened["id_number"], opened["phone"], opened["start_month"]) == (
        "330683198111030429",
        "13857582046",
        "2026-11",
    )
    assert (opened["grade"], opened["hardship"], opened["student"]) == ("", "", "")


@pytest.mark.parametrize("service_id", domain.services())
def test_prefilled_answers_of_a_clean_register_have_nothing_unreadable(service_id: str) -> None:
    data = domain.good(service_id)
    item, view = domain.services()[service_id], domain.view_of(data)
    opened = prefill.answers(item, view, data["today"], domain.parameters())
    materials = [m.id for m in item.materials]
    found = checks.examine(item, opened, materials, view, data["today"], domain.parameters()).findings
    unanswered = {"required", "something_changes", "unit_changes_something", "employer_named"}
    assert {f.code for f in found} - {"id_former_division"} <= unanswered


@pytest.mark.parametrize(
    ("birth_on", "month"), [("1966-11-30", "2026-11"), ("1966-12-01", "2026-12"), ("1960-01-01", "2026-11")]
)
def test_a_claim_opens_with_the_first_month_still_open(birth_on: str, month: str) -> None:
    data = domain.merged(domain.good("resident_pension_claim"), {"person": {"birth_on": birth_on}})
    item = domain.services()[data["service"]]
    assert prefill.answers(item, domain.view_of(data), data["today"], domain.parameters())["from_month"] == month


def test_for_somebody_unknown_a_form_opens_empty_but_for_the_month() -> None:
    data = domain.good("resident_pension_enrolment") | {"known": False}
    item = domain.services()[data["service"]]
    opened = prefill.answers(item, domain.view_of(data), data["today"], domain.parameters())
    assert {k: v for k, v in opened.items() if v} == {"start_month": "2026-11"}


def test_a_change_shows_todays_values_and_leaves_the_new_ones_empty() -> None:
    data = domain.good("personal_data_change")
    item, view = domain.services()[data["service"]], domain.view_of(data)
    assert prefill.current(item, view, data["today"], domain.parameters())["new_name"] == "俞国平"
    assert prefill.answers(item, view, data["today"], domain.parameters())["new_name"] == ""


def test_the_account_holder_is_the_person_where_no_account_is_known() -> None:
    data = domain.good("resident_pension_claim")
    item, view = domain.services()[data["service"]], domain.view_of(data)
    held = replace(view, bank_account={"holder": "周月鲜", "bank": "农业银行", "account_no": "1"})
    assert prefill.answers(item, view, data["today"], domain.parameters())["holder"] == "周月仙"
    assert prefill.answers(item, held, data["today"], domain.parameters())["holder"] == "周月鲜"
