# SPDX-License-Identifier: Apache-2.0
"""Receipts files: whose money it is, what is refused, and that the books agree after every file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from hub import ledger
from hub.settlement import matching, receipts
from hub.settlement.receipts import Summary
from schema import events
from schema.errors import NotAllowed, Refusal, UnknownSubject, WrongState
from schema.ids import new_id
from schema.sheets import WEB
from tests.hub.settlement.conftest import OFFICERS, SCHEME, County, number

HEADER = ("票据号", "身份证号", "金额（元）", "缴费年度", "到账日期")
SETTLER = OFFICERS["settle"]
TakeIn = Callable[..., Summary]


@pytest.fixture
def take_in(county: County, tmp_path: Path) -> TakeIn:
    """`take_in(row, row, preview=False)`: a file with these lines, taken in."""

    def take(*lines: tuple[str, ...], preview: bool = False, header: tuple[str, ...] = HEADER) -> Summary:
        path = tmp_path / "receipts.csv"
        with path.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([header, *lines])
        if preview:
            return receipts.preview(county.store, path, WEB, county.clock)
        return receipts.take_in(county.store, path, WEB, SETTLER, county.keys[SETTLER], county.clock)

    return take


def codes(summary: Summary) -> list[set[str]]:
    return [{f.code for f in one.findings if f.severity == "block"} for one in summary.refused]


def balance(county: County, code: str) -> int:
    with county.store.read() as db:
        return ledger.balance(db, SCHEME, code)


def test_a_receipt_of_an_enrolled_person_is_matched_and_booked(county: County, take_in: TakeIn) -> None:
    who = county.person()
    summary = take_in(("R1", county.number_of(who), "1,000.50", "2026", "2026-11-05"))
    assert (summary.counts, summary.fen) == ({"matched": 1}, {"matched": 1_000_50})
    row = county.rows("SELECT person_id, amount_fen, state, source FROM receipt")[0]
    assert row == {"person_id": who, "amount_fen": 1_000_50, "state": "matched", "source": "receipts.csv"}
    assert (balance(county, "1005"), balance(county, "4001-02")) == (1_000_50, 1_000_50)


@pytest.mark.parametrize("whose", ["nobody", "not_enrolled", "two_persons", "no_number"])
def test_money_of_unknown_payers_is_kept_in_suspense(county: County, take_in: TakeIn, whose: str) -> None:
    written = number(77)
    if whose == "not_enrolled":
        written = county.number_of(county.person(enrolled=False))
    elif whose == "two_persons":
        written = county.number_of(county.person())
        other = county.person()
        county.put(("person", {"id": other, "id_number": written}))
    elif whose == "no_number":
        written = "330683199801010019"
    summary = take_in(("R1", written, "300", "2026", "20261105"))
    assert summary.counts == {"suspense": 1}
    assert county.rows("SELECT state, person_id, id_number FROM receipt") == [
        {"state": "suspense", "person_id": None, "id_number": written}
    ]
    assert (balance(county, "2001"), balance(county, "4001-02")) == (300_00, 0)


def test_an_old_number_of_15_digits_finds_its_person(county: County, take_in: TakeIn) -> None:
    full = county.number_of(county.person())
    assert take_in(("R1", full[:6] + full[8:17], "300", "2026", "2026/11/5")).counts == {"matched": 1}


def test_the_same_file_again_changes_nothing(county: County, take_in: TakeIn) -> None:
    line = ("R1", county.number_of(county.person()), "300", "2026", "2026-11-05")
    take_in(line)
    assert take_in(line).counts == {"known": 1}
    assert len(county.rows("SELECT * FROM receipt")) == len(county.rows("SELECT * FROM journal_entry")) == 1


def test_a_used_number_with_other_content_is_refused(county: County, take_in: TakeIn) -> None:
    who = county.number_of(county.person())
    take_in(("R1", who, "300", "2026", "2026-11-05"))
    summary = take_in(("R1", who, "301", "2026", "2026-11-05"))
    assert codes(summary) == [{"no_used"}]
    assert "300.00" in summary.refused[0].findings[0].zh


def test_a_number_on_two_lines_refuses_both_and_names_them(county: County, take_in: TakeIn) -> None:
    who = county.number_of(county.person())
    lines = [("R1", who, "300", "2026", "2026-11-05"), ("R2", who, "1", "2026", "2026-11-05"),
             ("R1", who, "300", "2026", "2026-11-05")]  # fmt: skip
    summary = take_in(*lines)
    assert codes(summary) == [{"no_twice_in_file"}] * 2
    assert "2、4" in summary.refused[0].findings[0].zh
    assert summary.counts == {"matched": 1}


def test_all_that_is_wrong_with_a_line_is_said_at_once(county: County, take_in: TakeIn) -> None:
    summary = take_in(("", "330683", "-5", "1999", "明天"), ("R2", "x", "0", "2027", "2026-12-01"))
    assert codes(summary) == [
        {"required", "money_negative", "year_range", "date_form"}, {"amount_range", "year_range", "received_future"}
    ]  # fmt: skip
    assert county.rows("SELECT * FROM receipt") == []


def test_a_preview_writes_nothing(county: County, take_in: TakeIn) -> None:
    summary = take_in(("R1", county.number_of(county.person()), "300", "2026", "2026-11-05"), preview=True)
    assert summary.counts == {"matched": 1}
    assert county.rows("SELECT * FROM receipt") == county.rows("SELECT * FROM journal_entry") == []


def test_money_of_a_closed_month_is_booked_in_the_open_one(county: County, take_in: TakeIn) -> None:
    take_in(("R1", county.number_of(county.person()), "300", "2026", "2026-09-30"))
    assert county.rows("SELECT month FROM journal_entry")[0]["month"] == "2026-11"


def test_the_words_of_other_offices_are_understood(county: County, take_in: TakeIn) -> None:
    header = ("税票号码", "AAC002", "AAE020", "费款所属年度", "入库日期")
    line = ("R1", county.number_of(county.person()), "300", "2026 年度", "2026年11月5日")
    assert take_in(line, header=header).counts == {"matched": 1}


def test_only_the_settlement_post_takes_receipts_in(county: County, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(",".join(HEADER) + "\n", "utf-8")
    with pytest.raises(NotAllowed):
        receipts.take_in(county.store, path, WEB, OFFICERS["pay"], county.keys[OFFICERS["pay"]], county.clock)


def test_a_file_without_the_headings_is_refused(county: County, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("甲,乙\n1,2\n", "utf-8")
    with pytest.raises(Refusal):
        receipts.take_in(county.store, path, WEB, SETTLER, county.keys[SETTLER], county.clock)


def test_suspense_is_matched_when_the_person_is_enrolled_later(county: County, take_in: TakeIn) -> None:
    who = county.person(enrolled=False)
    take_in(("R1", county.number_of(who), "300", "2026", "2026-11-05"))
    enrolment = {"id": new_id(), "person_id": who, "insurance": SCHEME, "state": "active", "began_month": "2026-11"}
    county.put(("enrolment", enrolment | {"grade_fen": 0}))
    assert matching.match_all(county.store, SETTLER, county.keys[SETTLER], county.clock) == (1, 300_00)
    assert matching.match_all(county.store, SETTLER, county.keys[SETTLER], county.clock) == (0, 0)
    assert (balance(county, "2001"), balance(county, "4001-02")) == (0, 300_00)


def test_a_run_tries_suspense_again_by_itself(county: County, take_in: TakeIn) -> None:
    who = county.person(enrolled=False)
    take_in(("R1", county.number_of(who), "500", "2026", "2026-11-05"))
    enrolment = {"id": new_id(), "person_id": who, "insurance": SCHEME, "state": "active", "began_month": "2026-11"}
    county.put(("enrolment", enrolment | {"grade_fen": 0}))
    county.run()
    assert county.line(who)["contribution_fen"] == 500_00


def test_an_officer_gives_one_receipt_to_a_person(county: County, take_in: TakeIn) -> None:
    take_in(("R1", "不清楚", "300", "2026", "2026-11-05"))
    who, stranger = county.person(), county.person(enrolled=False)
    with pytest.raises(WrongState):
        matching.match_one(county.store, "R1", stranger, SETTLER, county.keys[SETTLER], county.clock)
    with pytest.raises(UnknownSubject):
        matching.match_one(county.store, "R9", who, SETTLER, county.keys[SETTLER], county.clock)
    matching.match_one(county.store, "R1", who, SETTLER, county.keys[SETTLER], county.clock)
    assert county.rows("SELECT state, person_id FROM receipt") == [{"state": "matched", "person_id": who}]
    assert (balance(county, "2001"), balance(county, "4001-02")) == (0, 300_00)
    with pytest.raises(WrongState):
        matching.match_one(county.store, "R1", who, SETTLER, county.keys[SETTLER], county.clock)


def test_whoever_takes_in_or_matches_money_signs_for_it(county: County, take_in: TakeIn) -> None:
    who = county.person(enrolled=False)
    take_in(("R1", county.number_of(who), "300", "2026", "2026-11-05"))
    enrolment = {"id": new_id(), "person_id": who, "insurance": SCHEME, "state": "active", "began_month": "2026-11"}
    county.put(("enrolment", enrolment | {"grade_fen": 0}))
    matching.match_all(county.store, SETTLER, county.keys[SETTLER], county.clock)
    with county.store.read() as db:
        facts = [events.from_row(row) for row in db.execute("SELECT * FROM fact ORDER BY seq")]
    assert [(f.kind, f.officer) for f in facts] == [("receipts_taken_in", SETTLER), ("receipts_matched", SETTLER)]
    assert (facts[0].body["suspense_fen"], facts[1].body["amount_fen"]) == (300_00, 300_00)
    for fact in facts:
        fact.verify(county.keys[SETTLER].public_key().public_bytes_raw())
