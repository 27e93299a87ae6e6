# SPDX-License-Identifier: Apache-2.0
"""Files from outside: whatever they are, the officer is told what to do, and nothing breaks."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.importing import headings
from schema.errors import Refusal
from schema.sheets import MIB, WEB, Limits, Line, clean, open_sheet

recognise = headings.register().is_header


def read(path: Path, limits: Limits = WEB) -> tuple[tuple[str, ...], list[Line]]:
    with open_sheet(path, limits, recognise) as sheet:
        return sheet.header, list(sheet.lines)


def code_of(path: Path, limits: Limits = WEB) -> str:
    with pytest.raises(Refusal) as caught:
        read(path, limits)
    return caught.value.code


def text_file(folder: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "r.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def workbook(folder: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    path = folder / "r.xlsx"
    book.save(path)
    return path


def test_a_workbook_with_macros_is_not_read(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["身份证号", "姓名"], ["1", "王"]])
    assert read(path)[1]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"anything")
    assert code_of(path) == "file_macros"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_every_encoding_offices_write(tmp_path: Path, encoding: str) -> None:
    header, lines = read(text_file(tmp_path, "身份证号,姓名\n330683,张建国𠮷\n", encoding))
    assert header == ("身份证号", "姓名")
    assert lines == [Line(2, ("330683", "张建国𠮷"))]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_separator_is_recognised(tmp_path: Path, delimiter: str) -> None:
    assert read(text_file(tmp_path, f"身份证号{delimiter}姓名\n1{delimiter}王\n"))[1][0].cells == ("1", "王")


def test_titles_above_the_headings_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [["城乡居民养老保险名册"], [], ["序号", "身份证号", "姓名"], [1, "330683", "王"], [], [2, "330684", "李"]],
    )
    header, lines = read(path)
    assert header == ("序号", "身份证号", "姓名")
    assert [line.number for line in lines] == [4, 6]


def test_values_come_out_as_a_person_sees_them(tmp_path: Path) -> None:
    values = [datetime(1970, 5, 15), date(1970, 5, 16), 500, 130.94000000000001, 0.1 + 0.2, True, "  王 "]
    path = workbook(tmp_path, [["身份证号", "姓名"], values])
    assert read(path)[1][0].cells == ("1970-05-15", "1970-05-16", "500", "130.94", "0.3", "1", "王")


def test_a_number_too_long_for_a_spreadsheet_is_seen_to_have_lost_digits(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["身份证号", "姓名"], [330683197005150000, 3.30683197005151e17]])
    assert all("E+17" in cell for cell in read(path)[1][0].cells)


def test_marks_that_keep_digits_as_text_are_taken_off() -> None:
    assert [clean(t) for t in ('="330683"', "'330683", " 330683\u200b", "\ufeff330683", "'=1+1")] == [
        *["330683"] * 4,
        "=1+1",
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_told_so(tmp_path: Path, content: bytes) -> None:
    assert code_of(text_file(tmp_path, content)) == "file_empty"


def test_a_file_without_known_headings_is_told_which_are_needed(tmp_path: Path) -> None:
    assert code_of(text_file(tmp_path, "甲,乙\n1,2\n")) == "header"


@pytest.mark.parametrize("content", [b"\xff\xff\xfe\x00\x01", b"\x89PNG\r\n\x1a\n\x00\x00", bytes(range(256))])
def test_what_is_no_text_is_refused_as_such(tmp_path: Path, content: bytes) -> None:
    assert code_of(text_file(tmp_path, content)) == "file_encoding"


def test_old_excel_and_files_under_a_password_are_told_apart_from_damage(tmp_path: Path) -> None:
    assert code_of(text_file(tmp_path, bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600))) == "file_kind"


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("note.txt", "x")
    assert code_of(path) == "file_kind"


def test_a_workbook_cut_off_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["身份证号", "姓名"], *([str(n), "王"] for n in range(500))])
    path.write_bytes(path.read_bytes()[:-3000])
    assert code_of(path) == "file_damaged"


def test_a_workbook_with_a_broken_sheet_is_refused_where_it_breaks(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["身份证号", "姓名"], ["1", "王"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = next(name for name in parts if name.endswith("sheet1.xml"))
    parts[sheet] = parts[sheet][: len(parts[sheet]) // 2]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert code_of(path) == "file_damaged"


def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["身份证号", "姓名"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(8 * MIB))
    assert path.stat().st_size < MIB
    assert code_of(path, Limits(20 * MIB, 100, 4 * MIB)) == "file_size"


def test_entities_that_unfold_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["身份证号", "姓名"]])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/extra.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>')
    assert code_of(path) == "file_damaged"


def test_too_many_bytes_or_lines_are_refused(tmp_path: Path) -> None:
    path = text_file(tmp_path, "身份证号,姓名\n" + "1,王\n" * 200)
    assert code_of(path, Limits(100, 1000, MIB)) == "file_size"
    assert code_of(path, Limits(MIB, 100, MIB)) == "file_rows"


def test_a_quotation_mark_that_stands_alone_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        read(text_file(tmp_path, '身份证号,姓名\n1,王\n2,"李\n3,赵\n'))
    assert caught.value.code == "file_damaged"
    assert "第 3 行" in caught.value.zh


def test_a_sheet_that_claims_a_million_columns_is_not_believed(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["身份证号", "姓名"])
    book.active["XFD2"] = "far"
    path = tmp_path / "r.xlsx"
    book.save(path)
    assert read(path)[1] == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=600),
    st.sampled_from([b"", b"PK\x03\x04", "身份证号,姓名\n".encode(), "身份证号,姓名\n".encode("gb18030")]),
)
def test_any_bytes_are_read_or_refused(tmp_path: Path, noise: bytes, start: bytes) -> None:
    path = tmp_path / "noise"
    path.write_bytes(start + noise)
    try:
        read(path)
    except Refusal as refusal:
        assert refusal.zh and refusal.en
