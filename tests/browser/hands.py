# SPDX-License-Identifier: Apache-2.0
"""A clerk's hands on the keyboard: no mouse, and no guess at how long anything takes."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

STEPS_MAX = 250  # more presses of Tab than any page has places to stop at


def enter(page: Page, number: str, password: str) -> None:
    """Log in as everybody does: number, Enter, password, Enter."""
    page.goto("/login")
    expect(page.locator("[name=operator_no]")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("/login"))


def go(page: Page, section: str) -> None:
    """To a section of the navigation, until it is there and its keys act."""
    page.locator("header nav").get_by_role("link", name=section).click()
    page.wait_for_load_state()
    expect(page.locator("header nav [aria-current=page]")).to_contain_text(section)


def step_to(page: Page, target: Locator) -> None:
    """Tab until it has the focus."""
    expect(target).to_be_visible()
    for _ in range(STEPS_MAX):
        if target.evaluate("el => el === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {target}")


def choose(page: Page, hits: str, text: str) -> None:
    """Arrows down a list of hits to the one with these words, then Enter."""
    wanted = page.locator(f"{hits} [role=option]", has_text=text)
    expect(wanted).to_be_visible()
    for _ in range(page.locator(f"{hits} [role=option]").count()):
        if wanted.get_attribute("aria-selected") == "true":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def find(page: Page, typed: str, text: str) -> None:
    """The search box, the hit with these words; whose page that is stands in the heading."""
    page.keyboard.press("F2")
    expect(page.locator("[data-find]")).to_be_focused()
    page.keyboard.type(typed)
    choose(page, "#hits", text)


def open_item(page: Page, title: str) -> None:
    """F4 and the item's name: typed where the menu has a box for it, stepped to where it is a list."""
    page.keyboard.press("F4")
    if page.locator("input:focus").count():
        page.keyboard.type(title)
    step_to(page, page.locator("main").get_by_role("link", name=title).first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.wait_for_load_state()


def write(page: Page, field: str, text: str) -> None:
    """Step to a field of the form and type into it what shall stand there."""
    step_to(page, page.locator(f"#f-{field}"))
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def pick(page: Page, field: str, text: str) -> None:
    """Step to a list of entries and arrow down to the one with these words."""
    box = page.locator(f"#f-{field}")
    step_to(page, box)
    entries = box.locator("option").all_inner_texts()
    at = next(n for n, entry in enumerate(entries) if text in entry)
    page.keyboard.press("Home")
    for _ in range(at):
        page.keyboard.press("ArrowDown")
    expect(box.locator("option:checked")).to_have_text(entries[at])


def tick(page: Page, paper: str) -> None:
    """Step to a paper's box and tick it."""
    step_to(page, page.locator(f"[id='f-material:{paper}']"))
    page.keyboard.press("Space")
