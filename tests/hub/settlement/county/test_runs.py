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
from openpyxl import Workbook

from hub.settlement.county import money_in, month_file, runs
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.runs import County as Months
from schema import database
from schema.database import Store
from schema.errors import NotAllowed, Refusal, StoreError, UnknownSubject, WrongState
from schema.ids import new_id
from schema.sheets import COMMAND_LINE
from tests.hub.settlement.conftest import OFFICERS, County

OFFICER = OFFICERS["settle"]
NOVEMBER, DECEMBER = "2026-11", "2026-12"
USCC = "91330683MA2KC1234X"
# Base 6,000 yuan: 480 + 960 pension, 120 + 330 medical, 30 + 30 unemployment, class 3 injury 42, maternity 30.
FULL_FEN = 2_022_00


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def months(county: County, folder: Path, db_key: bytes) -> Months:
    return Months(county.store, folder, db_key, county.clock)


def employer(county: County, *wages_fen: int) -> list[bytes]:
    """A unit of class 3 with people of these wages, insured in everything."""
    unit = new_id()
    county.put(("unit", {"id": unit, "uscc": USCC, "name": "剡溪纺织", "industry": "C17", "township": "330683100"}))
    people = []
    for wage in wages_fen:
        person = county.person(enrolled=False)
        people.append(person)
        county.put(
            ("employment", {"id": new_id(), "person_id": person, "unit_id": unit, "wage_fen": wage,
                            "began_month": "2020-01", "ended_month": None}),
            *(("enrolment", {"id": new_id(), "person_id": person, "insurance": insurance, "state": "active",
                             "began_month": "2020-01", "grade_fen": 0})
              for insurance in ("employee_pension", "employee_medical")),
        )  # fmt: skip
    return people


def pay_in(county: County, fen: int, no: str, month: str = NOVEMBER, payer: str = USCC) -> Any:
    """A file with one payment, taken in."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["票据号", "统一社会信用代码", "金额", "到账日期"])
    sheet.append([no, payer, f"{fen / 100:.2f}", county.clock.today().isoformat()])
    path = Path(str(county.store.path) + f"-{no}.xlsx")
    book.save(path)
    return money_in.take_in(county.store, path, COMMAND_LINE, month, OFFICER, county.keys[OFFICER], county.clock)


def run(county: County, months: Months, month: str = NOVEMBER) -> runs.Run:
    return months.run(month, OFFICER, county.keys[OFFICER])


def of_person(months: Months, month: str, table: str, person: bytes) -> dict[str, int]:
    """One row, by column."""
    with months.open(month) as file:
        found = file.rows_of(table, file.who().persons.index(person))
    return {name: int(values[0]) for name, values in found.columns()} if len(found) else {}


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
    run(county, months)
    assert [of_person(months, NOVEMBER, "postings", p)["months"] for p in (first, second)] == [0, 0]

    county.clock.at = county.clock.at.replace(month=12, day=15)
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


def test_a_month_before_a_settled_one_is_not_run_again(county: County, months: Months) -> None:
    employer(county, 6_000_00)
    run(county, months)
    county.clock.at = county.clock.at.replace(month=12)
    run(county, months, DECEMBER)
    pay_in(county, FULL_FEN, "T1")
    with pytest.raises(WrongState) as refused:
        run(county, months)
    assert DECEMBER in refused.value.zh


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
        for row in county.rows("SELECT r.file FROM month_run r JOIN month_current c ON c.run_id = r.run_id"):
            assert (folder / runs.FOLDER / row["file"]).is_file()
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
        db.execute("DELETE FROM month_current")
        db.execute("DELETE FROM month_run")
