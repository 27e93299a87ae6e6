# SPDX-License-Identifier: Apache-2.0
"""Employers' payments on a page: looked at first, then taken in for the month that is to be run."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from hub.context import Hub
from hub.settlement.county.runs import County as Months
from tests.hub.county import INSPECT, Browser
from tests.hub.settlement.conftest import OFFICERS, County
from tests.hub.settlement.county.working import DECEMBER, FULL_FEN, NOVEMBER, USCC, employer, run, sign

Browse = Callable[..., Browser]
HOME = "/settlement/money"


def send(browser: Browser, *lines: str) -> Any:
    browser.get(HOME)
    text = "\n".join(["票据号,统一社会信用代码,金额,到账日期", *lines])
    return browser.post(HOME, {"file": (io.BytesIO(text.encode()), "税务.csv")})


def test_a_file_is_previewed_and_taken_in_for_the_month_to_be_run(hub: Hub, money: County, browse: Browse) -> None:
    employer(money, 6_000_00)
    settler = browse(hub, OFFICERS["settle"])
    sent = send(
        settler, f"T1,{USCC},1992.00,2026-11-06", "T2,91330000000000000X,5,2026-11-06", f"T3,{USCC},-5,2026-11-06"
    )
    assert sent.status_code == 303
    page = settler.get(sent.location).text
    assert "登记 2 笔，1,997.00 元" in page and "归入 2026-11 的结算" in page and "拒收" in page
    assert settler.post(f"{sent.location}/take", {"month": NOVEMBER}).status_code == 303
    rows = money.rows("SELECT no, month, amount_fen, source FROM unit_receipt ORDER BY no")
    assert [tuple(row.values()) for row in rows] == [
        ("T1", NOVEMBER, FULL_FEN, "税务.csv"), ("T2", NOVEMBER, 5_00, "税务.csv"),
    ]  # fmt: skip
    page = settler.get(HOME).text
    assert "1,997.00" in page and "5.00" in page


def test_after_the_approval_money_goes_to_the_month_after(hub: Hub, money: County, browse: Browse) -> None:
    employer(money, 6_000_00)
    months = Months(hub.store, hub.home.path, hub.secrets.db_key, hub.clock)
    run(money, months)
    sign(money, months, "approve")
    settler = browse(hub, OFFICERS["settle"])
    sent = send(settler, f"T1,{USCC},1992.00,2026-11-06")
    assert "归入 2026-12 的结算" in settler.get(sent.location).text
    assert settler.post(f"{sent.location}/take", {"month": NOVEMBER}).status_code == 409
    for month in ("", "2026-13", "x"):
        assert settler.post(f"{sent.location}/take", {"month": month}).status_code == 409
    assert money.rows("SELECT * FROM unit_receipt") == []
    assert settler.post(f"{sent.location}/take", {"month": DECEMBER}).status_code == 303


def test_a_file_that_cannot_be_read_is_told_beside_the_form(hub: Hub, money: County, browse: Browse) -> None:
    settler = browse(hub, OFFICERS["settle"])
    settler.get(HOME)
    for content in (b"", b"\x00\xff\x00", "甲,乙\n1,2".encode()):
        answer = settler.post(HOME, {"file": (io.BytesIO(content), "x.csv")})
        assert answer.status_code == 422 and 'class="err"' in answer.text
    assert settler.post(HOME, {}).status_code == 422


def test_supervision_looks_and_takes_nothing_in(hub: Hub, money: County, browse: Browse) -> None:
    inspector = browse(hub, INSPECT)
    assert "还没有登记过单位的到账" in inspector.get(HOME).text
    assert send(inspector, f"T1,{USCC},1,2026-11-06").status_code == 403
    assert browse(hub, "2001").get(HOME).status_code == 403
