# SPDX-License-Identifier: Apache-2.0
"""The console of the county's month in a real browser: run and signed by keyboard, nothing cut off, nothing that a
reader would trip over, in both languages.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.app import create_app
from hub.context import Hub
from tests.browser.eyes import PC, Eyes
from tests.browsing import chromium, served
from tests.hub.county import CHEAP, PASSWORD
from tests.hub.settlement.conftest import OFFICERS, County
from tests.hub.settlement.county.working import FULL_FEN, HANDS, NOVEMBER, employer, pay_in

pytestmark = pytest.mark.xdist_group("browser")
HOME, AT = "/settlement/county", f"/settlement/county/{NOVEMBER}"


@pytest.fixture
def desks(hub: Hub) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of the hub's pages over plain HTTP."""
    app = create_app(hub, cost=CHEAP)
    app.config["SESSION_COOKIE_SECURE"] = False
    with served(app) as address, chromium() as browser:
        yield browser, address


def sit_down(desks: tuple[Browser, str], number: str) -> Page:
    browser, address = desks
    page = browser.new_context(base_url=address, viewport=PC, locale="zh-CN").new_page()
    page.goto("/login")
    page.fill("#f-operator_no", number)
    page.fill("#f-password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    return page


def test_a_month_is_run_recomputed_read_and_approved_by_keyboard(money: County, desks: tuple[Browser, str]) -> None:
    people = employer(money, 6_000_00, 30_000_00, 3_000_00)
    pay_in(money, FULL_FEN, "T1")
    money.pensioner()
    money.benefit(money.person())
    eyes = Eyes(keep=False)
    page = sit_down(desks, OFFICERS["settle"])
    eyes.watch(page)
    page.goto(HOME)
    eyes.look(page, "before the first run", page.locator("[data-key='Ctrl+Enter']"))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".head")).to_contain_text("待审批")
    page.get_by_role("button", name="另算一遍").click()
    expect(page.get_by_role("cell", name="根相同")).to_be_visible()
    person = f"{AT}/person/{people[1].hex()}"
    looked = {"中文": (HOME, "/settlement/money", f"{AT}/fund/pension", f"{AT}/held", f"{AT}/arrears", person),
              "English": (HOME, f"{AT}/compare", person)}  # fmt: skip
    for lang, paths in looked.items():
        if lang == "English":
            page.get_by_role("link", name=lang).click()
        for path in paths:
            page.goto(path)
            eyes.look(page, f"{path} {lang}")
    for path in (HOME, person):
        page.goto(path)
        eyes.look_close(page, path)

    page = sit_down(desks, HANDS["approve"])
    page.goto(HOME)
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/approve")
    eyes.look(page, "signing", page.locator("[data-key='Ctrl+Enter']"))
    page.keyboard.type(f"审批 {NOVEMBER}")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#notice")).to_contain_text(f"{NOVEMBER} 已审批")
    assert eyes.complaints == []
