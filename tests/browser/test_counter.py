# SPDX-License-Identifier: Apache-2.0
"""Days at a counter in real processes: a morning by keyboard alone, a unit's roster, a survival day, what the hub sees.

KEEP_SCREENS=1 writes the pictures of docs/screens anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from schema import names
from tests.browser.conftest import STATION, TOWNSHIP
from tests.browser.eyes import Eyes
from tests.browser.hands import enter, find, go, open_item, pick, step_to, tick, write
from tests.story import people
from tests.story.clerk import Clerk, taken
from tests.story.world import World

pytestmark = pytest.mark.xdist_group("processes")

CLERK, INSPECTOR = "3011", "2031"
ENROLMENT, UNIT_CHANGE, PERSON_CHANGE = "城乡居民基本养老保险参保登记", "单位信息变更、注销", "个人信息变更"
BASE = "基数申报"
HEADINGS = ("身份证号", "姓名", "新基数（月工资）", "从哪个月起", "申报类型")
SEEN = "2222223"  # faster than anybody can look at people, so that the hub has something to say
STRANGER = people.invented_number(7)
RECEIPT = re.compile(r"\d{4}-\d-\d{2}-\d{6}-\d")
_EMPLOYER = """
    SELECT u.id, u.name, u.uscc FROM unit u JOIN employment e ON e.unit_id = u.id AND e.ended_month IS NULL
    WHERE u.ended_on IS NULL AND u.township = ? GROUP BY u.id ORDER BY count(*) DESC LIMIT 1"""
_STAFF = """
    SELECT p.id, p.id_number, p.name FROM employment e JOIN person p ON p.id = e.person_id
    WHERE e.unit_id = ? AND e.ended_month IS NULL AND p.life_status = '1' ORDER BY p.id"""
SEEKER = {"wish_job": "sewing", "wish_job_2": "packing", "wish_wage_yuan": "4500", "wish_nights": "no"}
OFFER = {
    "asked_for": "裘经理", "employer_phone": "0575-83012345", "places": "3", "wage_from_yuan": "4800",
    "wage_to_yuan": "6200", "age_from": "18", "age_to": "55",
}  # fmt: skip
OFFERED = (("sewing", "缝纫工"), ("packing", "包装工"), ("warehouse", "仓库管理员"))


@dataclass(frozen=True)
class Town:
    """Whom the days are of: residents, and the employer with the most staff of this township."""

    residents: people.Residents
    seeker: bytes
    unit_id: bytes
    unit: str
    uscc: str
    staff: list[tuple[bytes, str, str]]

    def shown(self, person_id: bytes) -> tuple[str, str]:
        """Name and number of a resident."""
        return self.residents.names[person_id], self.residents.numbers[person_id]


@pytest.fixture(scope="module")
def town(office: World) -> Town:
    store = office.open_station(STATION)
    try:
        residents = people.residents(store, TOWNSHIP, office.today())
        with store.read() as db:
            unit = db.execute(_EMPLOYER, (TOWNSHIP,)).fetchone()
            staff = [(bytes(r["id"]), r["id_number"], r["name"]) for r in db.execute(_STAFF, (unit["id"],))]
    finally:
        store.close()
    made = Town(residents, residents.unenrolled[1], bytes(unit["id"]), unit["name"], unit["uscc"], staff)
    offer_jobs(Clerk(STATION, office.station_url(STATION), CLERK, office.passwords[CLERK]), made)
    return made


def offer_jobs(clerk: Clerk, town: Town) -> None:
    """Somebody who looks for work, and an employer who has some."""
    clerk.take("job_seeker_registration", town.seeker, SEEKER, ["id_card"])
    for job, title in OFFERED:
        form = clerk.visitor.get(f"/items/vacancy_registration?unit={town.unit_id.hex()}")
        taken(clerk.submit(form, OFFER | {"job": job, "job_title": title}, ["licence"]))
    clerk.visitor.close()


@pytest.fixture
def counter(office: World, sit_down: Callable[[str], Page], eyes: Eyes) -> Iterator[Page]:
    """The clerk's window, logged in. What the browser or axe complains of fails the test at its end."""
    page = sit_down(office.station_url(STATION))
    enter(page, CLERK, office.passwords[CLERK])
    yield page
    assert "\n".join(eyes.complaints) == ""


# A morning


