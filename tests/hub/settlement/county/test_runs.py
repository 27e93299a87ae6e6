# SPDX-License-Identifier: Apache-2.0
"""The county's month out of a register: what counts, is carried over, is left by a kill, done by a second run."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.settlement.county import month_file, runs
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.runs import County as Months
from schema import database
from schema.database import Store
from schema.errors import NotAllowed, Refusal, StoreError, UnknownSubject, WrongState
from tests.hub.settlement.conftest import OFFICERS, County
from tests.hub.settlement.county.working import (
    DECEMBER,
    FULL_FEN,
    NOVEMBER,
    OFFICER,
    employer,
    later,
    of_person,
    pay_in,
    run,
    settle,
)


def test_a_month_paid_in_full_credits_the_account_and_gives_a_month(county: County, months: Months) -> None:
    (person,) = employer(county, 6_000_00)
    pay_in(county, FULL_FEN, "T1")
    run(county, months)
    posted = of_person(months, NOVEMBER, "postings", person)
    assert (posted["credit_pension"], posted["credit_medical"], posted["months"]) == (480_00, 120_00, 1)
    assert of_person(months, NOVEMBER, "unpaid", person) == {}


def test_a_month_short_of_one_fen_gives_nothing_and_is_made_good_later(county: County, months: Months) -> None:
    first, second = employer(county, 6_000_00, 6_000_00)
    pay_in(county, 2 * FULL_FEN - 480_00 - 960_00, "T1")
    settle(county, months)
    assert [of_person(months, NOVEMBER, "postings", p)["months"] for p in (first, second)] == [0, 0]

    later(county, 12)
    pay_in(county, 2 * FULL_FEN + 480_00 + 960_00, "T2", DECEMBER)
    run(county, months, DECEMBER)
    posted = of_person(months, DECEMBER, "postings", first)
    assert (posted["months"], posted["credit_pension"], posted["pension"]) == (2, 960_00, 960_00)


def test_the_same_month_again_is_the_same_run_and_writes_nothing(county: County, months: Months, folder: Path) -> None:
    employer(county, 6_000_00)
    first = run(county, months)
    files = sorted(folder.rglob("*.month"))
    again = run(county, months)
    assert (again.run_id, again.root, again.again, first.again) == (first.run_id, first.root, True, False)
    assert sorted(folder.rglob("*.month")) == files


def test_new_money_makes_a_new_run_that_counts_instead(county: County, months: Months, folder: Path) -> None:
    (person,) = employer(county, 6_000_00)
    first = run(county, months)
    pay_in(county, FULL_FEN, "T1")
    second = run(county, months)
    assert first.root != second.root
    assert of_person(months, NOVEMBER, "postings", person)["months"] == 1
    assert len(list(folder.rglob("*.month"))) == 2
    assert county.rows("SELECT count(*) AS n FROM month_run") == [{"n": 2}]


def test_the_next_month_waits_for_the_close_and_no_earlier_one_is_run_again(county: County, months: Months) -> None:
    employer(county, 6_000_00)
    run(county, months)
    later(county, 12)
    with pytest.raises(WrongState) as early:
        run(county, months, DECEMBER)
    assert early.value.code == "not_next" and NOVEMBER in early.value.zh
    settle(county, months)
    with pytest.raises(WrongState) as skipped:
        run(county, months, "2026-10")
    assert skipped.value.code == "not_next"
    run(county, months, DECEMBER)
    with pytest.raises(WrongState) as late:
        run(county, months)
    assert late.value.code == "not_next"


def test_the_same_month_on_another_day_is_the_same_run(county: County, months: Months) -> None:
    employer(county, 6_000_00)
    first = run(county, months)
    county.clock.advance(days=3)
    assert run(county, months).run_id == first.run_id


def test_sql_agrees_and_finds_a_file_that_was_changed(
    county: County, months: Months, folder: Path, db_key: bytes
) -> None:
    employer(county, 6_000_00, 9_999_00, 500_00)
    pay_in(county, FULL_FEN + 17, "T1")
    done = run(county, months)
    assert months.verify(NOVEMBER, "sqlite").root == done.root

    path = next(folder.rglob("*.month"))
    path.chmod(0o600)
    db = database.archive(path, db_key, making=True)
    db.execute("UPDATE piece SET data = zeroblob(length(data)) WHERE tbl = 'payers' AND col = 'received'")
    db.close()
    with pytest.raises(WrongState):
        months.verify(NOVEMBER, "sqlite")


def test_a_file_is_encrypted_and_read_only(county: County, months: Months, folder: Path, db_key: bytes) -> None:
    employer(county, 6_000_00)
    run(county, months)
    path = next(folder.rglob("*.month"))
    assert database.is_encrypted(path)
    assert path.stat().st_mode & 0o777 == 0o400
    with MonthFile(path, db_key) as file, pytest.raises(database.OperationalError):
        file._db.execute("DELETE FROM piece")


def test_what_is_read_back_differently_is_thrown_away(
    county: County, months: Months, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    employer(county, 6_000_00)
    monkeypatch.setattr(MonthFile, "root", lambda self: "0" * 64)
    with pytest.raises(StoreError):
        run(county, months)
    assert list(folder.rglob("*.month*")) == []
    assert county.rows("SELECT count(*) AS n FROM month_run") == [{"n": 0}]


def test_money_of_nobody_waits_and_finds_its_payer_later(county: County, months: Months) -> None:
    summary = pay_in(county, 5_000_00, "T1")
    assert summary.to_json() | {"matched_fen": 0} == summary.to_json()
    assert (summary.counts["waiting"], summary.fen["waiting"]) == (1, 5_000_00)
    employer(county, 6_000_00)
    done = run(county, months)
    assert next(c.left for c in done.controls if c.name == "money") == 5_000_00


def test_a_receipt_file_again_changes_nothing_and_a_used_number_is_refused(county: County) -> None:
    employer(county, 6_000_00)
    pay_in(county, 1_000_00, "T1")
    assert pay_in(county, 1_000_00, "T1").to_json()["known"] == 1
    other = pay_in(county, 1_000_01, "T1")
    assert [f.code for f in other.refused[0].findings] == ["no_used"]
    assert county.rows("SELECT count(*) AS n, sum(amount_fen) AS fen FROM unit_receipt") == [{"n": 1, "fen": 1_000_00}]


@pytest.mark.parametrize("month, error", [("2026-13", Refusal), ("2027-01", WrongState), ("x", Refusal)])
def test_a_month_that_cannot_be_settled_is_refused(county: County, months: Months, month: str, error: Any) -> None:
    with pytest.raises(error):
        run(county, months, month)


def test_only_who_may_settle_does(county: County, months: Months) -> None:
    other = OFFICERS["pay"]
    with pytest.raises(NotAllowed):
        months.run(NOVEMBER, other, county.keys[other])
    with pytest.raises(UnknownSubject):
        months.open(NOVEMBER)


def test_killed_at_any_call_it_leaves_all_or_nothing_and_a_rerun_is_the_same(
    county: County, months: Months, folder: Path, db_key: bytes
) -> None:
    employer(county, 6_000_00, 7_000_00)
    pay_in(county, FULL_FEN, "T1")
    rng, died = random.Random(20261123), 0
    for _ in range(40):
        died += killed(county, folder, db_key, rng.randrange(1, 130))
        for row in months.runs():
            assert (folder / runs.FOLDER / row.file).is_file()
            assert months.verify(NOVEMBER, "sqlite").agrees
        if rng.random() < 0.2:
            forget(county)
    assert died > 20
    forget(county)
    done = run(county, months)
    assert months.verify(NOVEMBER, "sqlite").root == done.root
    assert list(folder.rglob("*.part*")) == []


def killed(county: County, folder: Path, db_key: bytes, at: int) -> bool:
    """Run the month in a process that dies at that call of the module that writes; whether it came to that."""
    child = os.fork()
    if child == 0:
        try:
            _run_to_death(county, folder, db_key, at)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _run_to_death(county: County, folder: Path, db_key: bytes, at: int) -> None:
    calls = 0

    def count(frame: Any, event: str, _: Any) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_globals.get("__name__", "") in (month_file.__name__, runs.__name__)
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    store = Store(county.store.path, db_key, side="hub")
    Months(store, folder, db_key, county.clock).run(NOVEMBER, OFFICER, county.keys[OFFICER])


def forget(county: County) -> None:
    """As if the month had never been run: its files stay and count for nothing."""
    with county.store.write() as db:
        for rule, table in (("run_never_goes", "month_run"), ("month_never_goes", "period")):
            sql = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (rule,)).fetchone()[0]
            db.execute(f"DROP TRIGGER {rule}")
            db.execute(f"DELETE FROM {table}")
            db.execute(sql)
