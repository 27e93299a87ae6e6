# SPDX-License-Identifier: Apache-2.0
"""Look and keys in a real browser: what a clerk's hands do, and that nothing is cut off or refused by the policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from schema.clock import SystemClock
from schema.web.keyring import KeyRing
from tests.browsing import SCREENS, chromium, served
from tests.schema.web.conftest import PASSWORD, MemoryStore, build_app, make_officer
from tests.schema.web.gallery import PAGES

pytestmark = pytest.mark.xdist_group("browser")
# A refused number or a missing page is an answer the test asks for; the browser notes it as an error all the same.
ASKED_FOR = re.compile(r"status of (401|404|409|422)|Status Error Code 404|htmx:|ERR_FAILED")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The gallery, served on a free port."""
    store = MemoryStore(make_officer("2107", "review", name="赵敏", station=""))
    with served(build_app(store, SystemClock(), KeyRing())) as address:
        yield address


def log_in(page: Page) -> None:
    """As an officer does: number, Enter, password, Enter."""
    page.goto("/login")
    page.keyboard.type("2107")
    page.keyboard.press("Enter")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")


@pytest.fixture(scope="module")
def session(browser: Browser, site: str) -> StorageState:
    """The cookies of a logged-in officer."""
    context = browser.new_context(base_url=site)
    log_in(context.new_page())
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def page(browser: Browser, site: str, session: StorageState) -> Iterator[Page]:
    """A page of a logged-in officer. Ends with a failure when anything was refused or broke in the browser."""
    context = browser.new_context(
        base_url=site, viewport={"width": 1366, "height": 768}, locale="zh-CN", storage_state=session
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert [text for text in complaints if not ASKED_FOR.search(text)] == []


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def posted(page: Page, key: str) -> dict[str, list[str]]:
    """What the form sends when that key is pressed."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.keyboard.press(key)
    return answer.value.json()  # type: ignore[no-any-return]


# Look


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_or_refused_on_any_screen(page: Page, name: str) -> None:
    for lang in ("zh", "en"):
        page.goto(f"/lang/{lang}?next=/gallery/{name}")
        for screen, (width, height) in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (screen, lang)


@pytest.mark.parametrize(
    ("name", "primary"),
    [("form", "[data-key='Ctrl+Enter']"), ("desk", "[data-key='1']"), ("compare", "[data-key='Ctrl+Enter']"),
     ("console", "[data-key='Ctrl+Enter']"), ("counter", "#q"), ("slip", "[data-print]")],
)  # fmt: skip
def test_the_primary_action_is_in_sight_at_640_pixels(page: Page, name: str, primary: str) -> None:
    page.set_viewport_size({"width": 1366, "height": 640})
    page.goto(f"/gallery/{name}")
    expect(page.locator(primary).first).to_be_in_viewport(ratio=1)


def test_an_id_number_copies_as_eighteen_characters(page: Page) -> None:
    page.goto("/gallery/person")
    copied = page.locator(".idno").first.evaluate(
        "el => { getSelection().selectAllChildren(el); return getSelection().toString(); }"
    )
    assert copied == "33068319650812001X"


@pytest.mark.parametrize("legal", ["received", "provisional", "final"])
def test_a_slip_is_one_a5_page(page: Page, legal: str) -> None:
    page.goto(f"/gallery/slip?legal={legal}")
    paper = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
    assert [(round(float(width)), round(float(height))) for width, height in boxes] == [(420, 595)]


def test_a_report_is_printed_without_the_bars_and_says_who_printed_it_when(page: Page) -> None:
    page.goto("/gallery/counter")
    page.emulate_media(media="print")
    for bar in (".top", ".status", ".chips"):
        expect(page.locator(bar).first).to_be_hidden()
    expect(page.locator("table.t").first).to_be_visible()
    expect(page.locator(".print-only")).to_contain_text("赵敏 2107 · 截至 20")


# Keys that act everywhere


def test_the_search_box_has_the_focus_at_home_and_f2_and_slash_come_back_to_it(page: Page) -> None:
    page.goto("/gallery/counter")
    expect(page.locator("#q")).to_be_focused()
    page.goto("/gallery/person")
    page.keyboard.press("F2")
    expect(page.locator("[data-find]")).to_be_focused()
    page.locator("h1").click()
    page.locator("[data-find]").evaluate("el => el.blur()")
    page.keyboard.press("/")
    expect(page.locator("[data-find]")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("[data-find]")).to_have_value("/")


def test_f1_lists_the_keys_and_escape_closes_the_list(page: Page) -> None:
    page.goto("/gallery/person")
    page.keyboard.press("F1")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_f4_and_a_digit_open_an_item(page: Page) -> None:
    page.goto("/gallery/counter")
    page.keyboard.press("F4")
    page.keyboard.press("8")
    page.wait_for_url("**#item-8")


def test_f9_hides_private_figures_and_stays_over_pages_until_pressed_again(page: Page) -> None:
    def colour() -> str:
        return str(page.locator(".idno").first.evaluate("el => getComputedStyle(el).color"))

    page.goto("/gallery/person")
    shown = colour()
    page.keyboard.press("F9")
    assert colour() == "rgba(0, 0, 0, 0)" != shown
    page.goto("/gallery/desk")
    assert colour() == "rgba(0, 0, 0, 0)"
    expect(page.locator("[data-veil-sign]")).to_be_visible()
    page.keyboard.press("F9")
    assert colour() != "rgba(0, 0, 0, 0)"


def test_escape_goes_back(page: Page) -> None:
    page.goto("/gallery/form")
    page.keyboard.press("Escape")
    page.wait_for_url("**/gallery/counter")


@pytest.mark.parametrize("key", ["F9", "F2", "Escape"])
def test_no_key_acts_while_an_input_method_is_composing(page: Page, key: str) -> None:
    page.goto("/gallery/form")
    before = page.evaluate("[document.body.className, document.activeElement.id, location.pathname]")
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        event = json.dumps({"key": key, "bubbles": True, "cancelable": True} | composing)
        page.evaluate(f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {event}))")
    assert page.evaluate("[document.body.className, document.activeElement.id, location.pathname]") == before


# Forms


def test_after_findings_the_summary_has_the_focus_and_leads_to_the_field(page: Page) -> None:
    page.goto("/gallery/form")
    expect(page.locator("#findings")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#f-resident_id")).to_be_focused()


def test_enter_walks_from_field_to_field_and_passes_what_cannot_be_changed(page: Page) -> None:
    page.goto("/gallery/form")
    page.locator("#f-name").focus()
    walked = []
    for _ in range(4):
        page.keyboard.press("Enter")
        walked.append(focused(page).get_attribute("name"))
    assert walked == ["resident_id", "phone", "village", "grade"]


def test_enter_at_the_last_field_offers_to_submit(page: Page) -> None:
    page.goto("/gallery/form")
    page.locator("#f-posted").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#f-note")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#f-note")).to_have_value("\n")


def test_control_enter_sends_bare_numbers_however_they_are_shown(page: Page) -> None:
    page.goto("/gallery/form")
    expect(page.locator("#f-resident_id")).to_have_value("330683 19811103 0421")
    page.locator("#f-phone").fill("１３８ 5758-2046")
    page.locator("#f-from_month").fill("202611")
    page.locator("#f-extra").fill("1,000.50")
    sent = posted(page, "Control+Enter")
    assert sent["resident_id"] == ["330683198111030421"]
    assert sent["phone"] == ["13857582046"]
    assert sent["from_month"] == ["2026-11"]
    assert sent["account"] == ["6228580399001234560"]
    assert sent["extra"] == ["1000.50"]


def test_f8_keeps_a_draft(page: Page) -> None:
    page.goto("/gallery/form")
    assert posted(page, "F8")["act"] == ["draft"]


# Search


def test_typing_initials_shows_hits_and_enter_opens_the_chosen_one(page: Page) -> None:
    page.goto("/gallery/counter")
    page.keyboard.type("zjg")
    expect(page.locator("#hits [role=option]")).to_have_count(3)
    expect(page.locator("#q")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#hits [aria-selected=true]")).to_have_attribute("id", "hit-1")
    expect(page.locator("#q")).to_have_attribute("aria-activedescendant", "hit-1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/gallery/person")


def test_escape_closes_the_hits_then_empties_the_box(page: Page) -> None:
    page.goto("/gallery/counter")
    page.keyboard.type("zjg")
    expect(page.locator("#hits")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the answer to the last letter opens the hits once more
    page.keyboard.press("Escape")
    expect(page.locator("#hits")).to_be_hidden()
    expect(page.locator("#q")).to_have_value("zjg")
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_have_value("")


def test_what_an_input_method_puts_between_initials_does_not_disturb(page: Page) -> None:
    page.goto("/gallery/counter")
    page.keyboard.type("ｚ'j'g")
    expect(page.locator("#hits [role=option]")).to_have_count(3)


def test_choosing_a_person_fills_the_field_and_typing_again_unchooses(page: Page) -> None:
    page.goto("/gallery/form")
    page.locator("#f-agent").fill("张")
    page.locator("#hits-agent [role=option]").first.click()
    expect(page.locator("#f-agent")).to_have_value("张建国")
    expect(page.locator("[name=agent]")).to_have_value("1")
    page.locator("#f-agent").press("Backspace")
    expect(page.locator("[name=agent]")).to_have_value("")


# The desk


def listen(page: Page) -> None:
    """Note in `pressed` which keyed buttons are clicked from now on."""
    page.evaluate(
        """window.pressed = [];
        for (const el of document.querySelectorAll('[data-key]'))
          el.addEventListener('click', () => pressed.push(el.dataset.key));"""
    )


def test_a_digit_decides_at_the_desk_but_never_in_a_field(page: Page) -> None:
    page.goto("/gallery/desk")
    listen(page)
    page.keyboard.press("2")
    page.locator("select").first.focus()
    page.keyboard.press("3")
    assert page.evaluate("pressed") == ["2"]


def test_single_keys_can_be_switched_off_for_an_officer(page: Page) -> None:
    page.goto("/gallery/desk")
    page.keyboard.press("F1")
    page.locator("[data-single-keys]").uncheck()
    page.keyboard.press("Escape")
    page.goto("/gallery/desk")
    listen(page)
    page.keyboard.press("1")
    assert page.evaluate("pressed") == []


def test_arrows_and_j_k_move_in_the_list_that_has_the_focus(page: Page) -> None:
    page.goto("/gallery/desk")
    page.keyboard.press("j")
    expect(page.locator("[data-list] :focus")).to_have_count(0)
    page.locator("[data-list] a").first.focus()
    for key, at in (("ArrowDown", 2), ("j", 3), ("k", 2), ("ArrowUp", 1), ("ArrowUp", 1)):
        page.keyboard.press(key)
        expect(focused(page)).to_have_attribute("href", f"#case-{at}")
    assert page.locator("[data-list] [tabindex='0']").count() == 1


def test_a_decision_can_be_taken_back_until_its_seconds_are_over(page: Page) -> None:
    page.clock.install()
    page.goto("/gallery/macros")
    expect(page.locator("[data-gone-after-s]")).to_be_visible()
    listen(page)
    page.evaluate(
        "document.querySelector('[data-gone-after-s] form').addEventListener('submit', e => e.preventDefault())"
    )
    page.keyboard.press("Control+z")
    assert page.evaluate("pressed") == ["Ctrl+Z"]
    page.clock.fast_forward(21_000)
    expect(page.locator("[data-gone-after-s]")).to_have_count(0)


def test_the_bar_for_many_appears_with_a_selection(page: Page) -> None:
    page.goto("/gallery/console")
    bar = page.locator("[data-batch-bar]")
    expect(bar).to_be_hidden()
    page.locator("[data-batch-all]").check()
    expect(bar).to_contain_text("已选 2 件，共 2 件")
    page.locator("[name=selected]").first.uncheck()
    expect(bar).to_contain_text("已选 1 件")


# When something goes wrong


def test_an_error_of_a_part_stands_in_the_notice_line_and_the_page_stays(page: Page) -> None:
    page.goto("/gallery/form")
    page.evaluate("htmx.ajax('GET', '/gone', '#f')")
    expect(page.locator("#notice")).to_contain_text("这一件已不在本站")
    expect(page.locator("#f-name")).to_have_value("陈桂英")


def test_no_answer_from_the_local_service_is_said_and_nothing_is_lost(page: Page) -> None:
    page.goto("/gallery/form")
    page.route("**/gone", lambda route: route.abort())
    page.evaluate("htmx.ajax('GET', '/gone', '#f').catch(() => null)")
    expect(page.locator("#notice")).to_contain_text("本机服务没有应答")
    expect(page.locator("#f-name")).to_have_value("陈桂英")


def test_after_the_lock_the_back_key_shows_nothing(page: Page) -> None:
    page.goto("about:blank")  # a page that still asks for its bar would put its old session back
    page.context.clear_cookies()
    log_in(page)
    page.goto("/gallery/person")
    page.locator("[data-lock]").click()
    page.wait_for_url(re.compile(r"/login\?next="))
    page.go_back()
    expect(page.locator("h1")).to_have_text("已锁屏")
