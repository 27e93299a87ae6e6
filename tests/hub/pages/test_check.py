# SPDX-License-Identifier: Apache-2.0
"""Anybody may ask whether a slip is true; the answer says the state and nothing about the person."""

from __future__ import annotations

import pytest

from schema.slip import check_code
from tests.hub.county import Browse, County


@pytest.fixture
def slip(county: County, claim: bytes) -> tuple[str, str]:
    """Receipt number and check code of a claim of 周建根."""
    row = county.rows(
        "SELECT c.receipt_no, f.hash FROM hub_case c JOIN fact f ON f.subject = c.id WHERE c.id = ?", claim
    )[0]
    return row[0], check_code(bytes(row[1]))


def test_a_true_slip_is_confirmed_with_its_state_and_without_a_login(
    county: County, browse: Browse, slip: tuple[str, str]
) -> None:
    number, code = slip
    answer = browse(county.hub).get(f"/check?no={number}&code={code.lower()}")
    assert answer.status_code == 200
    assert "这张回执是真的" in answer.text and "已提交" in answer.text
    for private in ("周建根", "330683", "19661105", "3301"):
        assert private not in answer.text


@pytest.mark.parametrize("change", ["code", "number"])
def test_a_wrong_code_and_an_unknown_number_are_answered_alike(
    county: County, browse: Browse, slip: tuple[str, str], change: str
) -> None:
    number, code = slip
    asked = (number, "2222-22") if change == "code" else ("0100-1-26-999999-0", code)
    answer = browse(county.hub).get(f"/check?no={asked[0]}&code={asked[1]}").text
    assert "还没有收到这张回执" in answer and "不代表无效" in answer and "这张回执是真的" not in answer


@pytest.mark.parametrize(
    "query", ["", "?no=", "?no=1&no=2&code=%00", "?code=<script>alert(1)</script>&no='--", "?no=" + "9" * 5000]
)
def test_whatever_is_asked_gets_the_page_and_nothing_else(county: County, browse: Browse, query: str) -> None:
    answer = browse(county.hub).get("/check" + query)
    assert answer.status_code == 200 and "查回执" in answer.text and "<script>alert" not in answer.text
