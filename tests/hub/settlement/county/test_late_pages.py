# SPDX-License-Identifier: Apache-2.0
"""Late work as whoever approves sees it, whose work is missing, and a month tried out: pages and commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.context import Hub
from hub.settlement.county import effect, rehearsal
from hub.settlement.county.runs import County as Months
from schema import database
from schema.clock import stamp
from tests.hub.county import Browser
from tests.hub.settlement.conftest import OFFICERS, County, Township
from tests.hub.settlement.county.working import (
    DECEMBER,
    FULL_FEN,
    NOVEMBER,
    employer,
    later,
    pay_in,
    run,
    settle,
)
from tests.hub.settlement.test_cli import answer

Browse = Callable[..., Browser]


@pytest.fixture
def months(hub: Hub) -> Months:
    return Months(hub.store, hub.home.path, hub.secrets.db_key, hub.clock)


@pytest.fixture
def adjusted(money: County, months: Months) -> County:
    """November closed and paid; then it turns out that the employee had left in October, and the pensioner had died."""
    employer(money, 6_000_00)
    pensioner = money.pensioner(paid_through="2026-10")
    pay_in(money, FULL_FEN, "T1")
    settle(money, months)
    job = money.rows("SELECT * FROM employment")[0]
    money.put(("employment", job | {"ended_month": "2026-10"}))
    benefit = money.rows("SELECT * FROM benefit WHERE person_id = ?", pensioner)[0]
    money.put(
        ("person", {"id": pensioner, "life_status": "2", "died_on": "2026-10-31"}),
        ("benefit", benefit | {"state": "ended"}),
    )
    later(money, 12)
    run(money, months, DECEMBER)
    return money


def test_the_money_of_late_work_is_shown_before_anybody_approves(adjusted: County, months: Months) -> None:
    found = effect.of(months, DECEMBER)
    (row,), (benefit,) = found.contributions, found.benefits
    assert (row.month, row.payer, row.returned_fen, row.credit_fen, row.months) == (
        NOVEMBER, "剡溪纺织", FULL_FEN, -600_00, -1,
    )  # fmt: skip
    assert (benefit.month, benefit.fen, found.totals()["open_claims_fen"]) == (NOVEMBER, -480_94, 480_94)
    with months.open(NOVEMBER) as file:
        assert len(file.table("adjustments")) == 0
    assert months.verify(DECEMBER, "sqlite").agrees


def test_the_pages_show_it_and_whose_work_is_missing(adjusted: County, hub: Hub, browse: Browse) -> None:
    browser = browse(hub, OFFICERS["approve_month"])
    at = f"/settlement/county/{DECEMBER}"
    assert f"{at}/adjustments" in browser.get(f"/settlement/county?month={DECEMBER}").text
    shown = browser.get(f"{at}/adjustments").text
    assert "剡溪纺织" in shown and "1,992.00" in shown and "名册更正" in shown
    assert browser.get(f"{at}/stations").status_code == 200
    assert "试算" in browser.get(f"{at}/rehearsal").text
    assert browser.get(f"{at}/rehearsal.json").status_code == 200
    assert browser.get("/settlement/county/2026-99/rehearsal").status_code == 404


def test_a_station_that_holds_work_back_is_named_and_kept_with_the_run(
    money: County, months: Months, township: Township, hub: Hub, browse: Browse
) -> None:
    now = money.clock.now()
    with money.store.write() as db:
        for station, unsent, seen in (("0100-1", 3, now), ("0100-2", 0, now), ("0100-3", 0, None)):
            row = {"id": station, "name": f"站{station}", "slices": "[]", "public_key": bytes(32), "serial": 0}
            heard = stamp(seen) if seen else None
            database.upsert(db, "node_record", row | {"unsent": unsent, "last_seen_at": heard})
    found = answer(township("settle", "stations", "--json"))
    missing = {mark["station"]: mark["missing"] for mark in found["stations"]}
    assert [missing[f"0100-{n}"] for n in (1, 2, 3)] == [True, False, True]
    employer(money, 6_000_00)
    done = run(money, months)
    rows = money.rows("SELECT station, unsent FROM month_watermark WHERE run_id = ? ORDER BY 1", done.run_id)
    assert {row["station"]: row["unsent"] for row in rows}["0100-1"] == 3
    browser = browse(hub, OFFICERS["settle"])
    shown = browser.get(f"/settlement/county/{NOVEMBER}/stations")
    assert shown.status_code == 200
    assert "没到齐的站点" in shown.text and "站0100-1" in shown.text and "从未" in shown.text
    assert browser.get(f"/settlement/county/{DECEMBER}/stations").status_code == 200


def test_a_rehearsal_writes_nothing_and_names_what_changes(money: County, months: Months, township: Township) -> None:
    employer(money, 6_000_00)
    settle(money, months)
    later(money, 12)
    money.put(("employment", money.rows("SELECT * FROM employment")[0] | {"wage_fen": 24_000_00}))
    money.pensioner(paid_through=NOVEMBER)
    before = _everything(money)
    found = rehearsal.rehearse(months, DECEMBER)
    assert _everything(money) == before
    changes = {(row.fund, row.side, row.reason): row.change_fen for row in found.rows}
    assert changes["pension", "due", "more"] == 3 * 1_440_00
    assert changes["resident_pension", "paid", "new"] == 480_94
    assert {(one.kind, one.who) for one in found.outliers} >= {("huge", "payer"), ("biggest", "person")}
    assert answer(township("settle", "rehearse", DECEMBER, "--json"))["last"] == NOVEMBER
    assert answer(township("settle", "adjustments", NOVEMBER, "--json"))["totals"]["persons"] == 0


def _everything(county: County) -> Any:
    tables = [row["name"] for row in county.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    mine = [name for name in tables if name.startswith(("month", "period", "account", "benefit", "fact", "journal"))]
    return {name: county.rows(f"SELECT * FROM {name}") for name in mine}
