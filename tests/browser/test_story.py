# SPDX-License-Identifier: Apache-2.0
"""A pension claim typed at an offline counter, decided by four officers, settled, paid, and seen at the counter again.

The story of the journey once more, by clicking and typing, in Chinese, as the people who do it would.
KEEP_SCREENS=1 writes the pictures of docs/screens anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from schema import names
from tests.browser.conftest import STATION, TOWNSHIP, UNDO_S
from tests.browser.eyes import Eyes
from tests.browser.hands import enter, go
from tests.browser.receipts import write_receipts
from tests.story import counters, people
from tests.story.clerk import Clerk
from tests.story.world import World

pytestmark = pytest.mark.xdist_group("processes")

CLAIM = "城乡居民养老保险待遇领取申请"
PHONE = "138 5758 2046"
REVIEWERS = ("2101", "2102", "2103", "2104")
MONTH_HANDS = (("2202", "approve", "审批"), ("2203", "pay", "发放"), ("2204", "close", "结账"))


@dataclass(frozen=True)
class Claimant:
    """Somebody who has reached sixty."""

    person_id: bytes
    name: str
    number: str

    @property
    def initials(self) -> str:
        return names.pinyin(self.name)[1]


def test_a_claim_goes_from_an_offline_counter_through_four_officers_to_a_payment_seen_at_the_counter(
    world: World, sit_down: Callable[[str], Page], eyes: Eyes
) -> None:
    who = other_work(world)
    counter = sit_down(world.station_url(STATION))
    log_in_at_the_second_try(counter, eyes, world.passwords["3011"])
    find_and_open(counter, eyes, who)
    correct_phone(counter, eyes)
    receipt = claim(counter, eyes)
    at_home_unsent(counter, eyes, receipt)
    world.start_hub(UNDO_S)
    send(counter, eyes)
    for number in REVIEWERS:
        desk = sit_down(world.hub_url)
        enter(desk, number, world.passwords[number])
        monthly_yuan = decide(desk, eyes, who, number)
    settle(world, sit_down, eyes)
    see_it_paid(counter, eyes, receipt, monthly_yuan)
    assert eyes.complaints == []


def other_work(world: World) -> Claimant:
    """What else was taken this morning: no list and no queue holds just one case. Returns whom the story is of."""
    hub = world.open_hub()
    who = people.residents(hub, TOWNSHIP, world.today())
    hub.close()
    clerk = Clerk(STATION, world.station_url(STATION), "3011", world.passwords["3011"])
    first = max(who.claimants, key=lambda one: namesakes(who, one))

    def others(among: list[bytes], count: int) -> list[bytes]:
        """Not the one of the story, nor anybody who could be taken for that one in a list."""
        return [one for one in among if who.names[first] not in who.names[one]][:count]

    for person in others(who.claimants, 3):
        clerk.take("resident_pension_claim", person, {}, ["id_card", "bank_book"])
    for person in others(who.unenrolled, 4):
        counters.enrol(clerk, person, who.names[person])
    renamed, moved = others(who.others, 2)
    counters.rename(clerk, renamed)
    counters.move_house(clerk, moved, 18)
    clerk.visitor.close()
    return Claimant(first, who.names[first], who.numbers[first])


def namesakes(who: people.Residents, person_id: bytes) -> int:
    """How many would be offered for the same initials: choosing among them is part of the story."""
    initials = names.pinyin(who.names[person_id])[1]
    return sum(names.pinyin(name)[1].startswith(initials) for name in who.names.values())


# At the counter, without a link


def log_in_at_the_second_try(page: Page, eyes: Eyes, password: str) -> None:
    page.goto("/")
    expect(page.locator("[name=operator_no]")).to_be_focused()
    page.keyboard.type("3011")
    page.keyboard.press("Enter")
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.type("not-my-password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("工号或密码不对，还可以试")
    eyes.look(page, "login")
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#status")).to_contain_text("照常办理")


def find_and_open(page: Page, eyes: Eyes, who: Claimant) -> None:
    """Initials, arrows, Enter."""
    page.keyboard.type(who.initials)
    chosen = page.locator("#hits [role=option]", has_text=f"{who.number[:6]}{who.number[6:14]}{who.number[14:]}")
    expect(chosen).to_be_visible()
    eyes.look(page, "counter", page.locator("#q"), picture=True)
    for _ in range(page.locator("#hits [role=option]").count()):
        if chosen.get_attribute("aria-selected") == "true":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(who.name)


def correct_phone(page: Page, eyes: Eyes) -> None:
    page.get_by_role("link", name="改电话、地址").click()
    expect(page.locator("#f-phone")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(PHONE.replace(" ", ""))
    page.keyboard.press("Control+Enter")
    expect(page.locator("#notice")).to_contain_text("已改好")
    expect(page.locator(".edited")).to_have_text(PHONE)
    expect(page.locator(".tl")).to_contain_text("改手机")
    eyes.look(page, "person", picture=True)


def claim(page: Page, eyes: Eyes) -> str:
    """F4, a digit, a form with mistakes, the form without; returns the number on the slip."""
    page.keyboard.press("F4")
    digit = page.get_by_role("link", name=CLAIM).get_attribute("data-digit")
    page.keyboard.press(str(digit))
    expect(page.locator("h1")).to_have_text(CLAIM)
    for name, wrong in (("phone", "1385758204"), ("holder", "陈贵英")):
        page.locator(f"#f-{name}").fill(wrong)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#findings")).to_be_focused()
    expect(page.locator("#findings li")).to_have_count(4)
    for name in ("phone", "holder"):
        expect(page.locator(f"#e-{name} .err")).to_be_visible()
    eyes.look(page, "form", page.locator("[data-key='Ctrl+Enter']"), picture=True)
    page.locator("#f-phone").fill(PHONE)
    page.locator("#f-holder").fill(page.locator("#f-name").input_value())
    for paper in ("居民身份证", "银行卡或存折"):
        page.get_by_label(paper).check()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/slip/1")
    expect(page.locator(".legal-box")).to_contain_text("已收件")
    expect(page.locator(".number b").first).to_have_text(re.compile(r"^\d{4}-\d-\d{2}-\d{6}-\d$"))
    eyes.look(page, "slip", page.locator("[data-print]"), picture=True)
    return page.locator(".number b").first.inner_text()


def at_home_unsent(page: Page, eyes: Eyes, receipt: str) -> None:
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()
    row = page.get_by_role("row", name=receipt)
    expect(row).to_contain_text("未上报")
    expect(page.locator("#status")).to_contain_text("未上报")
    eyes.look(page, "today", page.locator("#q"))


def send(page: Page, eyes: Eyes) -> None:
    """The link is back: send now, and believe only what the hub has signed for."""
    go(page, "待上报")
    eyes.look(page, "unsent", page.get_by_role("button", name="现在上报"), picture=True)
    page.get_by_role("button", name="现在上报").click()
    expect(page.locator("#status")).to_contain_text("全部已由中心签收", timeout=60_000)
    expect(page.locator("#status")).to_contain_text("线路正常")
    # The station may have noticed the link by itself before the button was pressed.
    expect(page.locator("#progress")).to_contain_text(re.compile(r"发出 (0|12) 件"))
    expect(page.get_by_text("没有等着上报的")).to_be_visible()
    eyes.look(page, "sent")


# At the hub


def decide(page: Page, eyes: Eyes, who: Claimant, number: str) -> str:
    """One officer's part of the case; returns what the desk says will be paid a month."""
    go(page, "审核台")
    open_in_queue(page, who)
    monthly_yuan = page.locator(".case .key-figure").last.inner_text()
    if number == "2101":
        eyes.look(page, "review", page.locator("[data-key='1']"), picture=True)
    page.keyboard.press("1")
    expect(page.locator("[data-gone-after-s]")).to_contain_text(f"{who.name}：已同意")
    if number == "2101":
        take_back_and_decide_again(page, eyes, who)
        try_the_next_step(page, eyes, who)
    page.locator("[data-lock]").click()  # whoever leaves has signed
    expect(page.locator("h1")).to_have_text("已锁屏")
    return monthly_yuan


