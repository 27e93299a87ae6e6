# SPDX-License-Identifier: Apache-2.0
"""The conflict desk in a real browser: decided without the mouse; nothing cut off, nothing a reader would trip over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from hub.app import create_app
from tests.browser.eyes import Eyes
from tests.browsing import chromium, served
from tests.hub.county import CHEAP, PASSWORD, REVIEW, County
from tests.hub.deciding import put_conflict

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def page(county: County) -> Iterator[Page]:
    """The pages of officer 2003 on a free port, over plain HTTP."""
    app = create_app(county.hub, cost=CHEAP)
    app.config["SESSION_COOKIE_SECURE"] = False
    with served(app) as address, chromium() as browser:
        opened = browser.new_page(base_url=address, viewport={"width": 1366, "height": 768})
        opened.goto("/login")
        opened.fill("#f-operator_no", REVIEW)
        opened.fill("#f-password", PASSWORD)
        opened.keyboard.press("Enter")
        opened.wait_for_url("**/")
        yield opened


def test_two_fields_are_decided_and_taken_back_without_the_mouse(page: Page, county: County) -> None:
    county.add_pensioner_to_be()
    put_conflict(county)
    put_conflict(county, col="address", kept="施家岙 12 号", lost="施家岙 21 号 2 幢 301")
    eyes = Eyes(keep=False)
    page.goto("/conflicts")
    eyes.look(page, "desk", page.get_by_role("button", name="按所选保存"))
    for lang in ("English", "中文"):
        page.get_by_role("link", name=lang).or_(page.get_by_role("button", name=lang)).click()
        page.goto("/conflicts")
        eyes.look(page, lang)
    eyes.look_close(page, "conflicts")
    assert eyes.complaints == []

    expect(page.locator(":focus")).to_have_attribute("name", "use-phone")
    page.keyboard.press("b")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_have_attribute("name", "use-address")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("b")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_contain_text("按所选保存")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.done")).to_contain_text("已保存 1 处")
    assert county.rows("SELECT phone, address FROM contact") == [("17706753391", "施家岙 12 号")]

    page.keyboard.press("Control+z")
    expect(page.locator(".notice.done")).to_contain_text("已撤回")
    assert county.one("SELECT phone FROM contact") == "13857582046"


def test_what_is_typed_into_a_field_chooses_it(page: Page, county: County) -> None:
    county.add_pensioner_to_be()
    put_conflict(county)
    page.goto("/conflicts")
    page.locator("#f-phone").fill("139 0000 0009")
    expect(page.locator("input[name=use-phone][value=other]")).to_be_checked()
    page.locator("#f-reason").fill("问过本人")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".notice.done")).to_contain_text("已保存 1 处")
    assert county.one("SELECT phone FROM contact") == "13900000009"
