# SPDX-License-Identifier: Apache-2.0
"""Files from outside: registers and receipts that are damaged, disguised, huge, or written to deceive."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from itertools import product

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.importing import headings, refused, register
from hub.settlement import receipts
from schema import tables
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import Refusal
from schema.sheets import COLUMNS_MAX, WEB, Limits
from sync.hub import publish
from sync.wire import validator
from tests.hostile.evil import rows
from tests.hub.county import VILLAGE, County, id_number
from tests.hub.settlement.conftest import OFFICERS
from tests.hub.settlement.conftest import County as Money

HEADINGS = "票据号,身份证号,金额,缴费年度,到账日期\n"
NUMBER = id_number("19700515")
PERSON = f"身份证号,姓名,村社区编码\n{NUMBER},张建国,{VILLAGE}\n"
SETTLER = OFFICERS["settle"]


@pytest.fixture
def money(make_money: Callable[[str], Money]) -> Money:
    made = make_money("money")
    made.person()
    return made


@pytest.fixture
def importer(county: County) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    row = {"operator_no": "2301", "name": "史", "roles": "import", "wrapped_key": b"", "must_change": 0}
    with publish.transaction(county.store) as pub:
        pub.put("officer", row | {"public_key": key.public_key().public_bytes_raw()})
    return key


def book(*lines: list[object]) -> bytes:
    out, made = io.BytesIO(), openpyxl.Workbook()
    for line in lines:
        made.active.append(line)
    made.save(out)
    return out.getvalue()


def with_part(workbook: bytes, name: str, content: bytes) -> bytes:
    """The workbook with one part added or replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return out.getvalue()


def good_book() -> bytes:
    return book(["身份证号", "姓名", "村社区编码"], [NUMBER, "张建国", VILLAGE])


def laughs(padding: bytes = b"") -> bytes:
    """A sheet that would unfold to gigabytes; `padding` before it hides it from whoever looks at the beginning only."""
    entities = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 12))
    return (
        b'<?xml version="1.0"?>' + padding + b'<!DOCTYPE x [<!ENTITY e0 "ha">' + entities + b"]>"
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
        b'<c r="A1" t="inlineStr"><is><t>&e11;</t></is></c></row></sheetData></worksheet>'
    )


