# SPDX-License-Identifier: Apache-2.0
"""What the hub writes for the items of the township's own work, and the rules that are more than a row copied."""

from __future__ import annotations

from typing import Any

import pytest

from schema.effects import Change
from schema.ids import from_text
from tests.schema import domain
from tests.schema.domain import PERSON_ID
from tests.schema.test_effects import decided, fits

JOBLESS = {"reason": "contract_end", "left_on": "2026-05-31", "registered_on": "2026-06-01"}


def at_hub(service_id: str, **over: Any) -> list[Change]:
    found = decided(domain.merged(domain.good(service_id), {"at_hub": True, **over}))
    for change in found:
        fits(change)
    return found


@pytest.mark.parametrize(
    ("service_id", "tables"),
    [
        ("employment_registration", ["employment_spell"]),
        ("unemployment_registration", ["unemployment_spell"]),
        ("job_seeker_registration", []),
        ("vacancy_registration", []),
        ("job_referral", ["referral"]),
        ("referral_outcome", ["referral"]),
        ("card_hand_over", ["card"]),
        ("card_activation", ["card"]),
        ("retiree_visit", ["visit"]),
        ("eligibility_check", ["eligibility_check"]),
        ("rights_record_print", []),
        ("policy_consultation", []),
    ],
)
def test_of_an_item_decided_on_the_spot_the_hub_writes_the_reference_rows(service_id: str, tables: list[str]) -> None:
    assert [change.table for change in at_hub(service_id)] == tables


def test_work_ends_the_registered_unemployment_from_its_first_day() -> None:
    _, ended = at_hub("employment_registration", rows={"unemployment_spell": [JOBLESS]})
    assert (ended.table, ended.row["ended_on"], ended.row["end_reason"]) == (
        "unemployment_spell", "2026-11-20", "employed"
    )  # fmt: skip


def test_unemployment_is_registered_on_the_day_the_hub_has_it_and_ends_the_work_before() -> None:
    spell = {"unit_name": "永顺", "form": "contract", "began_on": "2020-01-01"}
    jobless, work = at_hub("unemployment_registration", rows={"employment_spell": [spell]})
    assert (jobless.row["registered_on"], jobless.row["left_on"]) == ("2026-11-25", "2026-11-15")
    assert (work.table, work.row["ended_on"]) == ("employment_spell", "2026-11-15")


def test_who_wants_no_work_is_registered_as_unemployed_and_not_as_a_seeker() -> None:
    data = domain.merged(domain.good("unemployment_registration"), {"answers": {"wants_work": "no", "wish_job": ""}})
    assert decided(data) == []


def test_the_last_seat_is_given_once_and_the_next_one_waits() -> None:
    chosen = domain.good("training_enrolment")["rows"]["training_class"][0]
    given, taken, *_ = at_hub("training_enrolment", rows={"training_class": [chosen | {"seats_taken": 29}]})
    waiting, *rest = at_hub("training_enrolment", rows={"training_class": [chosen | {"seats_taken": 30}]})
    assert (given.row["state"], taken.row["seats_taken"]) == ("enrolled", 30)
    assert waiting.row["state"] == "waiting"
    assert "training_class" not in [change.table for change in rest]


def test_the_card_asked_for_gets_its_number_when_it_is_handed_over() -> None:
    asked = {"state": "applied", "since": "2026-11-01", "bank": "农商银行"}
    (card,) = at_hub("card_hand_over", rows={"card": [asked]})
    assert card.row["id"] == domain.view_of(
        domain.merged(domain.good("card_hand_over"), {"rows": {"card": [asked]}})
    ).rows_of("card")[0]["id"]
    assert (card.row["card_no"], card.row["state"], card.row["bank"]) == ("A00123456", "active", "农商银行")


def test_a_card_known_from_the_chip_alone_gets_its_row_when_it_is_lost() -> None:
    (card,) = decided(domain.good("card_loss"))
    fits(card)
    assert (card.row["person_id"], card.row["card_no"], card.row["state"]) == (PERSON_ID, "A00123456", "lost")


def test_a_card_of_which_nobody_knows_the_number_can_be_lost_too() -> None:
    (card,) = decided(domain.merged(domain.good("card_loss"), {"answers": {"card_no": ""}}))
    fits(card)
    assert (card.row["card_no"], card.row["state"]) == (None, "lost")


def test_a_referral_remembers_the_registered_job() -> None:
    vacancy = "76" * 16
    (sent,) = at_hub("job_referral", answers={"vacancy": vacancy})
    assert sent.row["vacancy_id"] == from_text(vacancy)


@pytest.mark.parametrize("service_id", ["complaint_report", "policy_consultation"])
def test_an_item_about_nobody_leaves_no_row_of_anybody(service_id: str) -> None:
    assert at_hub(service_id) == []
    assert domain.services()[service_id].subject == "nobody"


def test_the_complaint_is_confidential_and_nothing_of_it_stands_on_the_slip() -> None:
    item = domain.services()["complaint_report"]
    assert item.confidential
    assert [f.name for f in item.fields if f.on_slip] == []


def test_a_card_reported_lost_is_urgent_and_provisional_whatever_is_typed() -> None:
    item = domain.services()["card_loss"]
    assert (item.urgent, [mode.mode for mode in item.modes]) == (True, ["P"])


def test_a_loss_without_a_number_is_of_the_card_in_use_and_not_of_the_one_being_made() -> None:
    cards = [
        {"id": "61" * 16, "state": "applied", "since": "2026-11-01"},
        {"id": "62" * 16, "card_no": "B00123456", "state": "active", "since": "2020-01-01"},
    ]
    (card,) = decided(domain.merged(domain.good("card_loss"), {"answers": {"card_no": ""}, "rows": {"card": cards}}))
    assert (card.row["id"], card.row["card_no"], card.row["state"]) == (b"b" * 16, "B00123456", "lost")
