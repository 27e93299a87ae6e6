# SPDX-License-Identifier: Apache-2.0
"""A survival day on its pages: without script first, then in a browser with a camera, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from node.station import Station
from tests.browser.eyes import Eyes
from tests.browser.hands import enter
from tests.browsing import FAKE_CAMERA, chromium, served
from tests.node.conftest import PASSWORD, Counter
from tests.node.test_survival import PHOTO, VILLAGE, draw, facts

DAY = f"/survival/{VILLAGE}/day"
Person = Callable[[str], bytes]
Mark = Callable[..., str]


@pytest.fixture
def ge(station: Station, person: Person) -> bytes:
    """张俊格, who draws beside 郑俊刚: two to be seen in the village."""
    with station.store.write() as db:
        draw(db, person("张俊格"), "2020-01")
    return person("张俊格")


@pytest.fixture
def mark(counter: Counter) -> Mark:
    """`mark(person, "face", photo=...)`: the form as a browser without script sends it; the page that follows."""

    def send(person_id: bytes, act: str, photo: bytes = b"", **more: str) -> str:
        counter.get(DAY)
        form = {"person": person_id.hex(), "act": act, **more}
        file = {"photo": (BytesIO(photo), "p.jpg", "image/jpeg")} if photo else {}
        answer = counter.post(f"/survival/{VILLAGE}/mark", form | file, content_type="multipart/form-data")
        return answer.text if answer.status_code != 302 else counter.get(answer.headers["Location"]).text

    return send


def standing(page: str) -> str:
    """Before whom the page stands."""
    found = re.search(r"data-who>([^<]+)<", page)
    return found[1] if found else ""


def test_the_villages_show_who_is_overdue_and_lead_to_the_day(counter: Counter, ge: bytes) -> None:
    page = counter.get("/survival").text
    assert "东王村" in page and DAY in page
    village = counter.get(f"/survival/{VILLAGE}").text
    assert "郑俊刚" in village and "逾期" in village and "330623195603071236"[6:14] not in village


def test_a_day_goes_from_one_to_the_next_and_is_signed_at_its_end(
    counter: Counter, station: Station, person: Person, ge: bytes, mark: Mark
) -> None:
    first = standing(counter.get(DAY).text)
    second = standing(mark(person(first), "face", PHOTO))
    assert {first, second} == {"郑俊刚", "张俊格"}
    page = mark(person(second), "not_found", note="elsewhere")
    assert "本村都登记过了" in page and "已登记 2 / 2 人" in page and facts(station) == []
    signed = counter.post(f"/survival/{VILLAGE}/sign")
    assert signed.status_code == 302 and "已签发 2 人" in counter.get(signed.headers["Location"]).text
    said = {(f.body["found"], f.body["method"], f.body["note"]) for f in facts(station)}
    assert said == {(1, "face", None), (0, "visit", "elsewhere")}


def test_undo_stands_at_the_same_person_again(counter: Counter, person: Person, ge: bytes, mark: Mark) -> None:
    first = standing(counter.get(DAY).text)
    mark(person(first), "id_card")
    answer = counter.post(f"/survival/{VILLAGE}/undo")
    assert standing(counter.get(answer.headers["Location"]).text) == first


def test_a_refused_mark_says_why_and_stays_at_the_person(person: Person, ge: bytes, mark: Mark) -> None:
    page = mark(ge, "face")
    assert "请先拍照" in page and standing(page) == "张俊格"
    mark(ge, "face", PHOTO)
    page = mark(person("郑俊刚"), "face", PHOTO)
    assert "已经用在别人身上" in page and standing(page) == "郑俊刚"


def test_a_list_for_the_village_is_printed_and_logged_with_its_persons(
    counter: Counter, station: Station, ge: bytes
) -> None:
    counter.get("/survival")
    answer = counter.post(f"/survival/{VILLAGE}/print")
    sheet = counter.get(answer.headers["Location"]).text
    assert "认证名单" in sheet and "郑俊刚" in sheet and "不会自动停发" in sheet
    with station.store.read() as db:
        assert tuple(db.execute("SELECT document, persons FROM print_log").fetchone()) == ("due_list", 2)


def test_what_is_no_village_and_what_is_no_person_is_no_such_page(counter: Counter, mark: Mark, person: Person) -> None:
    counter.get("/survival")
    assert counter.post("/survival/999999999999/print").status_code == 404
    assert "不用认证" in mark(person("张伟"), "id_card")
    assert "没有这个人" in counter.post(f"/survival/{VILLAGE}/mark", {"person": "x", "act": "face"}).text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(*FAKE_CAMERA) as started:
        yield started


@pytest.fixture
def page(browser: Browser, app: Flask) -> Iterator[Page]:
    with served(app) as site:
        context = browser.new_context(base_url=site, viewport={"width": 1366, "height": 768}, locale="zh-CN")
        opened = context.new_page()
        enter(opened, "3012", PASSWORD)
        opened.wait_for_url("**/")
        yield opened
        context.close()


@pytest.mark.xdist_group("browser")
def test_a_survival_day_with_a_camera_needs_three_keys_for_a_person(page: Page, station: Station, ge: bytes) -> None:
    eyes = Eyes(keep=False)
    eyes.watch(page)
    page.goto(f"/survival/{VILLAGE}")
    eyes.look(page, "village", page.locator(".btn-main"))
    page.get_by_role("link", name="开始认证").click()
    expect(page.locator(":focus")).to_have_attribute("data-who", "")
    expect(page.locator("video")).to_be_visible()
    eyes.look(page, "day", page.locator("button[value=face]"))
    page.keyboard.press("p")
    expect(page.locator(".shot img")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_text("已登记 1 / 2 人")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_text("已登记 0 / 2 人")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("已登记 1 / 2 人")).to_be_visible()
    expect(page.locator("video")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator(".shot img")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="本村都登记过了")).to_be_focused()
    eyes.look(page, "done")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#notice")).to_contain_text("已签发 2 人")
    assert eyes.complaints == []
    with station.store.read() as db:
        sizes = [row[0] for row in db.execute("SELECT size FROM blob")]
    assert [f.body["method"] for f in facts(station)] == ["id_card", "face"]
    assert len(sizes) == 1 and 1_000 < sizes[0] < 200_000, "a photo that a slow line can carry"
