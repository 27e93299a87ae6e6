# SPDX-License-Identifier: Apache-2.0
"""The self-service page and the counter's queue in a real browser: touch only, and nothing axe objects to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.browser.eyes import Eyes
from tests.browser.hands import enter
from tests.browsing import chromium, served
from tests.node.conftest import PASSWORD
from tests.node.kiosk.conftest import CHEN, ZHANG, ZHANG_WEI

Lay = Callable[..., None]
expect.set_options(timeout=30_000)
SIZES = {"screen": (1366, 768), "zoomed": (683, 768)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(autouse=True)
def quick_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server ends when its last answer is given: none is held for long here."""
    monkeypatch.setattr("node.pages.card.WAIT_S", 0.5)
    monkeypatch.setattr("node.kiosk.pages.WAIT_S", 0.5)


@pytest.fixture
def eyes(tmp_path: Path) -> Iterator[Eyes]:
    watching = Eyes(keep=os.environ.get("KEEP_SCREENS") == "1")
    yield watching
    assert watching.complaints == []


@pytest.fixture
def screen(browser: Browser, kiosk: Flask, eyes: Eyes) -> Iterator[Page]:
    """The self-service page as it stands all day."""
    with served(kiosk) as address:
        context = browser.new_context(base_url=address, viewport={"width": 1366, "height": 768}, locale="zh-CN")
        page = context.new_page()
        eyes.watch(page)
        page.goto("/")
        yield page
        context.close()


def look(page: Page, eyes: Eyes, name: str) -> None:
    """In both widths."""
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        eyes.look(page, name, picture=width == 1366)
    page.set_viewport_size({"width": 1366, "height": 768})


def test_a_card_opens_own_records_and_taking_it_off_clears_the_screen(screen: Page, eyes: Eyes, lay: Lay) -> None:
    look(screen, eyes, "kiosk-home")
    lay(ZHANG)
    screen.wait_for_url("**/question")
    look(screen, eyes, "kiosk-question")
    for digit in "2064":
        screen.locator(f'[data-digit="{digit}"]').click()
    screen.locator(".pad .go").click()
    screen.wait_for_url("**/me")
    look(screen, eyes, "kiosk-records")
    screen.goto("/me/personal_data_change")
    look(screen, eyes, "kiosk-form")
    lay(None)
    expect(screen).to_have_url(screen.url.split("/me")[0] + "/")
    screen.go_back()
    expect(screen.locator(".tile.main")).to_be_visible()
    assert "张" not in screen.locator("body").inner_text()


def test_from_the_self_service_screen_no_page_of_the_counter_opens(
    screen: Page, eyes: Eyes, person: Callable[[str], bytes]
) -> None:
    for path in ("/login", "/cases", "/unsent", "/search", f"/persons/{person('张建国').hex()}", "/items", "/station"):
        answer = screen.goto(path)
        assert answer is not None and answer.status == 404, path
        eyes.look(screen, f"kiosk {path}")
        assert "张" not in screen.locator("body").inner_text()
    eyes.complaints[:] = [said for said in eyes.complaints if "status of 404" not in said]  # the browser notes each
    screen.goto("/")
    for key in ("F2", "F4", "/", "Control+Enter"):
        screen.keyboard.press(key)
    expect(screen.locator(".tile.main")).to_be_visible()
    assert screen.url.count("/") == 3


def test_a_number_is_taken_by_two_touches_and_called_at_the_window(
    screen: Page, eyes: Eyes, app: Flask, browser: Browser, lay: Lay
) -> None:
    screen.get_by_role("link", name="取号").click()
    look(screen, eyes, "kiosk-topics")
    screen.get_by_role("button", name="待遇领取").click()
    expect(screen.locator(".number")).to_have_text("B001")
    look(screen, eyes, "kiosk-number")
    with served(app) as address:
        context = browser.new_context(base_url=address, viewport={"width": 1366, "height": 768}, locale="zh-CN")
        window = context.new_page()
        eyes.watch(window)
        enter(window, "3012", PASSWORD)
        window.wait_for_url("**/")
        window.get_by_role("button", name="叫下一位").click()
        expect(window.locator(".queue-number")).to_have_text("B001")
        eyes.look(window, "counter-queue", picture=True)
        screen.goto("/display")
        expect(screen.locator(".now")).to_contain_text("B001")
        look(screen, eyes, "kiosk-display")
        window.get_by_role("button", name="办完").click()
        expect(window.locator(".queue-number")).to_have_count(0)
        expect(screen.locator(".now")).to_have_count(0)
        context.close()


def test_a_card_at_the_window_opens_the_person_without_a_click(
    app: Flask, browser: Browser, eyes: Eyes, lay: Lay
) -> None:
    with served(app) as address:
        context = browser.new_context(base_url=address, viewport={"width": 1366, "height": 768}, locale="zh-CN")
        window = context.new_page()
        eyes.watch(window)
        enter(window, "3012", PASSWORD)
        window.wait_for_url("**/")
        lay(None, "Clerk's reader")
        expect(window.locator("[data-card-sign]")).to_have_text("放卡即读")
        lay(CHEN, "Clerk's reader")
        window.wait_for_url("**/persons/*")
        expect(window.get_by_role("status").first).to_contain_text("已读卡，与名册一致")
        eyes.look(window, "card-read", picture=True)
        window.goto("/items/resident_pension_enrolment?new=1")
        lay(ZHANG_WEI, "Clerk's reader")
        offered = window.get_by_role("button", name="打开持卡人")
        expect(offered).to_be_visible()  # a form that is being filled is not left by itself
        assert "/items/" in window.url
        offered.click()
        window.wait_for_url("**/persons/*")
        context.close()
