# SPDX-License-Identifier: Apache-2.0
"""The console of the county's month: run it, read it, have it recomputed, sign it, see who is behind a figure."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from hub import officers
from hub.context import Hub
from hub.settlement.county import controls, engines
from hub.settlement.county.controls import Control
from hub.settlement.county.jobs import EXTENSION
from hub.settlement.county.runs import County as Months
from schema.errors import WrongState
from tests.hub.county import INSPECT, Browser
from tests.hub.settlement.conftest import OFFICERS, VILLAGE, County
from tests.hub.settlement.county.working import (
    DECEMBER,
    FULL_FEN,
    HANDS,
    NOVEMBER,
    employer,
    later,
    pay_in,
    run,
    settle,
)

Browse = Callable[..., Browser]
HOME = "/settlement/county"
AT = f"{HOME}/{NOVEMBER}"
WORDS = {"approve": "审批 2026-11", "pay": "发放 2026-11", "close": "结账 2026-11"}


@pytest.fixture
def months(hub: Hub) -> Months:
    return Months(hub.store, hub.home.path, hub.secrets.db_key, hub.clock)


@pytest.fixture
def register(money: County) -> County:
    """Two at work whose employer paid for one and a half, a pensioner, and one who has no bank account."""
    employer(money, 6_000_00, 8_000_00)
    pay_in(money, FULL_FEN + 500_00, "T1")
    money.pensioner()
    money.benefit(money.person())
    return money


@pytest.fixture
def settler(hub: Hub, register: County, browse: Browse) -> Browser:
    return browse(hub, OFFICERS["settle"])


def wait(browser: Browser) -> None:
    """Until the job asked for on a page is done."""
    browser.client.application.extensions[EXTENSION].wait()


def run_on_the_page(browser: Browser, month: str = NOVEMBER) -> None:
    browser.get(HOME)
    assert browser.post(f"{HOME}/run", {"month": month}).status_code == 303
    wait(browser)


def test_a_month_goes_through_four_hands_on_the_pages(hub: Hub, settler: Browser, browse: Browse) -> None:
    assert "2026 年 11 月全县月结" in settler.get(HOME).text
    run_on_the_page(settler)
    assert "待审批" in settler.get(HOME).text
    for action, operator_no in HANDS.items():
        browser = browse(hub, operator_no)
        assert f"/{NOVEMBER}/{action}" in browser.get(HOME).text
        assert WORDS[action] in browser.get(f"{AT}/{action}").text
        assert browser.post(f"{AT}/{action}", {"typed": WORDS[action]}).status_code == 303
    page = settler.get(f"{HOME}?month={NOVEMBER}").text
    assert "已结账" in page and all(number in page for number in (OFFICERS["settle"], *HANDS.values()))


def test_the_console_shows_eighteen_steps_and_every_control_with_both_sides(
    settler: Browser, months: Months, register: County
) -> None:
    done = run(register, months)
    page = settler.get(HOME).text
    assert page.count("<small>") >= 36
    for name in ("增减员汇总", "未申报按 110%", "传税务", "银行回盘", "结账"):
        assert name in page
    for control in done.controls:
        assert control.zh in page
    assert f"{len(done.controls)} 项都相等" in page
    assert done.root in page


def test_a_run_goes_on_when_the_page_is_closed_and_tells_how_far_it_is(
    hub: Hub, settler: Browser, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go = threading.Event(), threading.Event()

    def slow(*given: Any) -> list[Control]:
        reached.set()
        assert go.wait(20)
        return of_month(*given)

    of_month = controls.of_month
    monkeypatch.setattr(controls, "of_month", slow)
    settler.get(HOME)
    assert settler.post(f"{HOME}/run", {"month": NOVEMBER}).status_code == 303
    assert reached.wait(20)
    other = browse(hub, INSPECT)
    page = other.get(HOME).text
    assert "正在计算 2026-11" in page and "核定、分配、记账" in page and "可以关掉这一页" in page
    assert 'action="/settlement/county/run"' not in settler.get(HOME).text
    assert "第 2 / 5 步" in other.get(f"{HOME}/progress").text
    busy = settler.post(f"{HOME}/run", {"month": NOVEMBER})
    assert busy.status_code == 409 and "正在算" in busy.text
    go.set()
    wait(settler)
    assert other.get(f"{HOME}/progress").headers["HX-Refresh"] == "true"
    assert "待审批" in other.get(HOME).text


def test_what_stopped_a_run_is_named_with_what_to_do_until_the_month_is_run_again(
    hub: Hub, settler: Browser, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> list[Control]:
        raise WrongState("月结核对不平：账单 = 应缴明细合计（1 ≠ 2）", "it does not balance", code="controls")

    with monkeypatch.context() as patch:
        patch.setattr(controls, "of_month", broken)
        run_on_the_page(settler)
    for reader in (settler, browse(hub, INSPECT)):
        page = reader.get(HOME).text
        assert "的计算停下了" in page and "账单 = 应缴明细合计（1 ≠ 2）" in page and "改正后重算" in page

    def unforeseen(*_: Any) -> list[Control]:
        raise ZeroDivisionError("secret of somebody")

    with monkeypatch.context() as patch:
        patch.setattr(controls, "of_month", unforeseen)
        run_on_the_page(settler)
    page = settler.get(HOME).text
    assert "没有料到的错误" in page and "secret" not in page
    run_on_the_page(settler)
    assert "停下了" not in settler.get(HOME).text


def test_the_recomputation_and_what_it_came_to_stay_on_the_page(
    hub: Hub, settler: Browser, months: Months, register: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(register, months)
    assert "还没有用另一套算法" in settler.get(HOME).text
    for engine in ("", "postgres://a:b@c/d", "nothing"):
        assert settler.post(f"{AT}/verify", {"engine": engine}).status_code == 404
    assert settler.post(f"{AT}/verify", {"engine": "sqlite"}).status_code == 303
    wait(settler)
    page = settler.get(HOME).text
    assert "根相同" in page and done.root[:16] in page and f"经手{OFFICERS['settle']}" in page
    whole = engines._Sqlite.fetch

    def off_by_one(self: Any, sql: str) -> Any:
        columns = whole(self, sql)
        return [*columns[:-1], columns[-1] + 1] if "FROM payments" in sql else columns

    monkeypatch.setattr(engines._Sqlite, "fetch", off_by_one)
    hub.clock.advance(minutes=1)  # type: ignore[attr-defined]
    settler.post(f"{AT}/verify", {"engine": "sqlite"})
    wait(settler)
    assert "不同：payments" in settler.get(HOME).text
    assert [row["agrees"] for row in register.rows("SELECT agrees FROM month_verified ORDER BY at")] == [1, 0]


def test_a_wrong_word_signs_nothing_and_says_what_to_type(
    hub: Hub, register: County, months: Months, browse: Browse
) -> None:
    run(register, months)
    browser = browse(hub, HANDS["approve"])
    browser.get(f"{AT}/approve")
    for typed in ("", "审批", "审批 2026-10", "OK"):
        answer = browser.post(f"{AT}/approve", {"typed": typed})
        assert answer.status_code == 422 and "请输入「审批 2026-11」" in answer.text
    assert register.rows("SELECT state FROM period")[0]["state"] == "computed"


def test_whoever_lacks_the_post_or_whose_turn_it_is_not_does_not_get_to_the_signature(
    hub: Hub, register: County, months: Months, settler: Browser, browse: Browse
) -> None:
    run(register, months)
    for action in WORDS:
        assert settler.get(f"{AT}/{action}").status_code == 303
        assert settler.post(f"{AT}/{action}", {"typed": WORDS[action]}).status_code == 303
    assert browse(hub, HANDS["close"]).get(f"{AT}/close").status_code == 303
    assert register.rows("SELECT state FROM period")[0]["state"] == "computed"


def test_who_computed_is_told_that_another_must_approve(
    hub: Hub, register: County, months: Months, browse: Browse
) -> None:
    officers.set_roles(hub.store, OFFICERS["settle"], ("settle", "approve_month"))
    run(register, months)
    browser = browse(hub, OFFICERS["settle"])
    assert "这一步要由别人来办" in browser.get(f"{AT}/approve").text
    assert browser.post(f"{AT}/approve", {"typed": WORDS["approve"]}).status_code == 403


def test_a_month_out_of_turn_is_refused_at_once_in_words(settler: Browser, months: Months, register: County) -> None:
    run(register, months)
    settler.get(HOME)
    for month in (DECEMBER, "2026-13", ""):
        assert settler.post(f"{HOME}/run", {"month": month}).status_code == 409, month
    assert settler.client.application.extensions[EXTENSION].now() is None


def test_supervision_looks_and_runs_nothing_and_other_posts_see_nothing(
    hub: Hub, register: County, months: Months, browse: Browse
) -> None:
    run(register, months)
    inspector, clerk = browse(hub, INSPECT), browse(hub, "2001")
    for path in (HOME, f"{AT}/held", f"{AT}/arrears?form=xlsx", f"{AT}/person/{register.people[0].hex()}"):
        assert inspector.client.get(path).status_code == 200
        assert clerk.client.get(path).status_code == 403
    inspector.get(HOME)
    assert inspector.post(f"{HOME}/run", {"month": NOVEMBER}).status_code == 403
    assert clerk.post(f"{AT}/verify", {"engine": "sqlite"}).status_code == 403


def test_a_fund_leads_to_its_payers_they_to_their_people_and_a_township_to_its_own(
    settler: Browser, months: Months, register: County
) -> None:
    run(register, months)
    assert f"{AT}/fund/pension" in settler.get(HOME).text
    payers = settler.get(f"{AT}/fund/pension").text
    assert "剡溪纺织" in payers and "3,360.00" in payers
    unit = register.rows("SELECT id FROM unit")[0]["id"].hex()
    assert f"{AT}/payer/{unit}" in payers
    people = settler.get(f"{AT}/payer/{unit}").text
    assert f"{AT}/person/{register.people[0].hex()}" in people and "6,000.00" in people
    assert "480.94" in settler.get(f"{AT}/payees/resident_pension").text
    here = settler.get(f"{AT}/township/{VILLAGE[:9]}").text
    assert all(person.hex() in here for person in register.people[:3])
    assert settler.get(f"{AT}/township/330683999").status_code == 404


def test_steps_lead_to_the_lists_behind_them_and_the_person_page_to_its_months(
    hub: Hub, settler: Browser, months: Months, register: County, browse: Browse, caplog: pytest.LogCaptureFixture
) -> None:
    run(register, months)
    page = settler.get(HOME).text
    assert all(f'href="{AT}/{name}"' in page for name in ("bills", "arrears", "held"))
    assert "4,648.00" in settler.get(f"{AT}/bills").text
    person = register.people[0].hex()
    assert f"{AT}/person/{person}" in settler.get(f"/persons/{person}").text
    assert f"{AT}/person/" not in browse(hub, "2001").get(f"/persons/{person}").text
    with caplog.at_level("INFO"):
        settler.get(f"{AT}/person/{person}")
        settler.client.get(f"{AT}/held?form=xlsx")
    assert f"month {NOVEMBER} of person {person} opened by {OFFICERS['settle']}" in caplog.text
    assert f"month {NOVEMBER}: list held taken out by {OFFICERS['settle']}" in caplog.text


def test_who_is_held_back_is_listed_with_the_reason_also_those_of_the_day_of_payment(
    hub: Hub, settler: Browser, months: Months, register: County, browse: Browse
) -> None:
    run(register, months)
    assert "没有发放账户" in settler.get(f"{AT}/held").text and "没有发放账户" in settler.get(HOME).text
    for action in ("approve", "pay"):
        register.bank(register.people[2], account_no="6228580699000001")
        browser = browse(hub, HANDS[action])
        browser.get(f"{AT}/{action}")
        browser.post(f"{AT}/{action}", {"typed": WORDS[action]})
    held = settler.get(f"{AT}/held").text
    assert "计算之后发放账户变了" in held and register.people[2].hex() in held
    assert "发放当天又拦下 1 人" in settler.get(f"{HOME}?month={NOVEMBER}").text


def test_arrears_are_listed_by_payer_with_their_months(settler: Browser, months: Months, register: County) -> None:
    settle(register, months)
    later(register, 12)
    run(register, months, DECEMBER)
    page = settler.get(f"{HOME}/{DECEMBER}/arrears").text
    assert "剡溪纺织" in page and "<td>2026-11</td>" in page


def test_a_list_is_sorted_by_any_head_and_its_pages_hold_all_rows(
    settler: Browser, months: Months, register: County
) -> None:
    for n in range(60):
        register.pensioner(basic_fen=100_00 + n)
    run(register, months)
    first = settler.get(f"{AT}/payees/resident_pension?sort=pool_fen&order=up").text
    assert first.index("100.00") < first.index("100.01") and "第 1 页，共 2 页" in first
    last = settler.get(f"{AT}/payees/resident_pension?sort=pool_fen&order=down&page=99").text
    assert "第 2 页，共 2 页" in last
    by_name = settler.get(f"{AT}/payees/resident_pension?sort=name&order=up").text
    assert 'aria-sort="ascending"' in by_name


def sheet(answer: Any) -> list[tuple[Any, ...]]:
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    return list(openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].iter_rows(values_only=True))


def test_every_list_comes_as_an_excel_file_with_all_rows_and_sums(
    settler: Browser, months: Months, register: County
) -> None:
    run(register, months)
    unit = register.rows("SELECT id FROM unit")[0]["id"].hex()
    for path in ("bills", "fund/pension", "payees/resident_pension", f"payer/{unit}", f"township/{VILLAGE[:9]}", "held",
                 "arrears", "compare"):  # fmt: skip
        assert len(sheet(settler.client.get(f"{AT}/{path}?form=xlsx"))) > 2, path
    rows = sheet(settler.client.get(f"{AT}/payer/{unit}?form=xlsx"))
    due = rows[0].index("本月应缴（元）")
    assert [Decimal(str(row[due])) for row in rows[1:]] == [Decimal("2656"), Decimal("1992"), Decimal("4648")]

    with register.store.write() as db:
        db.execute("UPDATE unit SET name = '=<script>'")
    assert sheet(settler.client.get(f"{AT}/fund/pension?form=xlsx"))[1][0] == "'=<script>"
    assert "=&lt;script&gt;" in settler.get(f"{AT}/fund/pension").text


def test_a_month_is_compared_with_the_one_before(settler: Browser, months: Months, register: County) -> None:
    settle(register, months)
    later(register, 12)
    register.pensioner(paid_through=NOVEMBER)
    run(register, months, DECEMBER)
    assert "比 2026-11 增减" in settler.get(HOME).text
    page = settler.get(f"{HOME}/{DECEMBER}/compare").text
    assert "+480.94" in page and "甘霖镇" in page


def test_a_page_of_nothing_is_not_found(settler: Browser, months: Months, register: County) -> None:
    run(register, months)
    for path in (f"{HOME}/2026-1/held", f"{HOME}/x/fund/pension", f"{AT}/fund/nothing", f"{AT}/payer/{'00' * 16}",
                 f"{AT}/person/{'00' * 16}", f"{HOME}/2026-10/held", f"{HOME}/2026-10/approve",
                 f"{AT}/township/%00"):  # fmt: skip
        assert settler.get(path).status_code == 404, path


def test_the_resident_pension_alone_has_its_tab_beside_the_county(settler: Browser) -> None:
    for path in (HOME, "/settlement", "/receipts"):
        page = settler.get(path).text
        for tab in (f'href="{HOME}"', 'href="/settlement"', 'href="/receipts"'):
            assert tab in page
        assert 'aria-current="page">结算' in page
