# SPDX-License-Identifier: Apache-2.0
"""A unit's roster: good lines become signed cases, bad ones come back mendable, the same file again changes nothing."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import openpyxl
import pytest

from node import roster, roster_sheet
from node.roster import NewRoster
from node.station import Station
from schema import database, events
from schema.errors import OutOfNumbers, Refusal, UnknownSubject, WrongState
from schema.sheets import open_sheet
from sync.station.hello import NUMBERS_WANTED
from tests.node.conftest import PERSONS, number_of
from tests.rostering import HEADER, ITEM, add_unit, put_in_force, sheet

ZHANG, LYU, WEI = (number_of(PERSONS[n][0]) for n in range(3))
GOOD_LINES = [(ZHANG, "张建国", 5200, "调整", "2026-11"), (LYU, "吕秀珍", "4,800.50", "年度", date(2026, 11, 1))]


@pytest.fixture
def unit(station: Station) -> bytes:
    put_in_force(station)
    with station.store.write() as db:
        return add_unit(db)


@pytest.fixture
def look(station: Station, unit: bytes, clerk: Any) -> Any:
    """Preview lines; the roster's id."""

    def go(rows: Any, materials: tuple[str, ...] = ("sheet",), unit_id: bytes = unit) -> bytes:
        content = rows if isinstance(rows, bytes) else sheet(rows)
        new = NewRoster(ITEM, unit_id, list(materials), "工资.xlsx", clerk[0])
        return roster.preview(station.desk, content, new)

    return go


def lines_of(station: Station, roster_id: bytes) -> list[tuple[str, list[str]]]:
    """(state, codes) of each line."""
    with station.store.read() as db:
        sql = "SELECT state, findings FROM roster_row WHERE roster_id = ? ORDER BY line"
        return [(r["state"], [f["code"] for f in json.loads(r["findings"])]) for r in db.execute(sql, (roster_id,))]


def test_good_lines_become_cases_with_their_own_numbers_and_signatures(
    station: Station, look: Any, clerk: Any, unit: bytes
) -> None:
    roster_id = look(GOOD_LINES)
    assert [state for state, _ in lines_of(station, roster_id)] == ["good", "good"]
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM case_file").fetchone()[0] == 0
    steps: list[tuple[int, int]] = []
    assert roster.take(station.desk, roster_id, *clerk, lambda done, total: steps.append((done, total))) == 2
    assert steps == [(2, 2)]
    with station.store.read() as db:
        rows = db.execute("SELECT * FROM case_file ORDER BY receipt_no").fetchall()
        assert [r["person_name"] for r in rows] == ["张建国", "吕秀珍"]
        assert len({r["receipt_no"] for r in rows}) == 2 and {r["legal"] for r in rows} == {"provisional"}
        fact = events.of_subject(db, bytes(rows[1]["id"]))[0]
        fact.verify(clerk[1].public_key().public_bytes_raw())
        assert fact.body["answers"] == {
            "unit": unit.hex(), "wage": "4,800.50", "kind": "yearly", "from_month": "2026-11",
        }  # fmt: skip
        assert roster.counts(db, roster_id)["taken"] == 2


def test_bad_lines_tell_everything_and_come_back_as_a_file_that_is_fed_again(
    station: Station, look: Any, clerk: Any
) -> None:
    bad = [
        (ZHANG, "张建", 5200, "调整", "2026-11"),
        ("330683199001011238", "@SUM(A1)", 1, "调整", "2026-11"),
        (LYU, "吕秀珍", "much", "每天", "十一月"),
        (WEI, "张伟", 5000, "调整", "2026-11"),
        (WEI, "张伟", 5000, "调整", "2026-11"),
    ]
    roster_id = look(bad)
    found = lines_of(station, roster_id)
    assert [state for state, _ in found] == ["bad", "bad", "bad", "good", "bad"]
    assert "other_name" in found[0][1] and len(found[2][1]) >= 3 and "twice" in found[4][1]
    assert roster.take(station.desk, roster_id, *clerk) == 1
    with station.store.read() as db:
        content = roster.bad_rows(db, roster_id)
    book = openpyxl.load_workbook(io.BytesIO(content))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[0] == (*HEADER, "退回原因") and len(rows) == 5 and "第 5 行" in rows[4][5]
    assert rows[2][1].startswith("'@") and all(row[5] for row in rows[1:])
    mended = [list(row[:5]) for row in rows[1:]]
    mended[0][1], mended[2] = "张建国", [LYU, "吕秀珍", 4800, "年度", "2026-12"]
    again = look([mended[0], mended[2]])
    assert [state for state, _ in lines_of(station, again)] == ["good", "good"]


def test_the_same_file_again_changes_nothing_and_another_value_is_not_slipped_in(
    station: Station, look: Any, clerk: Any
) -> None:
    first = look(GOOD_LINES)
    roster.take(station.desk, first, *clerk)
    assert roster.take(station.desk, first, *clerk) == 0
    again = look(GOOD_LINES)
    assert lines_of(station, again) == [("known", ["known"])] * 2
    assert roster.take(station.desk, again, *clerk) == 0
    other = look([(ZHANG, "张建国", 9900, "调整", "2026-11"), (ZHANG, "张建国", 9900, "调整", "2026-12")])
    assert [codes for _, codes in lines_of(station, other)] == [["known_other"], []]
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM case_file").fetchone()[0] == 2


def test_two_previews_of_one_file_make_each_case_once(station: Station, look: Any, clerk: Any) -> None:
    one, two = look(GOOD_LINES), look(GOOD_LINES)
    assert (roster.take(station.desk, one, *clerk), roster.take(station.desk, two, *clerk)) == (2, 0)
    assert [state for state, _ in lines_of(station, two)] == ["known", "known"]


