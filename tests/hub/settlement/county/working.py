# SPDX-License-Identifier: Apache-2.0
"""People at work, their employer's payments, a month run and signed: what tests of the county's month put together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import Workbook

from hub.settlement import signing as words
from hub.settlement.county import money_in, runs, signing
from hub.settlement.county.runs import County as Months
from schema.ids import new_id
from schema.sheets import COMMAND_LINE
from tests.hub.settlement.conftest import OFFICERS, County

OFFICER = OFFICERS["settle"]
NOVEMBER, DECEMBER = "2026-11", "2026-12"
USCC = "91330683MA2KC1234X"
# Base 6,000 yuan: 480 + 960 pension, 120 + 330 medical, 30 + 30 unemployment, 42 work injury of class 3.
FULL_FEN = 1_992_00
HANDS = {"approve": OFFICERS["approve_month"], "pay": OFFICERS["pay"], "close": OFFICERS["close"]}


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


def sign(county: County, months: Months, action: str, month: str = NOVEMBER, officer: str = "") -> Any:
    """One signature with its word."""
    officer = officer or HANDS[action]
    return signing.ACTS[action](months, month, officer, county.keys[officer], words.word(action, month))


def settle(county: County, months: Months, month: str = NOVEMBER) -> runs.Run:
    """The whole month through its four hands."""
    done = run(county, months, month)
    for action in signing.ACTS:
        sign(county, months, action, month)
    return done


def later(county: County, month: int) -> None:
    """It is the fifteenth of that month of 2026."""
    county.clock.at = county.clock.at.replace(month=month, day=15)
