# SPDX-License-Identifier: Apache-2.0
"""The review desk as officers meet it: nothing is written that may not be."""

from __future__ import annotations

import re

import pytest

from hub.context import Hub
from schema import database
from schema.clock import FixedClock
from sync.hub import publish
from tests.hub.county import (
    ACCEPT,
    AGREE,
    ALL_FOUR,
    CALCULATE,
    CLAIM,
    REVIEW,
    Browse,
    County,
    Desk,
)
from tests.hub.deciding import address, everything, state, walk


def test_a_case_goes_through_four_officers_pages_into_effect(county: County, browse: Browse, claim: bytes) -> None:
    for officer in ("2001", "2002", "2003", "2004"):
        browser = browse(county.hub, officer)
        page = browser.get("/review")
        assert "周建根" in page.text
        assert browser.post(address(claim, "/decide"), AGREE).status_code == 303
    assert state(county, claim) == ("effective", None)
    assert county.one("SELECT count(*) FROM benefit") == 1


def test_the_reviewer_sees_the_figures_their_formula_and_documents(
    county: County, browse: Browse, claim: bytes
) -> None:
    walk(county, claim, "accept", "calculate")
    page = browse(county.hub, REVIEW).get(f"/review/{claim.hex()}").text
    for said in ("506.00", "计发月数", "21,684.20", "139", "国发〔2009〕32号"):
        assert said in page


def test_the_same_officer_is_refused_the_second_step_and_nothing_is_written(
    county: County, browse: Browse, claim: bytes
) -> None:
    browser = browse(county.hub, ALL_FOUR)
    browser.post(address(claim, "/decide"), AGREE)
    assert state(county, claim) == ("accepted", "calculate")
    before = everything(county)
    answer = browser.post(address(claim, "/decide"), AGREE)
    assert answer.status_code == 403
    assert "您受理过本案，不能再核算。已留在队列里" in answer.text
    assert everything(county) == before


def test_the_desk_shows_why_an_officer_cannot_decide_and_offers_no_decision(
    county: County, browse: Browse, claim: bytes
) -> None:
    browser = browse(county.hub, ALL_FOUR)
    browser.post(address(claim, "/decide"), AGREE)
    page = browser.get(f"/review/{claim.hex()}").text
    assert "您受理过本案，不能再核算" in page
    assert 'name="decision"' not in page


def test_the_birth_date_read_off_the_number_is_compared_with_the_registers(
    county: County, browse: Browse, claim: bytes
) -> None:
    page = browse(county.hub, ACCEPT).get(f"/review/{claim.hex()}?all=1").text
    cells = re.search(r">出生日期</th><td[^>]*>([^<]+)</td><td[^>]*>([^<]+)</td>", page)
    assert cells is not None and cells.groups() == ("1966-11-05", "1966-11-05")


def test_the_account_to_be_paid_to_is_among_what_is_seen_at_once(county: County, browse: Browse, claim: bytes) -> None:
    page = browse(county.hub, ACCEPT).get(f"/review/{claim.hex()}").text
    assert "只列不同和要紧的 6 项" in page
    for label in ("从哪个月起领取", "银行", "账号"):
        assert f'<th scope="row">{label}</th>' in page


def test_a_case_my_hands_have_touched_is_not_in_my_queue(county: County, browse: Browse, claim: bytes) -> None:
    browser = browse(county.hub, ALL_FOUR)
    assert "待我办理 1" in browser.get("/review").text
    browser.post(address(claim, "/decide"), AGREE)
    assert "待我办理 0" in browser.get("/review").text
    assert "待我办理 1" in browse(county.hub, CALCULATE).get("/review").text


def test_a_relatives_case_is_not_offered_and_refused(county: County, browse: Browse, claim: bytes) -> None:
    with county.store.write() as db:
        db.execute("INSERT INTO relative VALUES (?, ?)", (ACCEPT, county.persons["周建根"]))
    browser = browse(county.hub, ACCEPT)
    assert "待我办理 0" in browser.get("/review").text
    answer = browser.post(address(claim, "/decide"), AGREE)
    assert answer.status_code == 403
    assert "近亲属" in answer.text


def test_a_return_without_reason_comes_back_with_the_finding_beside_the_field(
    county: County, browse: Browse, claim: bytes
) -> None:
    browser = browse(county.hub, ACCEPT)
    answer = browser.post(address(claim, "/decide"), {"decision": "return", "missing": ["bank_book"]})
    assert answer.status_code == 422
    assert "请写明理由" in answer.text
    assert re.search(r'value="bank_book"[^>]*checked', answer.text), "what was ticked stays ticked"
    assert state(county, claim) == ("submitted", "accept")