def test_a_morning_at_the_counter_needs_no_mouse(counter: Page, eyes: Eyes, town: Town) -> None:
    first, second = town.residents.unenrolled[0], town.residents.others[0]
    slips = [enrol(counter, eyes, town, first), change_phone(counter, town, second), change_unit(counter, town)]
    cases = counter.locator("header nav").get_by_role("link", name="经办")
    step_to(counter, cases)
    counter.keyboard.press("Enter")
    for slip in slips:
        expect(counter.get_by_role("row", name=slip)).to_be_visible()
    eyes.look(counter, "cases", picture=True)
    mine = counter.get_by_role("link", name="我经办")
    step_to(counter, mine)
    counter.keyboard.press("Enter")
    row = counter.get_by_role("link", name=slips[0])
    step_to(counter, row)
    counter.keyboard.press("Enter")
    expect(counter.get_by_role("heading", level=1)).to_contain_text(town.shown(first)[0])
    eyes.look(counter, "case", picture=True)


def person(page: Page, town: Town, person_id: bytes) -> str:
    """Find by initials; the name."""
    name, number = town.shown(person_id)
    find(page, names.pinyin(name)[1], number)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return name


def submit(page: Page, legal: str) -> str:
    """Ctrl+Enter; the number on the slip, then home for the next one."""
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/slip/1")
    expect(page.locator(".legal-box")).to_contain_text(legal)
    expect(page.locator("[data-print]")).to_be_focused()
    number = RECEIPT.search(page.locator(".number").first.inner_text())
    assert number, "a slip has its number"
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()
    return number[0]


def enrol(page: Page, eyes: Eyes, town: Town, person_id: bytes) -> str:
    """An item with findings first, mended, submitted."""
    name = person(page, town, person_id)
    open_item(page, ENROLMENT)
    page.keyboard.press("Control+Enter")
    summary = page.locator("#findings")
    expect(summary).to_be_focused()
    eyes.look(page, "findings", page.locator("[data-key='Ctrl+Enter']"), picture=True)
    step_to(page, summary.get_by_role("link", name="缴费档次"))
    page.keyboard.press("Enter")
    expect(page.locator("#f-grade")).to_be_focused()
    pick(page, "grade", "1,000")
    pick(page, "bank", "农商银行")
    write(page, "account_no", "6228580399001234560")
    write(page, "holder", name)
    for paper in ("id_card", "household_book", "bank_book"):
        tick(page, paper)
    return submit(page, "暂定，待县中心确认")


def change_phone(page: Page, town: Town, person_id: bytes) -> str:
    """Decided on the spot."""
    person(page, town, person_id)
    open_item(page, PERSON_CHANGE)
    write(page, "phone", "13857582046")
    tick(page, "id_card")
    return submit(page, "已办结")


def change_unit(page: Page, town: Town) -> str:
    """An employer's item, from the employer's page."""
    find(page, town.unit, town.uscc)
    expect(page.get_by_role("heading", level=1)).to_have_text(town.unit)
    open_item(page, UNIT_CHANGE)
    write(page, "new_contact_name", "裘小英")
    tick(page, "proof")
    return submit(page, "已收件")


# A roster


