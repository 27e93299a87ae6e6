# SPDX-License-Identifier: Apache-2.0
"""What waits, what was refused, and sending now: by the worker where there is one, here otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from node import contacts
from node.cases import Submitted
from node.exchange import Exchange, Step
from node.station import Station
from node.tasks import Tasks
from schema import database, ids
from tests.node.conftest import Counter

HTMX = {"HX-Request": "true"}


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_each_item_is_listed_with_who_and_since_when(
    counter: Counter, station: Station, person: Callable[[str], bytes], enrol: Callable[..., Submitted]
) -> None:
    enrol(phone="15857501162", address="陈家路 4 号")
    with station.store.write() as db:
        contacts.change(db, person("张建国"), {"phone": "13857582046"}, "3007", station.clock)
    words = plain(counter.get("/unsent").text)
    assert "收件并提交 0100-1-26-000401-9 陈桂英 未上报 王丽萍 3012" in words
    assert "改手机 张建国 未上报 俞国平 3007" in words and "2 件，约" in words
    assert "13857582046" not in words


def test_nothing_unsent_is_an_answer_with_its_time(counter: Counter) -> None:
    assert "没有等着上报的。全部已由中心签收，截至 11-21 06:40" in counter.get("/unsent").text


@pytest.mark.parametrize(("direction", "who"), [("out", "中心拒收"), ("in", "本站拒收")])
def test_a_refusal_says_by_whom_and_why_and_is_put_away_when_seen_to(
    counter: Counter, station: Station, direction: str, who: str
) -> None:
    refusal = ids.new_id()
    row = {
        "direction": direction,
        "peer": "hub",
        "channel": "evt",
        "frame_n": 1,
        "item": "zz",
        "code": "officer_disabled",
    }
    with station.store.write() as db:
        at = {"reason": "工号已停用", "at": "2026-11-23T00:30:00.000Z"}
        database.insert(db, "refusal", {"id": refusal, **row, **at})
    page = counter.get("/unsent").text
    assert who in page and "工号已停用" in page
    assert counter.post(f"/unsent/refusals/{refusal.hex()}/handled").status_code == 302
    assert "09:00 已处理" in counter.get("/unsent").text
    assert counter.post(f"/unsent/refusals/{ids.new_id().hex()}/handled").status_code == 404
    counter.get("/lang/en")
    assert "The officer is disabled" in counter.get("/unsent").text


def test_a_refused_case_is_named_by_its_number(
    counter: Counter, station: Station, enrol: Callable[..., Submitted]
) -> None:
    done = enrol()
    with station.store.write() as db:
        fact_id = bytes(db.execute("SELECT fact_id FROM case_file").fetchone()[0])
        row = {"direction": "out", "peer": "hub", "channel": "evt", "frame_n": 1, "item": fact_id.hex(), "code": "role"}
        database.insert(
            db, "refusal", {"id": ids.new_id(), "reason": "没有窗口岗位", "at": "2026-11-23T00:30:00.000Z", **row}
        )
    page = counter.get("/unsent").text
    assert re.search(rf'/cases/{done.case_id.hex()}">{done.receipt_no}</a> 陈桂英.*?没有窗口岗位', page, re.DOTALL)
    assert "中心退回" in counter.get(f"/cases/{done.case_id.hex()}").text


def test_sending_over_a_broken_line_says_so_and_is_in_the_history(counter: Counter) -> None:
    counter.get("/unsent")
    assert counter.post("/unsent/send").status_code == 302
    page = counter.get("/unsent").text
    assert page.count("连不上中心，稍后自动重试") == 2


def test_where_there_is_a_worker_the_button_asks_it_and_shows_progress(
    counter: Counter, app: Flask, station: Station, exchange: Exchange
) -> None:
    asked: list[str] = []
    tasks = Tasks(station, exchange)
    tasks.sync_now = lambda: asked.append("now")
    app.extensions["tasks"] = tasks
    counter.get("/unsent")
    answer = counter.post("/unsent/send", headers=HTMX)
    assert asked == ["now"] and "马上开始" in answer.text and 'hx-get="/unsent/progress?after=0"' in answer.text
    exchange.step = Step("push", 12)
    assert "正在上报" in counter.get("/unsent/progress").text and "已 12 件" in counter.get("/unsent/progress").text


def test_what_came_of_an_earlier_exchange_is_not_shown_for_the_one_asked_for(
    counter: Counter, app: Flask, station: Station, exchange: Exchange
) -> None:
    exchange.run()
    tasks = Tasks(station, exchange)
    tasks.sync_now = lambda: None
    app.extensions["tasks"] = tasks
    counter.get("/unsent")
    counter.post("/unsent/send", headers=HTMX)
    waiting = counter.get("/unsent/progress?after=1")
    assert "马上开始" in waiting.text and "连不上中心" not in waiting.text and "HX-Refresh" not in waiting.headers
    exchange.run()
    assert counter.get("/unsent/progress?after=1").headers["HX-Refresh"] == "true"


def test_the_station_page_shows_checks_and_makes_a_proven_copy(counter: Counter) -> None:
    page = counter.get("/station").text
    assert "自检通过" in page and "还没有备份" in page
    assert counter.post("/station/backup").status_code == 302
    assert "已备份并打开核对过：backup-20261123-010000.db" in counter.get("/station").text
