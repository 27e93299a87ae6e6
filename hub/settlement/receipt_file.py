# SPDX-License-Identifier: Apache-2.0
"""A receipts file line by line: which lines can be true, and what is wrong with the others, all at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from hub import pack
from hub.importing import headings
from hub.importing.headings import Column, Headings
from hub.settlement.kernel import AMOUNT_LIMIT_FEN
from schema import field_types, resident_id
from schema.field_types import Context
from schema.findings import Finding
from schema.rules.pension import START
from schema.service_parts import Field
from schema.sheets import LOST_DIGITS, Limits, Line, Source, open_sheet

FILE = Path(__file__).with_name("receipts.toml")
NEEDED = ("no", "id_number", "amount", "year", "received_on")
ID_LIMIT = 18


@dataclass(frozen=True)
class Receipt:
    """What a line says: number, whose ID number (as written when it is none), fen, contribution year, day."""

    no: str
    id_number: str
    amount_fen: int
    year: str
    received_on: str


@dataclass(frozen=True)
class Entry:
    """A line of the file; `receipt` is None when the line cannot be true."""

    line: Line
    receipt: Receipt | None
    findings: tuple[Finding, ...]


@cache
def known_headings() -> Headings:
    """The headings of a receipts file."""
    return headings.load(FILE, NEEDED)


def read(source: Source, limits: Limits, today: date) -> tuple[tuple[str, ...], list[Entry]]:
    """The headings and all lines. Raises Refusal when the file cannot be read."""
    with open_sheet(source, limits, known_headings().is_header) as sheet:
        columns = known_headings().match(sheet.header)
        return sheet.header, [_entry(line, columns.values(line.cells), today) for line in sheet.lines]


def _entry(line: Line, cells: dict[str, str], today: date) -> Entry:
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for name in NEEDED:
        column = known_headings().columns[name]
        if not cells.get(name):
            findings.append(refusal("required", name, **column.label))
            continue
        values[name], found = _value(column, cells[name], today)
        if values[name] is None and not found:  # only characters that nobody sees
            found = [refusal("required", name, **column.label)]
        findings += found
    receipt = None
    if not any(f.severity == "block" for f in findings):
        receipt = Receipt(values["no"], values["id_number"], values["amount"], values["year"], values["received_on"])
    return Entry(line, receipt, tuple(findings))


def _value(column: Column, text: str, today: date) -> tuple[Any, list[Finding]]:
    if column.id == "id_number":
        return _id_number(text, today)
    if column.id == "year":
        return _year(text, today)
    if column.id == "no":
        # Another width or an invisible mark does not make another receipt: its money would be booked twice.
        text = resident_id.compact(text)
    value, found = field_types.parse(_form_field(column.id), text, Context(today, pack.parameters()))
    if column.id == "amount" and value is not None and not 0 < value < AMOUNT_LIMIT_FEN:
        found.append(refusal("amount_range", "amount"))
    if column.id == "received_on" and value is not None and value > today.isoformat():
        found.append(refusal("received_future", "received_on"))
    return value, found


@cache
def _form_field(name: str) -> Field:
    column = known_headings().columns[name]
    return Field(column.id, column.type, column.label, "", limit=column.limit)


def _id_number(text: str, today: date) -> tuple[str, list[Finding]]:
    """The 18-digit number; what is none stays as written, because the money is here all the same."""
    found, _ = resident_id.read(text, today)
    if found:
        return found.number, []
    code = "id_lost_digits" if LOST_DIGITS.fullmatch(text) else "id_unreadable"
    zh, en = REMARKS[code]
    return resident_id.compact(text)[:ID_LIMIT], [Finding(code, "hint", "id_number", zh, en)]


def _year(text: str, today: date) -> tuple[str, list[Finding]]:
    plain = unicodedata.normalize("NFKC", text).removesuffix("年度").removesuffix("年").strip()
    if re.fullmatch("[0-9]{4}", plain) and START.year <= int(plain) <= today.year:
        return plain, []
    return "", [refusal("year_range", "year", first=START.year, last=today.year)]


REMARKS: dict[str, tuple[str, str]] = {
    "required": ("「{zh}」没有填", "'{en}' is not filled in"),
    "amount_range": ("金额要大于 0", "The amount must be above 0, and below 10 million yuan"),
    "received_future": ("到账日期还没有到", "The day of receipt is in the future"),
    "year_range": ("缴费年度应在 {first} 到 {last} 之间", "The year must be from {first} to {last}"),
    "id_unreadable": (
        "身份证号不对，先记入暂收款，可以以后认领",
        "Not an ID number: kept in suspense, can be matched later",
    ),
    "id_lost_digits": (
        "身份证号被表格软件当成数字，末几位已丢失。先记入暂收款",
        "The spreadsheet lost the last digits of the ID number: kept in suspense",
    ),
    "no_twice_in_file": (
        "同一个票据号在文件里有几行：第 {lines} 行",
        "The receipt number stands on several lines: {lines_en}",
    ),
    "no_used": (
        "这个票据号已登记过，内容不同（{amount} 元，{source}）",
        "This receipt number was taken in before with other content ({amount} yuan, {source})",
    ),
}


def refusal(code: str, column: str, **values: Any) -> Finding:
    """A finding that keeps the line out."""
    zh, en = REMARKS[code]
    return Finding(code, "block", column, zh.format(**values), en.format(**values))


def by_number(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Good entries grouped by receipt number, in the order of the file."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.receipt:
            groups.setdefault(entry.receipt.no, []).append(entry)
    yield from groups.items()