def open_in_queue(page: Page, who: Claimant) -> None:
    page.locator("#queue").get_by_role("link", name=who.name).click()
    expect(page.locator(".case")).to_contain_text(who.number)
    page.wait_for_load_state()


def take_back_and_decide_again(page: Page, eyes: Eyes, who: Claimant) -> None:
    eyes.look(page, "decided", page.locator("[data-key='Ctrl+Z']"))
    page.keyboard.press("Control+Z")
    expect(page.locator("#notice")).to_contain_text("已撤回，本案回到待受理")
    page.get_by_role("button", name="同意").click()
    expect(page.locator("[data-gone-after-s]")).to_contain_text(f"{who.name}：已同意")
    go(page, "审核台")  # going on signs
    expect(page.locator("#queue")).not_to_contain_text(who.name)


def try_the_next_step(page: Page, eyes: Eyes, who: Claimant) -> None:
    """The same officer has that post, too; but not on this case."""
    go(page, "工作台")
    eyes.look(page, "hub")
    page.get_by_role("link", name=who.name).click()
    page.get_by_role("link", name="到审核台办理").click()
    expect(page.locator(".decide")).to_contain_text("您受理过本案，不能再核算")
    expect(page.locator("[data-key='1']")).to_have_count(0)
    eyes.look(page, "refused")


