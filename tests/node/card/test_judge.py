# SPDX-License-Identifier: Apache-2.0
"""What the chip says against numbers, calendar, county, lost list and register; each with a case that is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from node.card import judge
from node.card.judge import CardState
from node.card.reading import BIRTH, Card
from tests.node.conftest import number_of

TODAY = date(2026, 11, 23)
GOOD = Card(
    "330683D15600000599110145", "A12345678", number_of("330683198111030421"), "陈桂英", "2.00", "2", "01",
    date(2018, 6, 1), date(2028, 6, 1), date(1981, 11, 3),
)  # fmt: skip
WRONG = GOOD.id_number[:17] + ("0" if GOOD.id_number[17] != "0" else "1")
CHEN = {"id": bytes(16), "name": "陈桂英", "birth_on": "1981-11-03", "sex": "2"}


def codes(card: Card, state: CardState | None = None, person: Any = CHEN) -> list[str]:
    return [f.code for f in judge.judge(card, TODAY, state, person)]


def test_a_card_in_order_agrees_with_the_register_and_no_more_is_said() -> None:
    assert codes(GOOD) == ["card_agrees"]
    assert codes(GOOD, person=None) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"valid_to": TODAY - timedelta(days=1)}, "card_expired"),
        ({"issued_on": TODAY + timedelta(days=1)}, "card_future"),
        ({"birth_on": date(1981, 11, 4)}, "card_birth"),
        ({"sex": "1"}, "card_sex"),
        ({"identification": "330300D15600000599110145"}, "card_region"),
        ({"identification": "330602D15600000599110145"}, "card_city"),
        ({"name": "陈贵英"}, "card_name"),
        ({"name": "陈桂\ufffd"}, "card_name_unreadable"),
        ({"protected": (BIRTH,), "birth_on": None}, "card_protected"),
    ],
)
def test_what_does_not_fit_is_said(change: dict[str, Any], code: str) -> None:
    assert code in codes(replace(GOOD, **change))


@pytest.mark.parametrize("region", ["330683", "330623", "330600"])
def test_cards_of_the_county_under_all_its_codes_are_at_home(region: str) -> None:
    assert codes(replace(GOOD, identification=f"{region}D15600000599110145")) == ["card_agrees"]


def test_a_card_valid_to_the_end_of_today_and_one_without_an_end_are_valid() -> None:
    assert codes(replace(GOOD, valid_to=TODAY)) == codes(replace(GOOD, valid_to=None)) == ["card_agrees"]


def test_a_lost_card_is_said_first_with_its_day() -> None:
    found = judge.judge(replace(GOOD, name="陈贵英"), TODAY, CardState("lost", "2026-11-20"), CHEN)
    assert found[0].code == "card_lost"
    assert "2026-11-20" in found[0].zh and "2026-11-20" in found[0].en
    assert "card_ended" in codes(GOOD, CardState("cancelled", "2026-01-01"))
    assert codes(GOOD, CardState("applied", "2026-01-01")) == ["card_agrees"]


def test_a_number_that_does_not_hold_leads_nowhere() -> None:
    found = judge.judge(replace(GOOD, id_number=WRONG), TODAY, None, None)
    assert [(f.code, f.severity) for f in found] == [("card_number", "block")]
    assert judge.prefilled(replace(GOOD, id_number=WRONG), TODAY).get("person.id_number") is None


def test_an_old_number_of_15_places_and_of_the_former_county_is_the_same_person() -> None:
    assert codes(replace(GOOD, id_number="330683811103042"), person=CHEN) == ["card_agrees"]
    old = replace(GOOD, id_number=number_of("330623195603071236"), birth_on=date(1956, 3, 7), sex="1")
    assert "id_former_division" in codes(old, person=None)
