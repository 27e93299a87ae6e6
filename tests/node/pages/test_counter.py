# SPDX-License-Identifier: Apache-2.0
"""The counter's home: search, today's work with its true states, what waits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from node.cases import Submitted
from node.station import Station
from schema import database, ids, service
from schema.clock import FixedClock
from tests.node.conftest import STATION, Counter

HTMX = {"HX-Request": "true"}
Enrol = Callable[..., Submitted]


def test_hits_lead_to_the_person_and_the_foot_says_where_was_looked_and_as_of_when(
    counter: Counter, person: Callable[[str], bytes]
) -> None:
    page = counter.post("/search", {"q": "zjg"}, headers=HTMX)
    assert page.text.count('role="option"') == 4 and f"/persons/{person('张建国').hex()}" in page.text
    assert "本站名册 7 人，截至 11-21 06:40" in page.text and "不等于全县没有" in page.text
    assert "居民养老 领取中" in page.text and "未参保" in page.text


def test_nobody_found_says_that_this_is_not_the_whole_county(counter: Counter) -> None:
    page = counter.post("/search", {"q": "nobodyhere"}, headers=HTMX)
    assert "本站没有找到" in page.text and "data-href" not in page.text


def test_without_script_the_hits_are_a_page(counter: Counter) -> None:
    page = counter.post("/search", {"q": "张建国"})
    assert page.text.startswith("<!doctype html>") and "/persons/" in page.text


def test_what_was_searched_never_stands_in_an_address(counter: Counter) -> None:
    assert 'hx-post="/search"' in counter.get("/").text
    assert counter.get("/search?q=330683196508120011").status_code == 405


def test_todays_work_shows_what_each_slip_says_and_what_is_unsent(counter: Counter, enrol: Enrol) -> None:
    done = enrol()
    page = counter.get("/").text
    row = re.search(rf"<tr>(?:(?!</tr>).)*{done.receipt_no}.*?</tr>", page, re.DOTALL)
    assert row
    assert "legal provisional" in row[0] and "未上报" in row[0] and "陈桂英" in row[0] and "王丽萍 3012" in row[0]


def test_yesterdays_work_is_not_todays(counter: Counter, enrol: Enrol, clock: FixedClock) -> None:
    done = enrol()
    clock.advance(days=1)
    assert done.receipt_no not in counter.get("/").text
    assert done.receipt_no in counter.get("/cases").text


def test_mine_is_mine(counter: Counter, colleague: Counter, enrol: Enrol) -> None:
    done = enrol()
    assert done.receipt_no in counter.get("/?show=mine").text
    assert done.receipt_no not in colleague.get("/?show=mine").text


def test_what_waits_is_counted_and_leads_there(counter: Counter, station: Station, enrol: Enrol) -> None:
    done = enrol()
    row: dict[str, Any] = {
        "case_id": done.case_id, "station": STATION, "service": "resident_pension_enrolment",
        "receipt_no": done.receipt_no, "state": "returned", "received_at": "2026-11-23T02:00:00.000Z", "rev": 2,
    }  # fmt: skip
    with station.store.write() as db:
        database.insert(db, "case_state", row)
        refused = {
            "direction": "in",
            "peer": "hub",
            "channel": "ref",
            "frame_n": 1,
            "item": "x",
            "code": "type",
            "reason": "值",
        }
        database.insert(db, "refusal", {"id": ids.new_id(), "at": "2026-11-23T02:00:00.000Z", **refused})
    page = counter.get("/").text
    for words, link in (
        ("退回补正", "/cases?show=returned"),
        ("中心拒收", "/unsent#refused"),
        ("草稿", "/cases?show=draft"),
    ):
        assert re.search(rf'href="{re.escape(link)}".*?{words}', page), words


def test_common_items_have_their_digit(counter: Counter) -> None:
    page = counter.get("/").text
    keys = [item.common_key for item in service.load_all().values() if item.common_key]
    assert re.findall(r'data-digit="(\d)"', page) == keys
    assert keys[:3] == ["1", "2", "3"]


def test_the_bar_says_link_unsent_proof_and_numbers(counter: Counter, enrol: Enrol) -> None:
    enrol(phone="15857501162", address="陈家路 4 号")
    bar = re.sub(r"<[^>]+>|\s+", " ", counter.get("/bar").text)
    bar = re.sub(r"\s+", " ", bar)
    for words in ("线路断开 1 天 3 小时", "照常办理", "未上报 1 件", "与中心核对一致 11-21 06:40", "回执号余 499"):
        assert words in bar, (words, bar)


def test_reading_the_bar_does_not_keep_the_screen_unlocked(counter: Counter, app: Any) -> None:
    ring = app.extensions["auth"].ring
    (held,) = ring._held.values()
    before = held.seen_s
    counter.client.get("/bar")
    counter.client.get("/unsent/progress")
    assert held.seen_s == before
    counter.client.get("/")
    assert held.seen_s > before
