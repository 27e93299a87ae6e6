# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from schema.estimate import Estimate, estimate
from tests.schema import domain

ENROLMENT, CLAIM = "resident_pension_enrolment", "resident_pension_claim"


def of(data: dict[str, Any]) -> Estimate:
    values = domain.examined(data).values
    item = domain.services()[data["service"]]
    return estimate(item, values, domain.view_of(data), data["today"], domain.parameters())


@pytest.mark.parametrize("service_id", domain.services())
def test_the_good_case_of_every_item_comes_to_what_its_file_says(service_id: str) -> None:
    data = domain.good(service_id)
    assert [[zh, amount] for zh, _, amount in of(data).lines] == data["expected"]["lines"]


def test_an_estimate_shows_how_it_was_computed() -> None:
    assert [line.rule for line in of(domain.good(CLAIM)).trace.lines] == ["resident_pension.monthly_benefit"]
    assert [line.rule for line in of(domain.good(ENROLMENT)).trace.lines] == [
        "resident_pension.subsidy",
        "resident_pension.claim_month",
    ]


@pytest.mark.parametrize(
    ("service_id", "over"),
    [
        (ENROLMENT, {"grade": "千元"}),
        (ENROLMENT, {"start_month": ""}),
        (CLAIM, {"from_month": ""}),
        (CLAIM, {"from_month": "2026-10"}),
    ],
)
def test_what_cannot_be_computed_yet_gives_no_lines(service_id: str, over: dict[str, str]) -> None:
    assert of(domain.merged(domain.good(service_id), {"answers": over})).lines == []


def test_somebody_new_is_estimated_by_the_birth_date_in_the_number() -> None:
    assert of(domain.merged(domain.good(ENROLMENT), {"known": False})).lines == of(domain.good(ENROLMENT)).lines


def test_whoever_is_past_the_claim_age_has_no_years_left() -> None:
    data = domain.merged(domain.good(ENROLMENT), {"person": {"birth_on": "1960-01-01"}})
    assert of(data).lines[-1][2] == "0"