def many_parts(count: int) -> bytes:
    out = io.BytesIO(good_book())
    with zipfile.ZipFile(out, "a") as archive:
        for n in range(count):
            archive.writestr(f"xl/{n}.bin", b"")
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
FILES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "nul in text": lambda: PERSON.replace("张", "张\x00").encode(),
    "picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    "program": lambda: b"MZ\x90\x00" + bytes(500),
    "old excel or password": lambda: bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600),
    "page instead of a sheet": lambda: b"<html><table><tr><td>1</td></tr></table></html>",
    "wrong headings": lambda: "甲,乙\n1,2\n".encode(),
    "headings below ten lines": lambda: ("说明\n" * 12 + PERSON).encode(),
    "utf-16 without its mark": lambda: PERSON.encode("utf-16-le"),
    "a quotation mark alone": lambda: (PERSON + '"' + "x" * 200_000).encode(),
    "archive of nothing": lambda: b"PK\x05\x06" + bytes(18),
    "cut archive": lambda: good_book()[:-300],
    "entities that unfold": lambda: with_part(good_book(), SHEET, laughs()),
    "entities behind a long comment": lambda: with_part(good_book(), SHEET, laughs(b"<!--" + b" " * 9000 + b"-->")),
    "entities in the strings": lambda: with_part(good_book(), "xl/sharedStrings.xml", laughs()),
    "archive of very many parts": lambda: many_parts(2500),
    "sheet that is no xml": lambda: with_part(good_book(), SHEET, b"\xff" * 5000),
    "a part that climbs out": lambda: with_part(book(["x"]), "../../../../tmp/township_evil", b"evil"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_table_is_refused_in_words_by_both_doors(
    county: County, money: Money, importer: Ed25519PrivateKey, clock: FixedClock, kind: str
) -> None:
    content = FILES[kind]()
    before = rows(county.store), rows(money.store)
    with pytest.raises(Refusal) as one:
        register.apply(county.store, content, WEB, "2301", importer, clock)
    with pytest.raises(Refusal) as other:
        receipts.take_in(money.store, content, WEB, SETTLER, money.keys[SETTLER], clock)
    for said in (one.value, other.value):
        assert any("\u4e00" <= c <= "\u9fff" for c in said.zh) and said.en
    assert (rows(county.store), rows(money.store)) == before


def test_a_macro_file_under_another_name_is_refused(
    county: County, importer: Ed25519PrivateKey, clock: FixedClock
) -> None:
    content = with_part(good_book(), "xl/vbaProject.bin", b"\xcc\x61" + bytes(4000))
    with pytest.raises(Refusal):
        register.apply(county.store, content, WEB, "2301", importer, clock)


def test_a_file_over_the_line_limit_is_refused_before_anything_is_written(money: Money, clock: FixedClock) -> None:
    content = (HEADINGS + "".join(f"L{n},{NUMBER},1,2026,2026-11-05\n" for n in range(3000))).encode()
    before = rows(money.store)
    few = Limits(WEB.bytes_max, 2000, WEB.unpacked_max)
    with pytest.raises(Refusal, match="over 2,000 lines"):
        receipts.take_in(money.store, content, few, SETTLER, money.keys[SETTLER], clock)
    assert rows(money.store) == before


def test_columns_beyond_the_limit_are_left_out(county: County, importer: Ed25519PrivateKey, clock: FixedClock) -> None:
    lines = [line + "," + ",".join(f"x{n}" for n in range(5 * COLUMNS_MAX)) for line in PERSON.splitlines()]
    summary = register.apply(county.store, "\n".join(lines).encode(), WEB, "2301", importer, clock)
    assert len(summary.header) <= COLUMNS_MAX and summary.count("new") == 1


@pytest.mark.parametrize("amount", [
    "-300", "−300", "(300)", "0", "0.00", "1.005", "300.123", "1e3", "0x10", "=1+1", "=SUM(A1:A9)", "三百", "∞", "NaN",
    "9" * 30, "9" * 5000, "20000000", "1,00", "1.000,50", "300\u202e", "3 00 0 x", "",
])  # fmt: skip
def test_an_amount_that_is_none_is_refused_and_its_neighbours_are_taken(
    money: Money, clock: FixedClock, amount: str
) -> None:
    whose = money.number_of(money.people[0])
    out = io.StringIO(HEADINGS)
    out.seek(0, io.SEEK_END)
    csv.writer(out).writerows([["A", whose, amount, "2026", "2026-11-05"], ["B", whose, "300.5", "2026", "2026-11-05"]])
    summary = receipts.take_in(money.store, out.getvalue().encode(), WEB, SETTLER, money.keys[SETTLER], clock)
    assert [one.line.number for one in summary.refused] == [2]
    assert summary.fen["matched"] == 300_50
    assert [row["amount_fen"] for row in money.rows("SELECT amount_fen FROM receipt")] == [300_50]


def test_a_formula_is_no_amount_even_when_it_would_come_to_one(money: Money, clock: FixedClock) -> None:
    """A formula nobody computed holds no value; the value it showed when it was saved is what counts."""
    whose = money.number_of(money.people[0])
    content = book(HEADINGS.strip().split(","), ["F1", whose, "=100+200", "2026", "2026-11-05"])
    assert len(receipts.take_in(money.store, content, WEB, SETTLER, money.keys[SETTLER], clock).refused) == 1
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read(SHEET).replace(b"<v />", b"<v>300</v>").replace(b"<v></v>", b"<v>300</v>")
    saved = with_part(content, SHEET, sheet)
    assert receipts.take_in(money.store, saved, WEB, SETTLER, money.keys[SETTLER], clock).fen["matched"] == 300_00


@pytest.mark.parametrize(("column", "text"), [
    *product([3], ["2027", "1899", "26", "二〇二六", "2026.5", "-2026"]),
    *product([4], ["9999-99-99", "2026-02-30", "2027-01-01", "0000-00-00", "46000", "yesterday", "2026-11-24"]),
    *product([0], ["", "N" * 41, "\x01", "\u200b", "\u202e "]),
])  # fmt: skip
def test_a_line_that_cannot_be_true_is_refused_with_its_number(
    money: Money, clock: FixedClock, column: int, text: str
) -> None:
    line = ["A1", money.number_of(money.people[0]), "300", "2026", "2026-11-05"]
    line[column] = text
    summary = receipts.take_in(
        money.store, (HEADINGS + ",".join(line)).encode(), WEB, SETTLER, money.keys[SETTLER], clock
    )
    assert [one.line.number for one in summary.refused] == [2]
    assert not money.rows("SELECT no FROM receipt")


def test_money_of_an_id_number_that_is_none_waits_in_suspense_under_plain_text(money: Money, clock: FixedClock) -> None:
    evil = ["<script>", "' OR 1=1 --", "3" * 500, "\u202e330683", "三三零", "=HYPERLINK(1)"]
    lines = "".join(f'E{n},"{text}",10,2026,2026-11-05\n' for n, text in enumerate(evil))
    summary = receipts.take_in(money.store, (HEADINGS + lines).encode(), WEB, SETTLER, money.keys[SETTLER], clock)
    assert summary.counts["suspense"] == len(evil)
    assert all(len(r["id_number"]) <= 18 for r in money.rows("SELECT id_number FROM receipt"))


def test_the_same_number_in_one_file_and_in_two_is_money_once(money: Money, clock: FixedClock) -> None:
    whose = money.number_of(money.people[0])
    twice = (HEADINGS + f"D1,{whose},300,2026,2026-11-05\n" * 2).encode()
    assert len(receipts.take_in(money.store, twice, WEB, SETTLER, money.keys[SETTLER], clock).refused) == 2
    once = (HEADINGS + f"D1,{whose},300,2026,2026-11-05\n").encode()
    other = (HEADINGS + f"D1,{whose},400,2026,2026-11-05\n").encode()
    alike = [(HEADINGS + f"{no},{whose},300,2026,2026-11-05\n").encode() for no in ("Ｄ１", "d1", "D1\u202e", " D 1")]
    assert receipts.take_in(money.store, once, WEB, SETTLER, money.keys[SETTLER], clock).counts["matched"] == 1
    assert receipts.take_in(money.store, once, WEB, SETTLER, money.keys[SETTLER], clock).counts["known"] == 1
    assert len(receipts.take_in(money.store, other, WEB, SETTLER, money.keys[SETTLER], clock).refused) == 1
    for file in alike:
        assert receipts.take_in(money.store, file, WEB, SETTLER, money.keys[SETTLER], clock).counts["known"] == 1
    assert money.rows("SELECT sum(amount_fen) AS fen FROM receipt")[0]["fen"] == 300_00


def test_what_a_stranger_wrote_is_no_formula_in_the_file_of_refused_lines(county: County, clock: FixedClock) -> None:
    evil = ('=HYPERLINK("http://evil.example","x")', "+1+1", "-1+1", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A0")
    out = io.StringIO("身份证号,姓名\n")
    out.seek(0, io.SEEK_END)
    csv.writer(out).writerows([[f"x{n}", text] for n, text in enumerate(evil)])
    summary = register.preview(county.store, out.getvalue().encode(), WEB, clock)
    assert len(summary.refused) == len(evil)
    read = openpyxl.load_workbook(io.BytesIO(refused.workbook(summary.header, summary.refused)))
    cells = [cell for row in read.active.iter_rows() for cell in row if cell.value]
    assert all(cell.data_type != "f" and not str(cell.value).startswith(("=", "+", "@")) for cell in cells)


def test_whatever_a_register_file_holds_every_station_can_take_it(
    county: County, importer: Ed25519PrivateKey, clock: FixedClock
) -> None:
    """The longest and oddest values of every column, one line each: what is written passes the stations' own check."""
    columns = headings.register().columns
    odd = ("长" * 1000, "9" * 1000, "\u202e甲\u200b", "<b>甲</b>", "A" * 60, "0575-8327 0000 转 801", "-1")
    base = {"id_number": NUMBER, "name": "张建国", "village": VILLAGE, "insurance": "城乡居民养老"}
    serial = 100
    lines = []
    for name, text in product(columns, odd):
        serial += 1
        line = base | {"id_number": id_number("19700515", f"{serial:03d}"), name: text}
        lines.append([line.get(column, "") for column in columns])
    out = io.StringIO()
    csv.writer(out).writerows([[c.label["zh"] for c in columns.values()], *lines])
    before = county.one("SELECT coalesce(max(rev), 0) FROM division")
    register.apply(county.store, out.getvalue().encode(), WEB, "2301", importer, clock)
    assert county.one("SELECT count(*) FROM person") > 20
    for table in tables.REFERENCE:
        for row in _rows(county.store, f"SELECT * FROM {table.name} WHERE rev > ?", before):
            assert validator.bad_reference_row(table.name, row) == "", (table.name, row)
            assert all(c.accepts(row[c.name]) == "" for c in table.columns), (table.name, row)


def _rows(store: Store, sql: str, *values: object) -> list[dict[str, object]]:
    with store.read() as db:
        return [dict(row) for row in db.execute(sql, values)]
