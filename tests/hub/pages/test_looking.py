# SPDX-License-Identifier: Apache-2.0
"""Search, persons, refusals, stations, workload: what the pages say."""

from __future__ import annotations

import re

import pytest

from schema import database
from schema.clock import FixedClock
from tests.hub.county import (
    ADMIN,
    CHANGE,
    INSPECT,
    OTHER_STATION,
    REVIEW,
    STATION,
    Browse,
    County,
    Desk,
)
from tests.hub.deciding import put_incidents, put_refusal


@pytest.mark.parametrize("typed", ["330683196611050136", "zjg", "周建", "ZhouJian", "0100-1-26-0000"])
def test_search_finds_by_number_name_letters_and_receipt(
    county: County, browse: Browse, claim: bytes, typed: str
) -> None:
    browser = browse(county.hub, REVIEW)
    answer = browser.post("/search", {"q": typed}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "周建根" in answer.text
    assert 'role="option"' in answer.text


def test_search_without_script_leads_straight_to_the_one_hit(county: County, browse: Browse, claim: bytes) -> None:
    answer = browse(county.hub, REVIEW).post("/search", {"q": "周建根"})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/persons/{county.persons['周建根'].hex()}")


def test_search_says_where_it_looked_when_nothing_is_there(county: County, browse: Browse) -> None:
    answer = browse(county.hub, REVIEW).post("/search", {"q": "没有这人"}, headers={"HX-Request": "true"})
    assert "全县名册里没有找到" in answer.text


def test_the_person_page_shows_what_the_register_holds(county: County, browse: Browse, claim: bytes) -> None:
    page = browse(county.hub, INSPECT).get(f"/persons/{county.persons['周建根'].hex()}").text
    for said in ("138 5758 2046", "21,684.20", "农商银行 尾号 0018", "甘霖镇 施家岙村", "居民养老领取"):
        assert said in page


def test_a_refusal_is_shown_with_reason_and_whose_turn_it_is_until_it_is_handled(
    county: County, browse: Browse
) -> None:
    refusal_id = put_refusal(county, "receipt_block")
    browser = browse(county.hub, REVIEW)
    page = browser.get("/refusals").text
    for said in ("回执号不在发给本站的号段里", "技术员", "中心没有收"):
        assert said in page
    assert browser.post(f"/refusals/{refusal_id.hex()}/handled").status_code == 303
    assert "没有等处理的拒收" in browser.get("/refusals").text
    assert browser.post(f"/refusals/{refusal_id.hex()}/handled").status_code == 409


def test_incidents_say_what_where_and_what_to_do_and_are_counted_in_the_menu(county: County, browse: Browse) -> None:
    made = put_incidents(county)
    browser = browse(county.hub, ADMIN)
    page = browser.get("/incidents").text
    for said in ("一个站名两份数据", "只留一台；另一台重新装载", STATION, f"contact {'ab' * 16} phone", "没有了结 5"):
        assert said in page
    assert "核对不一致" not in page
    everything = browser.get("/incidents?show=all").text
    for said in ("核对不一致", "3 次，最近", "已自动了结，不用办"):
        assert said in everything
    menu = re.sub(r"<[^>]+>|\s", "", page.split("<main")[0])
    assert "异常5" in menu
    for incident in made[1:]:
        assert browser.post(f"/incidents/{incident.hex()}/closed").status_code == 303
    assert "没有没了结的异常" in browser.get("/incidents").text
    assert browser.post(f"/incidents/{made[1].hex()}/closed").status_code == 409


def test_supervision_sees_incidents_and_closes_none_and_other_posts_do_not_see_them(
    county: County, browse: Browse
) -> None:
    made = put_incidents(county)
    browser = browse(county.hub, INSPECT)
    assert "一个站名两份数据" in browser.get("/incidents").text
    assert browser.post(f"/incidents/{made[1].hex()}/closed").status_code == 403
    assert browse(county.hub, REVIEW).get("/incidents").status_code == 403


def test_the_bar_counts_stations_unsent_and_refusals(county: County, browse: Browse, clock: FixedClock) -> None:
    with county.store.write() as db:
        db.execute(
            "UPDATE node_record SET last_seen_at = '2026-11-23T00:50:00.000Z', unsent = 7 WHERE id = ?", (STATION,)
        )
    put_refusal(county, "duplicate")
    bar = re.sub(r"<[^>]+>", "", browse(county.hub, ADMIN).get("/status").text)
    for said in ("站点在线 1 / 2", "1 个站点还没有连过", "站点待上报 7 件，拒收待处理 1"):
        assert said in bar


def test_a_station_is_listed_by_its_age(county: County, browse: Browse, clock: FixedClock) -> None:
    with county.store.write() as db:
        db.execute("UPDATE node_record SET last_seen_at = '2026-11-10T00:50:00.000Z' WHERE id = ?", (STATION,))
        revoked = {"revoked_at": "2026-11-10T00:50:00.000Z", "revoked_reason": "电脑被盗"}
        database.update(db, "node_record", {"id": OTHER_STATION}, revoked)
    browser = browse(county.hub, ADMIN)
    look = browser.get("/stations").text
    assert "甘霖镇站点" in look.split("<table")[-1]
    assert "长乐镇站点" not in look.split("<table")[-1]
    assert "电脑被盗" in browser.get("/stations?show=all").text


def test_offline_work_counts_on_the_day_it_was_done(county: County, browse: Browse, desk: Desk) -> None:
    county.add_pensioner_to_be()
    desk.submit(CHANGE, "周建根", given={"phone": "13857589999"}, stated_at="2026-10-30T01:15:00.000Z")
    browser = browse(county.hub, ADMIN)
    assert "王丽萍" in browser.get("/workload?month=2026-10").text
    assert "王丽萍" not in browser.get("/workload?month=2026-11").text
