# SPDX-License-Identifier: Apache-2.0
"""Prints at a station reach supervision, and a paper without a case can be checked by anybody."""

from __future__ import annotations

from typing import Any

import pytest

from schema.errors import Refusal
from schema.slip import check_code
from tests.hub.county import CLERK, INSPECT, REVIEW, STATION, Browse, County, Desk

RIGHTS = {"document": "rights", "copy": 1, "number": "0100-1-26-P00001-7", "persons": 1, "purpose": "贷款"}


def printed(county: County, desk: Desk, **said: Any) -> Any:
    fact = desk.fact("document_printed", county.persons["周建根"], RIGHTS | said)
    desk.deliver(fact)
    return fact


def test_a_print_is_logged_with_station_officer_purpose_and_person(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    printed(county, desk)
    rows = county.rows("SELECT document, about, subject, number, purpose, station, operator_no FROM print_log")
    assert rows == [("rights", "person", county.persons["周建根"], RIGHTS["number"], "贷款", STATION, CLERK)]


@pytest.mark.parametrize("wrong", [{"document": "photo"}, {"copy": 0}, {"persons": -1}, {"purpose": "长" * 101}])
def test_a_print_that_says_nonsense_is_refused_and_leaves_nothing(
    county: County, desk: Desk, wrong: dict[str, Any]
) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(Refusal):
        printed(county, desk, **wrong)
    assert county.rows("SELECT * FROM print_log") == []


def test_supervision_sees_who_printed_what_and_nobody_else_does(county: County, desk: Desk, browse: Browse) -> None:
    county.add_pensioner_to_be()
    printed(county, desk)
    page = browse(county.hub, INSPECT).get("/prints").text
    assert "贷款" in page and CLERK in page and RIGHTS["number"] in page
    assert "周建根" not in page, "the list masks names: supervision opens the person when it must"
    assert "贷款" not in browse(county.hub, INSPECT).get("/prints?month=2026-10").text
    assert browse(county.hub, REVIEW).get("/prints").status_code == 403


def test_anybody_can_ask_whether_a_paper_without_a_case_is_genuine(
    county: County, desk: Desk, browse: Browse
) -> None:
    county.add_pensioner_to_be()
    fact = printed(county, desk)
    address = f"/check?no={RIGHTS['number']}&code="
    page = browse(county.hub).get(address + check_code(fact.hash)).text
    assert "个人权益记录" in page and "周建根" not in page and "贷款" not in page
    assert "个人权益记录" not in browse(county.hub).get(address + "2222-22").text
