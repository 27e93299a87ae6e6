# SPDX-License-Identifier: Apache-2.0
"""The counter in a real browser: a whole case without the mouse, and nothing cut off on any screen or sheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect

from node import contacts
from node.cases import Submitted
from node.station import Station
from tests.browser.hands import enter
from tests.browsing import SCREENS, chromium, served
from tests.node.conftest import PASSWORD

pytestmark = pytest.mark.xdist_group("browser")
# What the browser notes of answers the test asks for, and of a request that a newer one replaced.
ASKED_FOR = re.compile(r"status of (409|422)|htmx:(afterRequest|sendAbort)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The station's pages on a free port."""
    with served(app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """The counter of officer 3012. Ends with a failure when anything broke or was refused in the browser."""
    context = browser.new_context(base_url=site, viewport={"width": 1366, "height": 768}, locale="zh-CN")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    enter(opened, "3012", PASSWORD)
    opened.wait_for_url("**/")
    yield opened
    context.close()
    assert [text for text in complaints if not ASKED_FOR.search(text)] == []


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def test_a_case_is_taken_from_search_to_slip_without_the_mouse(page: Page, station: Station) -> None:
    expect(focused(page)).to_have_id("q")
    page.keyboard.type("cgy")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("陈桂英")
    page.keyboard.press("F4")
    page.keyboard.press("1")
    expect(page.get_by_role("heading", level=1)).to_have_text("城乡居民基本养老保险参保登记")

    page.keyboard.press("Control+Enter")
    expect(focused(page)).to_have_id("findings")
    expect(page.locator("#findings")).to_contain_text("处要改")
    page.locator("#findings").get_by_role("link", name=re.compile("缴费档次")).focus()
    page.keyboard.press("Enter")
    expect(focused(page)).to_have_id("f-grade")
    page.locator("#f-grade").select_option("1000")
    page.locator("#f-bank").select_option("农商银行")
    page.locator("#f-account_no").fill("6228580399001234560")
    for paper in ("id_card", "household_book", "bank_book"):
        page.locator(f"[id='f-material:{paper}']").press("Space")
    expect(page.locator("#papers-count")).to_have_text("需要 3 项，已有 3 项")
    expect(page.locator("#saved")).to_have_text("草稿，09:00 自动保存")
    expect(page.locator("#panels")).to_contain_text("1,000.00 元")

    page.keyboard.press("Control+Enter")
    expect(page.locator(".sheet h1")).to_have_text("业务受理回执")
    expect(page.locator(".legal-box")).to_contain_text("暂定，待县中心确认")
    expect(focused(page)).to_contain_text("打印")
    page.keyboard.press("Escape")
    expect(focused(page)).to_have_id("q")
    expect(page.locator("tbody tr").first).to_contain_text("0100-1-26-000401-9")
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM fact").fetchone()[0] == 1


def test_enter_goes_to_the_next_field_and_f8_keeps_the_draft(page: Page, person: Callable[[str], bytes]) -> None:
    page.goto(f"/items/personal_data_change?person={person('张建国').hex()}")
    page.locator("#f-phone").fill("13857582046")
    page.keyboard.press("Enter")
    expect(focused(page)).to_have_id("f-address")
    page.keyboard.press("F8")
    expect(page.locator("#notice")).to_contain_text("草稿已保存")
    expect(page.locator("#f-phone")).to_have_value("138 5758 2046")


def test_f4_then_a_digit_opens_an_item_from_anywhere(page: Page) -> None:
    page.keyboard.press("F4")
    page.keyboard.press("3")
    expect(page.get_by_role("heading", level=1)).to_have_text("城乡居民养老保险待遇领取申请")
    expect(focused(page)).to_have_id("q")
    page.goto("/cases")
    page.wait_for_selector("[data-items-url]")
    page.keyboard.press("F4")
    expect(page.get_by_role("heading", level=1)).to_have_text("办事项")
    page.keyboard.press("2")
    expect(page.get_by_role("heading", level=1)).to_have_text("个人信息变更")


def test_the_menu_is_narrowed_while_one_types_and_opened_by_arrows_and_enter(page: Page) -> None:
    page.goto("/items")
    box = page.locator("[data-menu-find]")
    expect(box).to_be_focused()
    page.keyboard.type("tuixiu")
    left = page.locator("[data-menu] a:visible")
    expect(left).to_have_count(3)
    expect(page.locator("[data-menu-count]")).to_have_text("3 项")
    page.keyboard.press("ArrowDown")  # the first is chosen already
    expect(left.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    box.fill("没有这样的事")
    expect(page.locator("[data-menu-none]")).to_be_visible()
    box.fill("3")
    expect(page.locator("[data-menu] a.on")).to_have_attribute("data-no", "3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("个人参保登记")


def test_a_letter_at_the_list_goes_on_in_the_menus_box(page: Page) -> None:
    page.goto("/items")
    page.keyboard.press("F4")
    page.keyboard.type("sbkgs")
    expect(page.locator("[data-menu-find]")).to_have_value("sbkgs")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("社保卡挂失")


def test_f9_hides_numbers_and_amounts(page: Page, person: Callable[[str], bytes]) -> None:
    page.goto(f"/persons/{person('郑俊刚').hex()}")
    page.keyboard.press("F9")
    for private in page.locator(".private").all():
        colour = private.evaluate("el => getComputedStyle(el).color")
        assert colour == "rgba(0, 0, 0, 0)", private.inner_text()
    page.keyboard.press("F9")


def test_a_session_that_ended_leads_to_the_login_and_back_with_the_draft(
    page: Page, app: Flask, person: Callable[[str], bytes]
) -> None:
    page.goto(f"/items/personal_data_change?person={person('张建国').hex()}")
    with page.expect_response(lambda answer: answer.url.endswith("/auto")):
        page.locator("#f-phone").fill("13857582046")
        page.keyboard.press("Tab")
    app.extensions["auth"].ring.drop_officer("3012")
    page.goto("/cases?show=draft")
    expect(page.get_by_role("heading", level=1)).to_have_text("已锁屏")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="草稿", exact=True).last.click()
    expect(page.locator("#f-phone")).to_have_value("138 5758 2046")


@pytest.fixture
def paths(station: Station, person: Callable[[str], bytes], enrol: Callable[..., Submitted]) -> list[str]:
    """Pages with something long on them."""
    case = enrol().case_id.hex()
    with station.store.write() as db:
        contacts.change(db, person("张建国"), {"address": "苍岩村" * 40, "phone": "13857582046"}, "3012", station.clock)
    zhang = person("张建国").hex()
    return [
        "/", "/items", "/items/resident_pension_enrolment?new=1", f"/persons/{zhang}",
        f"/persons/{person('郑俊刚').hex()}", f"/persons/{zhang}?edit=contact",
        f"/items/personal_data_change?person={zhang}", "/cases", f"/cases/{case}", "/unsent", "/station",
        f"/estimates/resident?person={zhang}",
    ]  # fmt: skip


@pytest.mark.parametrize("screen", SCREENS)
def test_no_page_scrolls_sideways_on_any_screen(page: Page, paths: list[str], screen: str) -> None:
    width, height = SCREENS[screen]
    page.set_viewport_size({"width": width, "height": height})
    for lang in ("zh", "en"):
        page.goto(f"/lang/{lang}")
        for path in paths:
            page.goto(path)
            page.wait_for_selector("#status b")
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, (path, lang, over)


def test_the_primary_action_is_in_sight_at_640_pixels(page: Page, paths: list[str]) -> None:
    page.set_viewport_size({"width": 1366, "height": 640})
    for path in (p for p in paths if p.startswith("/items/") or p == "/unsent"):
        page.goto(path)
        assert page.locator(".btn-main").first.evaluate(
            "el => { const b = el.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight; }"
        ), path


LONG = {
    "phone": "13857582064", "address": "浙江省绍兴市嵊州市甘霖镇苍岩村" * 8, "new_name": "张建" + "国" * 20,
    "new_birth_on": "1965-08-13", "new_work_began_on": "1985-01-01", "reason": "更正" * 100,
}  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_longest_slip_is_one_page_of_a5_and_the_notice_one_of_a4(
    page: Page, person: Callable[[str], bytes], lang: str
) -> None:
    page.goto(f"/lang/{lang}")
    page.goto(f"/items/personal_data_change?person={person('张建国').hex()}")
    for name, text in LONG.items():
        page.locator(f"#f-{name}").fill(text)
    page.locator("button[value=notice]").click()
    assert _pages(page) == 1
    page.locator(".print-bar a[href^='/drafts/']").click()
    for paper in ("id_card", "police_proof", "work_proof"):
        page.locator(f"[id='f-material:{paper}']").check()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sheet.a5")).to_be_visible()
    assert _pages(page) == 1
    sizes = "el => [el.scrollHeight - el.clientHeight, el.scrollWidth - el.clientWidth]"
    assert max(page.locator(".sheet.a5").evaluate(sizes)) <= 0


def _pages(page: Page) -> int:
    """Sheets of paper. A page that is still being laid out cannot be printed: the browser answers with an error."""
    page.wait_for_load_state("networkidle")
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))


def test_every_control_has_a_name_and_every_picture_a_word(page: Page, paths: list[str]) -> None:
    for path in paths:
        page.goto(path)
        page.wait_for_selector("#status b")
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')]
                .filter(el => el.getClientRects().length)
                .filter(el => !(el.innerText || '').trim() && !el.labels?.length && !el.getAttribute('aria-label'))
                .map(el => el.outerHTML.slice(0, 120))"""
        )
        assert nameless == [], path
        ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(el => el.id)")
        assert len(ids) == len(set(ids)), path