def test_a_line_says_each_thing_once_and_only_what_must_be_done(station: Station, unit: bytes, clerk: Any) -> None:
    item = station.desk.service("base_declaration")
    number = number_of("33062319900304113")
    with station.store.read() as db:
        header = [c.heading for c in roster.columns(db, station.desk, item)]
    line = {"身份证号": number, "姓名": "商小远", "新基数（月工资）": 5200, "从哪个月起": "2026-11", "申报类型": "更正"}
    new = NewRoster(item.id, unit, ["wage_sheet"], "基数.xlsx", clerk[0])
    roster_id = roster.preview(station.desk, sheet([[line[h] for h in header]], header), new)
    assert lines_of(station, roster_id) == [("bad", ["in_register"])]


def test_missing_papers_stop_every_line(station: Station, look: Any) -> None:
    assert [state for state, _ in lines_of(station, look(GOOD_LINES, materials=()))] == ["bad", "bad"]


def test_too_few_numbers_take_nothing_and_the_hub_will_be_asked(station: Station, look: Any, clerk: Any) -> None:
    with station.store.write() as db:
        db.execute("UPDATE receipt_block SET last = first")
    roster_id = look(GOOD_LINES)
    with pytest.raises(OutOfNumbers):
        roster.take(station.desk, roster_id, *clerk)
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM case_file").fetchone()[0] == 0
        assert database.setting(db, NUMBERS_WANTED) == b"2"


def test_an_interrupted_roster_goes_on_where_it_stopped(
    station: Station, look: Any, clerk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster_id = look(GOOD_LINES)
    monkeypatch.setattr(roster, "CHUNK", 1)

    def power_cut(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        roster.take(station.desk, roster_id, *clerk, power_cut)
    with station.store.read() as db:
        assert roster.find(db, roster_id)["state"] == "taking" and roster.counts(db, roster_id)["taken"] == 1
    assert roster.take(station.desk, roster_id, *clerk) == 1
    with station.store.read() as db:
        assert roster.find(db, roster_id)["state"] == "taken"


def test_a_preview_is_discarded_and_a_taken_roster_withdrawn_while_unsent(
    station: Station, look: Any, clerk: Any
) -> None:
    gone = look(GOOD_LINES)
    roster.discard(station.desk, gone)
    with pytest.raises(UnknownSubject), station.store.read() as db:
        roster.find(db, gone)
    roster_id = look(GOOD_LINES)
    roster.take(station.desk, roster_id, *clerk)
    with pytest.raises(WrongState):
        roster.discard(station.desk, roster_id)
    assert roster.withdraw(station.desk, roster_id, "单位要改", *clerk) == 2
    with station.store.read() as db:
        assert {r[0] for r in db.execute("SELECT state FROM case_file")} == {"withdrawn"}
    assert [state for state, _ in lines_of(station, look(GOOD_LINES))] == ["good", "good"]  # free to be fed again


def test_a_roster_that_was_sent_is_not_withdrawn_as_a_whole(station: Station, look: Any, clerk: Any) -> None:
    roster_id = look(GOOD_LINES)
    roster.take(station.desk, roster_id, *clerk)
    with station.store.write() as db:
        seq = db.execute("SELECT max(seq) FROM fact").fetchone()[0]
        frame = {"channel": "evt", "n": 1, "hash": bytes(32), "upto": seq, "items": 2}
        at = "2026-11-21T00:00:00.000Z"
        database.insert(db, "outbox_frame", frame | {"built_at": at, "sent_at": at})
    with pytest.raises(WrongState):
        roster.withdraw(station.desk, roster_id, "单位要改", *clerk)


def test_a_csv_and_a_stranger_unit(station: Station, look: Any, unit: bytes) -> None:
    text = ",".join(HEADER) + f"\n{ZHANG},张建国,5200,调整,2026-11\n"
    assert [s for s, _ in lines_of(station, look(text.encode("gb18030")))] == ["good"]
    with pytest.raises(UnknownSubject):
        look(GOOD_LINES, unit_id=bytes(16))
    with pytest.raises(Refusal):
        look("没有表头\n1\n".encode())


def test_the_template_is_understood_when_it_comes_back(station: Station, unit: bytes) -> None:
    item = station.desk.service(ITEM)
    with station.store.read() as db:
        wanted = roster.columns(db, station.desk, item)
    content = roster_sheet.template(item, wanted)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.active.data_validations.dataValidation and book.sheetnames[2] == "说明"
    assert [c.value for c in book.active[1]] == [f"{h}*" for h in HEADER]
    with open_sheet(content, roster_sheet.LIMITS, lambda cells: roster_sheet.is_header(cells, wanted)) as opened:
        assert len(roster_sheet.mapping(opened.header, wanted).places) == len(HEADER)
        assert len(list(opened.lines)) == 1


def test_a_stranger_who_stands_in_a_roster_twice_is_taken_once(station: Station, unit: bytes, clerk: Any) -> None:
    item = station.desk.service("employee_join")
    number = number_of("33068319920304113")
    given = ("13800001111", "苍岩村", "汉族", "2026-11-02", "固定期限合同", "5200", "职工养老、工伤")
    lines = [(number, "商小远", *given, month) for month in ("2026-11", "2026-12")]
    with station.store.read() as db:
        header = [c.heading for c in roster.columns(db, station.desk, item)]
    new = NewRoster(item.id, unit, ["contract", "id_card"], "增员.xlsx", clerk[0])
    roster_id = roster.preview(station.desk, sheet(lines, header), new)
    assert lines_of(station, roster_id) == [("good", []), ("good", [])], header
    assert roster.take(station.desk, roster_id, *clerk) == 1
    assert lines_of(station, roster_id)[1] == ("bad", ["no_open_case"])
