# SPDX-License-Identifier: Apache-2.0
"""A unit's roster as a spreadsheet: which column is which field of the item, the template, the lines that come back.

Nothing here is written per item: columns, drop-down lists and explanations follow from the item's fields.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schema import sheets_out
from schema.service_parts import Choice, Field, Service
from schema.sheets import MIB, Limits, Line
from schema.sheets_out import harmless

LIMITS = Limits(8 * MIB, 20_000, 160 * MIB)
REASON = "退回原因"
ID_NUMBER, NAME = "id_number", "name"
_EXTRA = {ID_NUMBER: "身份证号", NAME: "姓名"}
_EXAMPLE = {
    "resident_id": "330683199004120249", "name": "陈小燕（示例，请删去）", "phone": "13800000000", "date": "2026-11-03",
    "month": "2026-11", "money": "5200", "number": "1",
}  # fmt: skip
_HOW = {
    "resident_id": "18 位，单元格设为文本", "date": "写成 2026-11-03", "month": "写成 2026-11",
    "money": "元，可以有角分", "village": "从列表里选，或写 12 位代码", "choice": "从列表里选",
    "choices": "可以写几项，用顿号隔开",
}  # fmt: skip
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-[0-9]{2}")
_SEVERAL = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True)
class Column:
    """One column: the field it fills, its heading, and the entries to choose from."""

    name: str
    heading: str
    type: str
    required: bool
    choices: tuple[Choice, ...] = ()

    def answer(self, cell: str) -> str:
        """The cell as the form would post it: entries by their words, months out of days that a spreadsheet made."""
        if self.type == "choices":
            return " ".join(self._entry(word) for word in _SEVERAL.split(cell) if word)
        if self.type == "month" and (found := _DAY.fullmatch(cell)):
            return f"{found[1]}-{found[2]}"
        return self._entry(cell) if self.choices else cell

    def _entry(self, word: str) -> str:
        return next((c.value for c in self.choices if word in (c.value, c.text["zh"], c.text["en"])), word)


def unit_field(item: Service) -> Field | None:
    """The field that names the employer."""
    return next((f for f in item.fields if f.type == "unit"), None)


def is_roster_item(item: Service) -> bool:
    """Whether the item can be taken for many persons of one unit at once."""
    return item.subject == "person" and unit_field(item) is not None and month_field(item) is not None


def month_field(item: Service) -> Field | None:
    """The month from which the change counts."""
    return next((f for f in item.fields if f.type == "month" and f.required), None)


def columns(item: Service, villages: Sequence[Choice] = ()) -> list[Column]:
    """The columns of the item's roster: who first, then what."""
    fields = [f for f in item.fields if not f.derived and f.type != "unit"]
    known = {f.name for f in fields}
    who = [Column(n, h, "resident_id" if n == ID_NUMBER else "name", True) for n, h in _EXTRA.items() if n not in known]
    fields.sort(key=lambda f: (f.name != ID_NUMBER, f.name != NAME))
    return who + [_column(f, villages) for f in fields]


def _column(field: Field, villages: Sequence[Choice]) -> Column:
    entries = tuple(villages) if field.type == "village" else field.choices
    # What the register knows of a person need not stand in the file.
    required = (field.required and not field.prefill.startswith(("person.", "contact."))) or field.name in _EXTRA
    return Column(field.name, field.label["zh"], field.type, required, entries)


@dataclass(frozen=True)
class Mapping:
    """Which cell of a line is which column."""

    places: dict[str, int]
    unknown: tuple[str, ...]

    def cells(self, line: Line) -> dict[str, str]:
        """The line's cells by field."""
        return {name: line.cells[at] for name, at in self.places.items() if at < len(line.cells) and line.cells[at]}


def mapping(header: tuple[str, ...], wanted: Iterable[Column]) -> Mapping:
    """The headings as the file has them against the columns; the first of two that are the same counts."""
    plain = [re.sub(r"[\s*＊（(].*$", "", text.strip()) for text in header]
    by_heading = {re.sub(r"[（(].*$", "", c.heading): c.name for c in wanted}
    places: dict[str, int] = {}
    for at, text in enumerate(plain):
        if text in by_heading:
            places.setdefault(by_heading[text], at)
    unknown = tuple(h for h, p in zip(header, plain, strict=True) if p and p not in by_heading and p != REASON)
    return Mapping(places, unknown)


def is_header(cells: tuple[str, ...], wanted: Sequence[Column]) -> bool:
    """Whether a line is the line of headings: it names the ID number and something else."""
    places = mapping(cells, wanted).places
    return ID_NUMBER in places and len(places) > 1


def template(item: Service, wanted: Sequence[Column]) -> bytes:
    """The empty roster: headings, an example, drop-down lists, and a sheet that explains each column."""
    # Only here, see `schema.sheets_out`.
    import openpyxl
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = openpyxl.Workbook()
    sheet, lists, told = book.active, book.create_sheet("列表"), book.create_sheet("说明")
    sheet.title = item.short["zh"][:30]
    sheet.append([c.heading + ("*" if c.required else "") for c in wanted])
    sheet.append([_example(c) for c in wanted])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for at, column in enumerate(wanted, 1):
        letter = get_column_letter(at)
        sheet.column_dimensions[letter].width = 24 if column.name == ID_NUMBER else 16
        for row in (1, 2):
            sheet.cell(row, at).number_format = "@"
        sheet.column_dimensions[letter].number_format = "@"
        if column.choices and column.type != "choices":
            for row, choice in enumerate(column.choices, 1):
                lists.cell(row, at, choice.text["zh"])
            rule = DataValidation("list", f"=列表!${letter}$1:${letter}${len(column.choices)}", allow_blank=True)
            sheet.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}{LIMITS.rows_max}")
    sheet.freeze_panes = "C2"
    lists.sheet_state = "hidden"
    told.append(["列", "必填", "怎样填"])
    for column in wanted:
        told.append([column.heading, "必填" if column.required else "", _how(column)])
    told.append(["带 * 的列必填。名册里已有的人，村、手机等不填就按名册。一行一人；同一人同一个月只写一行。"])
    told.column_dimensions["A"].width, told.column_dimensions["C"].width = 22, 70
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _example(column: Column) -> str:
    return column.choices[0].text["zh"] if column.choices else _EXAMPLE.get(column.type, "")


def _how(column: Column) -> str:
    listed = "、".join(c.text["zh"] for c in column.choices[:12]) if column.type in ("choice", "choices") else ""
    return "；".join(part for part in (_HOW.get(column.type, ""), listed) if part)


def bad_rows(header: Sequence[str], rows: Iterable[tuple[Sequence[str], str]]) -> bytes:
    """(cells, reasons) as a file: as they came, with the reasons in the last column; mended, it is fed again."""
    kept = [at for at, heading in enumerate(header) if heading != REASON]

    def lines() -> Iterator[list[str]]:
        yield [*(harmless(header[at]) for at in kept), REASON]
        for cells, reasons in rows:
            yield [*(harmless(cells[at]) if at < len(cells) else "" for at in kept), harmless(reasons)]

    return sheets_out.workbook("退回", lines())