def test_a_roster_goes_from_the_empty_sheet_to_cases_and_its_bad_lines_come_back(
    counter: Page, eyes: Eyes, town: Town, office: World, tmp_path: Path
) -> None:
    find(counter, town.unit, town.uscc)
    step_to(counter, counter.get_by_role("link", name="用名册批量办"))
    counter.keyboard.press("Enter")
    counter.get_by_role("link", name=BASE, exact=True).click()
    expect(counter.locator("#h-uscc")).to_have_text(town.unit)
    eyes.look(counter, "rosters", counter.get_by_role("button", name="先看一遍"), picture=True)
    with counter.expect_download() as handed_out:
        counter.get_by_role("link", name="下载空白名册").click()
    path = tmp_path / "bases.xlsx"
    handed_out.value.save_as(path)
    good = fill_in(path, town, office.today().strftime("%Y-%m"))
    counter.get_by_label("工资表").check()
    counter.locator("#f-file").set_input_files(path)
    counter.keyboard.press("Control+Enter")
    counter.wait_for_url(re.compile(r"/rosters/[0-9a-f]{32}$"))
    expect(counter.locator("table")).to_contain_text("姓名与名册不同")
    take = counter.get_by_role("button", name=f"办这 {good} 件")
    eyes.look(counter, "roster", take, picture=True)
    in_english(counter, eyes, "roster")
    expect(take).to_be_visible()
    counter.keyboard.press("Control+Enter")
    expect(counter.locator(".head")).to_contain_text("已办")
    expect(counter.locator("table").get_by_role("link", name=RECEIPT)).to_have_count(good)
    eyes.look(counter, "roster-taken")
    with counter.expect_download() as returned:
        counter.get_by_role("link", name="下载要改的 3 行").click()
    returned.value.save_as(tmp_path / "returned.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "returned.xlsx").active.iter_rows(values_only=True))
    assert [row[1] for row in rows[1:]] == ["改名", "竺新来", town.staff[0][2]]
    assert all(row[-1] for row in rows)


def fill_in(path: Path, town: Town, month: str) -> int:
    """The sheet as the unit sends it back, with three lines that cannot be; how many are good."""
    book = openpyxl.load_workbook(path)
    table = book.active
    table.delete_rows(2)
    (_, number, name), renamed, *staff = town.staff[:10]
    lines = [(one[1], one[2], 5200 + 10 * n) for n, one in enumerate(staff)]
    spoilt = [(renamed[1], "改名", 5000), (STRANGER, "竺新来", 5000), (number, name, "五千")]
    headings = [str(cell.value).rstrip("*") for cell in table[1]]
    for line in (*lines, *spoilt):
        given = dict(zip(HEADINGS, (*line, month, "工资调整"), strict=True))
        table.append([given[heading] for heading in headings])
    book.save(path)
    return len(lines)


# A day at a village


def test_a_survival_day_is_signed_and_the_hub_sees_it_and_every_print(
    counter: Page, eyes: Eyes, office: World, sit_down: Callable[[str], Page]
) -> None:
    go(counter, "认证")
    eyes.look(counter, "survival", picture=True)
    village = counter.locator("tbody th a").first.inner_text()
    counter.get_by_role("link", name=village, exact=True).click()
    eyes.look(counter, "survival-village", counter.get_by_role("link", name="开始认证"), picture=True)
    counter.get_by_role("button", name="打印名单").click()
    expect(counter.locator(".sheet").first).to_contain_text("认证名单")
    counter.go_back()
    counter.get_by_role("link", name="开始认证").click()
    in_english(counter, eyes, "survival-day")
    take_photo(counter)
    eyes.look(counter, "survival-day", counter.locator("button[value=face]"), picture=True)
    counter.keyboard.press("1")
    expect(counter.locator("[aria-live]").first).to_contain_text("已登记 1 /")
    for done, key in enumerate(SEEN, 2):
        counter.keyboard.press(key)
        expect(counter.locator("[aria-live]").first).to_contain_text(f"已登记 {done} /")
        counter.wait_for_load_state()
    counter.keyboard.press("Control+Enter")
    expect(counter.locator("#notice")).to_contain_text(f"已签发 {1 + len(SEEN)} 人")
    go(counter, "待上报")
    counter.get_by_role("button", name="现在上报").click()
    expect(counter.locator("#status")).to_contain_text("全部已由中心签收")
    inspector = sit_down(office.hub_url)
    enter(inspector, INSPECTOR, office.passwords[INSPECTOR])
    go(inspector, "打印")
    expect(inspector.get_by_role("row", name="认证名单")).to_be_visible()
    both(inspector, eyes, "hub-prints")
    go(inspector, "资格认证")
    expect(inspector.get_by_role("row", name="甘霖镇").last).to_be_visible()
    both(inspector, eyes, "hub-survival")


def take_photo(page: Page) -> None:
    expect(page.locator("video")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator(".shot img")).to_be_visible()


# What else a clerk opens


def test_every_page_of_a_day_reads_well_in_both_languages_and_at_double_size(
    counter: Page, eyes: Eyes, town: Town
) -> None:
    someone, staff = town.residents.claimants[0].hex(), town.staff[0][0].hex()
    for name, path in (
        ("items", "/items"),
        ("person-employed", f"/persons/{staff}"),
        ("unit", f"/units/{town.unit_id.hex()}"),
        ("estimates", f"/estimates/resident?person={someone}"),
        ("jobs", f"/community/jobs/seekers/{town.seeker.hex()}"),
        ("training", "/community/training"),
        ("visits", "/community/visits"),
        ("library", "/community/library"),
        ("complaint", "/items/complaint_report"),
    ):
        counter.goto(path)
        both(counter, eyes, name)


def both(page: Page, eyes: Eyes, name: str) -> None:
    """The page as it stands, in Chinese and in English, and at 200 %."""
    eyes.look(page, name, picture=True)
    eyes.look_close(page, name)
    in_english(page, eyes, name)


def in_english(page: Page, eyes: Eyes, name: str) -> None:
    """The same page in English; back in Chinese at the end."""
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    eyes.look(page, f"{name}-en", picture=True)
    eyes.look_close(page, f"{name}-en")
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