def settle(world: World, sit_down: Callable[[str], Page], eyes: Eyes) -> None:
    """Compute, approve, pay, close: four hands, three of them with a word to type."""
    month = world.today().strftime("%Y-%m")
    page = sit_down(world.hub_url)
    enter(page, "2201", world.passwords["2201"])
    to_settlement(page)
    eyes.look(page, "the county's month")
    page.get_by_role("link", name="居民养老单独结算").click()
    take_in_receipts(page, eyes, world)
    page.get_by_role("button", name="计算").click()
    expect(page.locator("#notice")).to_contain_text(month)
    for number, action, word in MONTH_HANDS:
        page = sit_down(world.hub_url)
        enter(page, number, world.passwords[number])
        to_settlement(page)
        page.get_by_role("link", name="居民养老单独结算").click()
        eyes.look(page, "settlement", page.locator("[data-key='Ctrl+Enter']"), picture=action == "approve")
        page.keyboard.press("Control+Enter")
        page.wait_for_url(f"**/{action}")
        page.keyboard.type(f"{word} 2020-01")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#findings")).to_be_focused()
        eyes.look(page, "signing", page.locator("[data-key='Ctrl+Enter']"))
        page.locator("#f-typed").fill(f"{word} {month}")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#notice")).to_contain_text(month)
    eyes.look(page, "closed")
    go(page, "站点")
    page.get_by_role("link", name="全部").click()
    expect(page.get_by_role("row", name="甘霖镇劳动保障所")).to_contain_text("正常")
    eyes.look(page, "fleet", picture=True)
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    eyes.look(page, "fleet in English")


def to_settlement(page: Page) -> None:
    """To the month of the resident pension, which has a page of its own beside the county's."""
    go(page, "结算")
    page.get_by_role("link", name="居民养老单独结算").click()
    page.wait_for_url("**/settlement")
    page.wait_for_load_state()


def take_in_receipts(page: Page, eyes: Eyes, world: World) -> None:
    """A file of this year's contributions: looked at first, then taken in."""
    page.get_by_role("link", name="居民养老到账").click()
    page.locator("#f-file").set_input_files(write_receipts(world))
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/receipts/[0-9a-f]{32}"))
    eyes.look(page, "receipts", page.locator("[data-key='Ctrl+Enter']"))
    page.keyboard.press("Control+Enter")
    expect(page.locator("#notice")).to_contain_text("已登记 241 笔")
    eyes.look(page, "suspense")
    page.keyboard.press("Escape")
    page.wait_for_url("**/settlement")


# At the counter again


def see_it_paid(page: Page, eyes: Eyes, receipt: str, monthly_yuan: str) -> None:
    go(page, "待上报")
    page.get_by_role("button", name="现在上报").click()
    expect(page.locator("#progress")).to_contain_text("发出 0 件", timeout=60_000)
    go(page, "柜台")
    page.keyboard.type(receipt)
    page.locator("#hits [role=option]", has_text=receipt).click()
    expect(page.locator(".name-line")).to_contain_text("已发放")
    eyes.look(page, "case")
    page.get_by_role("link", name="看这个人").click()
    expect(page.locator(".name-line")).to_contain_text("领取中")
    expect(page.locator("#statements")).to_contain_text(monthly_yuan)
    eyes.look(page, "paid", picture=True)
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    eyes.look(page, "person in English")
