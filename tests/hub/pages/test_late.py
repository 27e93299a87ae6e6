# SPDX-License-Identifier: Apache-2.0
"""Edits that came after the person had moved away: shown with what the register holds, taken over, refused, undone."""

from __future__ import annotations

import pytest

from schema.clock import FixedClock
from sync.hub import publish
from tests.hub.county import ALL_FOUR, INSPECT, OTHER_TOWNSHIP, OTHER_VILLAGE, REVIEW, STATION, Browse, Browser, County
from tests.hub.deciding import put_late


@pytest.fixture
def moved(county: County, claim: bytes) -> County:
    """周建根 lives in the other township now; his old station wrote a telephone number and an address late."""
    with publish.transaction(county.store, clock=county.hub.clock) as pub:
        pub.put("person", {"id": county.persons["周建根"], "village": OTHER_VILLAGE})
    put_late(county, phone="17706753391", address="东街 1 号", address_village=None)
    return county


def act(browser: Browser, county: County, do: str, column: str = "phone") -> int:
    late_id = county.one("SELECT late_id FROM late_value WHERE col = ?", column)
    return browser.post(f"/late/{late_id.hex()}/{do}").status_code


def contact(county: County) -> tuple[str | None, str | None]:
    return county.rows("SELECT phone, address FROM contact")[0]


def test_the_page_shows_both_values_who_wrote_when_and_how_many_wait(moved: County, browse: Browse) -> None:
    page = browse(moved.hub, REVIEW).get("/late").text
    for said in ("周建根", "长乐镇 水竹村", "13857582046", "17706753391", "东街 1 号", "甘霖镇站点", "3001", "待定 2"):
        assert said in page
    assert page.index("迁出修改") < page.index('<span class="n">2</span>')


def test_what_is_taken_over_is_the_hubs_edit_and_goes_to_the_new_township(moved: County, browse: Browse) -> None:
    browser = browse(moved.hub, REVIEW)
    before = moved.one("SELECT seq FROM feed_head")

    assert act(browser, moved, "accepted") == 303

    assert contact(moved)[0] == "17706753391"
    fed = moved.rows("SELECT slice, tbl, op FROM slice_feed WHERE seq > ? ORDER BY tbl", before)
    assert fed == [(OTHER_TOWNSHIP, "contact", publish.UPSERT), (f"node:{STATION}", "late_edit", publish.UPSERT)]
    assert moved.rows("SELECT cols, state, decided_by FROM late_edit ORDER BY cols") == [
        ("address address_village", "waiting", None), ("phone", "accepted", REVIEW),
    ]  # fmt: skip
    assert "已采用" in browser.get("/late?show=decided").text


def test_what_is_refused_changes_nothing_and_the_station_is_told(moved: County, browse: Browse) -> None:
    before = contact(moved)
    assert act(browse(moved.hub, REVIEW), moved, "refused", "address") == 303
    assert contact(moved) == before
    told = moved.rows("SELECT e.state FROM late_edit e JOIN slice_feed f ON f.pk = e.id ORDER BY f.seq DESC LIMIT 1")
    assert told == [("refused",)]


@pytest.mark.parametrize("do", ["accepted", "refused"])
def test_a_decision_is_undone_as_long_as_nobody_changed_the_cell(moved: County, browse: Browse, do: str) -> None:
    browser, before = browse(moved.hub, REVIEW), contact(moved)
    act(browser, moved, do)

    assert act(browser, moved, "undo") == 303

    assert contact(moved) == before
    assert moved.rows("SELECT DISTINCT state, decided_by, decided_at FROM late_edit") == [("waiting", None, None)]
    assert act(browser, moved, do) == 303


def test_after_another_edit_it_cannot_be_undone(moved: County, browse: Browse) -> None:
    browser = browse(moved.hub, REVIEW)
    act(browser, moved, "accepted")
    with publish.transaction(moved.store) as pub:
        pub.cells("contact", moved.persons["周建根"], {"phone": "13900000000"})

    assert act(browser, moved, "undo") == 409

    assert contact(moved)[0] == "13900000000"
    assert "后来又改过，不能撤回" in browser.get("/late?show=decided").text


@pytest.mark.parametrize(("first", "second"), [("accepted", "refused"), ("refused", "accepted")])
def test_it_is_decided_once(moved: County, browse: Browse, clock: FixedClock, first: str, second: str) -> None:
    browser = browse(moved.hub, ALL_FOUR)
    act(browser, moved, first)
    assert act(browser, moved, second) == 409
    assert moved.one("SELECT state FROM late_edit WHERE cols = 'phone'") == first


def test_what_waits_cannot_be_undone(moved: County, browse: Browse) -> None:
    assert act(browse(moved.hub, REVIEW), moved, "undo") == 409


def test_supervision_looks_and_decides_nothing(moved: County, browse: Browse) -> None:
    browser = browse(moved.hub, INSPECT)
    assert "采用" in browser.get("/late").text
    assert act(browser, moved, "accepted") == 403
