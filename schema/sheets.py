# SPDX-License-Identifier: Apache-2.0
"""Excel and CSV files as lines of text, read as a stream, with limits.

    with open_sheet(path, WEB, recognise) as sheet:
        sheet.header, [(line.number, line.cells) for line in sheet.lines]

The file comes from outside: it may be empty, damaged, in any encoding, or made to exhaust the memory. Everything that
cannot be read is a Refusal with what to do about it. Line numbers are those the spreadsheet shows.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from schema.errors import Refusal

MIB = 1024 * 1024
HEADER_WITHIN = 10  # lines: titles often stand above the headings
COLUMNS_MAX = 200
CELL_MAX = 1000
OLE_SIGNATURE = bytes.fromhex("D0CF11E0A1B11AE1")  # .xls, and .xlsx under a password
LOST_DIGITS = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]+")


@dataclass(frozen=True)
class Limits:
    """How much of a file is taken: its size, the lines in it, and what it may unfold to."""

    bytes_max: int
    rows_max: int
    unpacked_max: int


WEB = Limits(20 * MIB, 100_000, 400 * MIB)
COMMAND_LINE = Limits(2048 * MIB, 1_000_000, 8192 * MIB)


@dataclass(frozen=True)
class Line:
    """One line: its number in the file, and its cells as text ('' for an empty one)."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """The headings as written, and the lines below them."""

    header: tuple[str, ...]
    lines: Iterator[Line]


Recognise = Callable[[tuple[str, ...]], bool]
Source = Path | bytes


def file_of(source: Source) -> BinaryIO:
    """The file, or what was uploaded, opened for reading."""
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


@contextmanager
def open_sheet(source: Source, limits: Limits, recognise: Recognise) -> Iterator[Sheet]:
    """The table in the file. `recognise` says whether a line is the line of headings.

    Raises Refusal (codes file_empty, file_size, file_kind, file_macros, file_damaged, file_encoding, file_rows, header)
    also while the lines are read: a stream is damaged where it is damaged.
    """
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size == 0:
        raise _refuse("file_empty", "文件是空的", "the file is empty")
    if size > limits.bytes_max:
        much = f"{limits.bytes_max // MIB} MB"
        raise _refuse("file_size", f"文件超过 {much}，请分成几个", f"the file is over {much}: split it up")
    with file_of(source) as file:
        start = file.read(8)
    if start == OLE_SIGNATURE:
        raise _refuse(
            "file_kind", "这是旧的 .xls 格式，或加了打开密码。请另存为 .xlsx 或 CSV，不设密码",
            "this is an old .xls file or has a password: save it as .xlsx or CSV without one",
        )  # fmt: skip
    opened = _excel(source, limits) if start.startswith(b"PK") else _text(source)
    with opened as lines:
        counted = _counted(lines, limits.rows_max)
        yield Sheet(_find_header(counted, recognise), counted)


def check(source: Source, limits: Limits, recognise: Recognise) -> None:
    """Whether it is worth going on: the file opens and its headings are known. Raises Refusal."""
    with open_sheet(source, limits, recognise):
        return


def _find_header(lines: Iterator[Line], recognise: Recognise) -> tuple[str, ...]:
    seen = 0
    for line in lines:
        if recognise(line.cells):
            return line.cells
        seen += 1
        if seen == HEADER_WITHIN:
            break
    if not seen:
        raise _refuse("file_empty", "文件里没有内容", "the file holds nothing")
    raise _refuse(
        "header", f"前 {HEADER_WITHIN} 行里没有找到认识的列名，例如「身份证号」「姓名」，或 AAC002、AAC003",
        f"no known headings in the first {HEADER_WITHIN} lines, such as 身份证号 and 姓名, or AAC002 and AAC003",
    )  # fmt: skip


def _counted(lines: Iterator[Line], rows_max: int) -> Iterator[Line]:
    """Lines that hold something, up to the limit."""
    count = 0
    for line in lines:
        if not any(line.cells):
            continue
        count += 1
        if count > rows_max + HEADER_WITHIN:
            raise _refuse(
                "file_rows", f"超过 {rows_max:,} 行，请分成几个文件", f"over {rows_max:,} lines: split it into several"
            )
        yield line


@contextmanager
def _excel(source: Source, limits: Limits) -> Iterator[Iterator[Line]]:
    import openpyxl  # only here, see `sheets_out`

    with file_of(source) as file:
        _check_archive(file, limits)
        with _damage():
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            yield _excel_lines(book)
        finally:
            book.close()


def _excel_lines(book: Any) -> Iterator[Line]:
    """The first sheet that holds something: offices keep notes on the later ones."""
    with _damage():
        for sheet in book.worksheets:
            # A file may claim a million columns for a handful of cells; the claim is not believed.
            sheet.reset_dimensions()
            found = False
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                line = Line(number, tuple(_from_cell(value) for value in row[:COLUMNS_MAX]))
                found = found or any(line.cells)
                yield line
            if found:
                return


def _check_archive(file: BinaryIO, limits: Limits) -> None:
    """Refuse what would unfold to more than the memory, or carries an XML document type (entities that unfold)."""
    with _damage(), zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        if len(parts) > 2000 or sum(part.file_size for part in parts) > limits.unpacked_max:
            raise _refuse("file_size", "文件展开后太大，没有读取", "the file unfolds to too much and was not read")
        if "xl/workbook.xml" not in archive.namelist():
            raise _refuse(
                "file_kind", "不是 Excel 工作簿。请用 .xlsx 或 CSV", "this is no Excel workbook: use .xlsx or CSV"
            )
        if any(PurePosixPath(part.filename).name.lower().startswith("vbaproject") for part in parts):
            raise _refuse(
                "file_macros", "文件里带宏，没有读取。请另存为不带宏的 .xlsx",
                "the file carries macros and was not read: save it as .xlsx without macros",
            )  # fmt: skip
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as stream:
                    start = stream.read(4096).replace(b"\x00", b"")
                if b"<!DOCTYPE" in start:
                    raise _refuse("file_damaged", "文件内容不正常，没有读取", "the file's content is not regular")


@contextmanager
def _damage() -> Iterator[None]:
    """Whatever a damaged workbook makes the libraries raise is one thing to the officer."""
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        raise _refuse(
            "file_damaged", "文件已损坏，读不出来。请在表格软件里打开，另存一份再试",
            "the file is damaged: open it in a spreadsheet program, save it anew and try again",
        ) from error  # fmt: skip


def _from_cell(value: Any) -> str:
    """A spreadsheet's value as the text a person sees."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return _from_number(value)
    return clean(str(value))


