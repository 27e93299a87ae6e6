# SPDX-License-Identifier: Apache-2.0
"""The settlement pages: each post sees what it may do, nothing final happens without the typed word."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from hub import officers
from hub.context import Hub
from tests.hub.county import INSPECT, Browser
from tests.hub.settlement.conftest import NOVEMBER, OFFICERS, County

Browse = Callable[..., Browser]
AT = f"/settlement/{NOVEMBER}"
WORDS = {"approve": "审批 2026-11", "pay": "发放 2026-11", "close": "结账 2026-11"}
HANDS = {"approve": OFFICERS["approve_month"], "pay": OFFICERS["pay"], "close": OFFICERS["close"]}


@pytest.fixture
def month(money: County) -> County:
    """A pensioner and a contributor."""
    money.pensioner()
    money.receipt(money.person(), 500_00)
    return money


@pytest.fixture
def settler(hub: Hub, month: County, browse: Browse) -> Browser:
    return browse(hub, OFFICERS["settle"])


def test_a_month_goes_through_four_hands_on_the_pages(
    hub: Hub, month: County, settler: Browser, browse: Browse
) -> None:
    assert "2026 年 11 月月结" in settler.get("/settlement").text
    assert settler.post("/settlement/run", {"month": NOVEMBER}).status_code == 303
    assert "480.94" in settler.get("/settlement").text
    for action, operator_no in HANDS.items():
        browser = browse(hub, operator_no)
        assert WORDS[action] in browser.get(f"{AT}/{action}").text
        assert browser.post(f"{AT}/{action}", {"typed": WORDS[action]}).status_code == 303
    assert month.state() == "closed"
    assert "0.00 相等" in settler.get(f"/settlement?month={NOVEMBER}").text


def test_a_month_that_has_not_begun_asks_nobody_for_anything(hub: Hub, month: County, settler: Browser) -> None:
    month.run()
    for sign in (month.approve, month.pay, month.close):
        sign()
    page = settler.get("/settlement").text
    assert "2026 年 12 月月结" in page and "12-01 起可以计算" in page
    assert 'action="/settlement/run"' not in page
    assert ">结算</a>" in page, "no count beside the section"


@pytest.mark.parametrize("typed", ["", "审批", "审批 2026-10", "OK"])
def test_a_wrong_word_signs_nothing_and_says_what_to_type(hub: Hub, month: County, browse: Browse, typed: str) -> None:
    month.run()
    browser = browse(hub, HANDS["approve"])
    browser.get(f"{AT}/approve")
    answer = browser.post(f"{AT}/approve", {"typed": typed})
    assert answer.status_code == 422
    assert "请输入「审批 2026-11」" in answer.text
    assert month.state() == "computed"


@pytest.mark.parametrize("action", ["approve", "pay", "close"])
def test_whoever_lacks_the_post_does_not_get_to_the_signature(
    hub: Hub, month: County, settler: Browser, action: str
) -> None:
    month.run()
    assert settler.get(f"{AT}/{action}").status_code == 303
    assert settler.post(f"{AT}/{action}", {"typed": WORDS[action]}).status_code == 303
    assert month.state() == "computed"


def test_the_next_hand_is_named_to_those_who_wait(hub: Hub, month: County, settler: Browser) -> None:
    month.run()
    assert "等月结审批岗办理" in settler.get("/settlement").text


def test_an_officer_who_did_a_step_is_told_that_another_must_do_this_one(
    hub: Hub, month: County, browse: Browse
) -> None:
    officers.set_roles(hub.store, OFFICERS["settle"], ("settle", "approve_month"))
    month.run()
    browser = browse(hub, OFFICERS["settle"])
    assert "这一步要由别人来办" in browser.get(f"{AT}/approve").text
    assert browser.post(f"{AT}/approve", {"typed": WORDS["approve"]}).status_code == 403
    assert month.state() == "computed"


def test_a_step_out_of_turn_leads_back_to_the_month(hub: Hub, month: County, browse: Browse) -> None:
    month.run()
    assert browse(hub, HANDS["close"]).get(f"{AT}/close").status_code == 303


def test_a_refused_computation_is_told_in_words(hub: Hub, month: County, settler: Browser) -> None:
    settler.get("/settlement")
    answer = settler.post("/settlement/run", {"month": "2026-12"})
    assert answer.status_code == 409
    assert "现在该结的是 2026-11" in answer.text


@pytest.mark.parametrize("path", ["/settlement", "/receipts", f"{AT}/people/paid"])
def test_supervision_looks_and_other_posts_do_not(hub: Hub, month: County, browse: Browse, path: str) -> None:
    month.run()
    assert browse(hub, INSPECT).get(path).status_code == 200
    assert browse(hub, "2001").get(path).status_code == 403


def test_supervision_cannot_compute(hub: Hub, month: County, browse: Browse) -> None:
    browser = browse(hub, INSPECT)
    browser.get("/settlement")
    assert browser.post("/settlement/run", {"month": NOVEMBER}).status_code == 403


def test_the_people_of_a_month_lead_to_how_it_was_reckoned(hub: Hub, month: County, settler: Browser) -> None:
    month.run()
    for kind, who, words in (("paid", month.people[0], "130.94"), ("credited", month.people[1], "按缴费档次查补贴表")):
        assert f"{AT}/person/{who.hex()}" in settler.get(f"{AT}/people/{kind}").text
        assert words in settler.get(f"{AT}/person/{who.hex()}").text


def test_who_is_held_back_is_listed_with_the_reason(hub: Hub, month: County, settler: Browser) -> None:
    month.benefit(month.person())
    month.run()
    assert "没有发放账户" in settler.get(f"{AT}/people/held").text
    assert "没有发放账户" in settler.get("/settlement").text


@pytest.mark.parametrize("path", [
    "/settlement/2026-1/people/paid", "/settlement/x/approve", f"{AT}/person/{'00' * 16}", f"{AT}/people/all",
    "/settlement/2026-10/people/paid",
])  # fmt: skip
def test_a_page_of_nothing_is_not_found(hub: Hub, month: County, settler: Browser, path: str) -> None:
    month.run()
    assert settler.get(path).status_code in (303, 404)


def test_a_receipts_file_is_previewed_then_taken_in(hub: Hub, month: County, settler: Browser) -> None:
    settler.get("/receipts")
    lines = [f"T1,{month.number_of(month.people[1])},300,2026,2026-11-06", "T2,x,1,2026,2026-11-06"]
    text = "\n".join(["票据号,身份证号,金额,缴费年度,到账日期", *lines])
    sent = settler.post("/receipts", {"file": (io.BytesIO(text.encode()), "到账.csv")})
    assert sent.status_code == 303
    assert "登记 2 笔，301.00 元" in settler.get(sent.location).text
    assert settler.post(f"{sent.location}/take").status_code == 303
    states = month.rows("SELECT state FROM receipt WHERE source = '到账.csv' ORDER BY no")
    assert [row["state"] for row in states] == ["matched", "suspense"]
    assert "T2" in settler.get("/receipts").text


def test_money_in_suspense_is_given_to_a_person_on_the_page(hub: Hub, month: County, settler: Browser) -> None:
    month.receipt(None, 300_00, "P1")
    settler.get("/receipts")
    nobody = settler.post("/receipts/give", {"no": "P1", "id_number": "330683"})
    assert nobody.status_code == 422 and "名册里没有这个身份证号" in nobody.text
    given = settler.post("/receipts/give", {"no": "P1", "id_number": month.number_of(month.people[1])})
    assert given.status_code == 303
    assert month.rows("SELECT person_id FROM receipt WHERE no = 'P1'")[0]["person_id"] == month.people[1]


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00", "甲,乙\n1,2".encode()])
def test_an_unreadable_receipts_file_is_told_beside_the_form(
    hub: Hub, month: County, settler: Browser, content: bytes
) -> None:
    settler.get("/receipts")
    answer = settler.post("/receipts", {"file": (io.BytesIO(content), "x.csv")})
    assert answer.status_code == 422
    assert 'class="err"' in answer.text


def test_every_page_is_there_in_english(hub: Hub, month: County, settler: Browser) -> None:
    month.run()
    settler.get("/lang/en?next=/settlement")
    for path in ("/settlement", "/receipts", f"{AT}/people/paid", f"{AT}/person/{month.people[0].hex()}"):
        answer = settler.get(path)
        assert answer.status_code == 200
        assert 'lang="en"' in answer.text