def test_missing_papers_are_ticked_beforehand(county: County, browse: Browse, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根", materials=["id_card"])
    page = browse(county.hub, ACCEPT).get(f"/review/{case_id.hex()}").text
    assert re.search(r'value="bank_book"[^>]*checked', page)
    assert not re.search(r'value="id_card"[^>]*checked', page)


def test_a_return_through_the_page_tells_the_station_what_is_missing(
    county: County, browse: Browse, desk: Desk
) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根", materials=["id_card"])
    browser = browse(county.hub, ACCEPT)
    form = {"decision": "return", "reason": "请带存折", "missing": ["bank_book"]}
    assert browser.post(address(case_id, "/decide"), form).status_code == 303
    assert county.rows("SELECT state, reason, result FROM case_state") == [
        ("returned", "请带存折", '{"missing":["bank_book"]}')
    ]


def test_agreeing_to_a_case_with_wrong_answers_is_refused_in_words(county: County, browse: Browse, desk: Desk) -> None:
    county.add_pensioner_to_be(life_status="2", died_on="2026-10-01")
    case_id = desk.submit(CLAIM, "周建根")
    answer = browse(county.hub, ACCEPT).post(address(case_id, "/decide"), AGREE)
    assert answer.status_code == 409
    assert "还有必须改正的问题" in answer.text


def test_a_decision_can_be_taken_back_from_the_next_page(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes
) -> None:
    browser = browse(patient_hub, ACCEPT)
    answer = browser.post(address(claim, "/decide"), AGREE)
    following = browser.get(answer.headers["Location"])
    assert "周建根：已同意" in following.text
    assert state(county, claim) == ("submitted", "accept")
    assert browser.post(address(claim, "/take-back")).status_code == 303
    assert county.rows("SELECT * FROM pending_decision") == []
    assert "已撤回，本案回到待受理" in browser.get(f"/review/{claim.hex()}").text


def test_the_status_bar_signs_what_is_due(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes, clock: FixedClock
) -> None:
    browser = browse(patient_hub, ACCEPT)
    browser.post(address(claim, "/decide"), AGREE)
    clock.advance(seconds=15)
    browser.get("/status")
    assert state(county, claim) == ("submitted", "accept")
    clock.advance(seconds=5)
    browser.get("/status")
    assert state(county, claim) == ("accepted", "calculate")


def test_opening_another_case_signs_the_decision_before(
    county: County, patient_hub: Hub, browse: Browse, desk: Desk, claim: bytes
) -> None:
    county.add_pensioner_to_be("周二根", "19661106")
    other = desk.submit(CLAIM, "周二根")
    browser = browse(patient_hub, ACCEPT)
    browser.get(browser.post(address(claim, "/decide"), AGREE).headers["Location"])
    assert state(county, claim) == ("submitted", "accept"), "the page that follows by itself is not going on"
    browser.get(f"/review/{other.hex()}")
    assert state(county, claim) == ("accepted", "calculate")


@pytest.mark.parametrize("leave", ["/lock", "/logout"])
def test_leaving_signs_what_was_decided(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes, leave: str
) -> None:
    browser = browse(patient_hub, ACCEPT)
    browser.post(address(claim, "/decide"), AGREE)
    browser.post(leave)
    assert state(county, claim) == ("accepted", "calculate")


def test_a_session_that_broke_off_leaves_it_pending_until_the_next_login(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes, clock: FixedClock
) -> None:
    browse(patient_hub, ACCEPT).post(address(claim, "/decide"), AGREE)
    clock.advance(hours=20)
    browse(patient_hub, REVIEW).get("/")
    assert state(county, claim) == ("submitted", "accept")
    browse(patient_hub, ACCEPT)
    assert state(county, claim) == ("accepted", "calculate")


def test_a_decision_that_could_not_be_signed_is_told_to_its_officer(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes, clock: FixedClock
) -> None:
    browser = browse(patient_hub, ACCEPT)
    browser.post(address(claim, "/decide"), AGREE)
    with publish.transaction(county.store) as pub:
        pub.put("person", {"id": county.persons["周建根"], "life_status": "2", "died_on": "2026-11-22"})
    clock.advance(minutes=1)
    assert "还有必须改正的问题" in browser.get("/").text
    assert county.rows("SELECT * FROM pending_decision") == []


@pytest.mark.parametrize(
    ("days_later", "said"),
    [
        (0, "剩 20 个工作日"),  # Monday 2026-11-23; due on Monday 2026-12-21
        (25, "剩 1 个工作日"),  # Friday
        (28, "今天到期"),
        (29, "超 1 个工作日"),
        (33, "超 4 个工作日"),  # Saturday
    ],
)
def test_queue_and_case_say_how_many_working_days_are_left(
    hub: Hub, browse: Browse, claim: bytes, clock: FixedClock, days_later: int, said: str
) -> None:
    clock.advance(days=days_later)
    browser = browse(hub, ACCEPT)
    for path in ("/", "/review", address(claim)):
        assert said in browser.get(path).text, path


def test_a_limit_that_ended_on_friday_is_late_on_saturday(
    county: County, browse: Browse, claim: bytes, clock: FixedClock
) -> None:
    with county.store.write() as db:
        database.update(db, "hub_case", {"id": claim}, {"due_on": "2026-12-18"})
    clock.advance(days=26)
    assert "已超期" in browse(county.hub, ACCEPT).get("/review").text


def test_a_limit_in_a_year_without_announced_holidays_is_marked_and_no_limit_says_nothing(
    county: County, browse: Browse, claim: bytes
) -> None:
    browser = browse(county.hub, ACCEPT)
    for due_on, marked in (("2027-01-08", True), ("2026-12-21", False), (None, False)):
        with county.store.write() as db:
            database.update(db, "hub_case", {"id": claim}, {"due_on": due_on})
        page = browser.get(address(claim)).text
        assert ("2027 年放假安排还没有" in page) == marked
        assert ("法定期限" in page) == (due_on is not None)