def _from_number(value: int | float) -> str:
    """Spreadsheets keep 15 digits of a number: a longer one has lost its last digits and is shown as such."""
    if abs(value) < 10**15:
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    return f"{value:.14E}" if isinstance(value, float) or value % 1000 == 0 else str(value)


@contextmanager
def _text(source: Source) -> Iterator[Iterator[Line]]:
    encoding = _encoding(source)
    with io.TextIOWrapper(file_of(source), encoding=encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        delimiter = max(",\t;", key=first.count)
        yield _text_lines(file, delimiter)


def _text_lines(file: io.TextIOBase, delimiter: str) -> Iterator[Line]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    before = 0
    try:
        for row in reader:
            yield Line(before + 1, tuple(clean(cell) for cell in row[:COLUMNS_MAX]))
            before = reader.line_num
    except csv.Error as error:
        raise _refuse(
            "file_damaged", f"第 {before + 1} 行起读不懂，多半是引号没有成对",
            f"line {before + 1} cannot be read: most likely a quotation mark stands alone",
        ) from error  # fmt: skip


def _encoding(source: Source) -> str:
    """UTF-8, GB18030 (what Chinese Excel writes) or UTF-16 with its mark. Raises Refusal for anything else."""
    with file_of(source) as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates: tuple[str, ...] = ("utf-16",)
    else:
        candidates = ("utf-8-sig", "gb18030")
    for encoding in candidates:
        if _decodes(source, encoding):
            return encoding
    raise _refuse(
        "file_encoding", "文字编码不认识，也不是 Excel 文件。请另存为 .xlsx，或 CSV（UTF-8）",
        "neither an Excel file nor text in a known encoding: save it as .xlsx or CSV (UTF-8)",
    )  # fmt: skip


def _decodes(source: Source, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with file_of(source) as file:
        try:
            while chunk := file.read(MIB):
                if "\x00" in decoder.decode(chunk):
                    return False
            return "\x00" not in decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False


def clean(text: str) -> str:
    """A cell without the marks that keep a spreadsheet from reading it as a number or a formula."""
    text = text.strip().strip("\ufeff\u200b")
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.lstrip("'").strip()[: CELL_MAX + 1]


def _refuse(code: str, zh: str, en: str) -> Refusal:
    return Refusal(zh, en, code=code)
