# SPDX-License-Identifier: Apache-2.0
"""Lists and comparisons of a month as Excel files: all rows, amounts as numbers in yuan, so that they can be summed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell

from hub.settlement.county import naming
from hub.settlement.county.columns import FUNDS
from hub.settlement.county.comparing import Comparison
from hub.settlement.county.listing import Column, Listing, page, rows
from hub.settlement.county.lists import REASONS
from hub.settlement.inputs import month_named
from schema.sheets_out import harmless

Cell = str | int | Decimal
Texts = Callable[[str], str]
_YUAN = "#,##0.00"
_BLOCK = 5_000


def of_listing(db: Any, listing: Listing, lang: str, t: Texts) -> bytes:
    """Every row in the order in which the page opens, the sums at the end."""
    return _book(_lines(db, listing, lang, t))


def of_comparison(tables: Iterable[Comparison], lang: str, t: Texts) -> bytes:
    """All tables below each other."""
    return _book(_compared(tables, lang, t))


def _lines(db: Any, listing: Listing, lang: str, t: Texts) -> Iterator[list[Cell]]:
    yield [t(f"county_list.{column.name}") for column in listing.columns]
    order = page(db, listing, "", None, 1).order
    for first in range(0, len(order), _BLOCK):
        for row in rows(db, listing, order[first : first + _BLOCK]):
            yield [_cell(column, row.get(column.name), lang) for column in listing.columns]
    total: list[Cell] = [_cell(column, listing.sums.get(column.name), lang) for column in listing.columns]
    yield [t("county.total"), *total[1:]]


def _cell(column: Column, value: Any, lang: str) -> Cell:
    if value is None:
        return ""
    if column.kind == "fen":
        return Decimal(value) / 100
    if column.kind == "count":
        return int(value)
    if column.kind == "month":
        return month_named(value)
    words = {"fund": lambda: naming.FUND[FUNDS[value]][lang], "held": lambda: naming.HELD[REASONS[value]][lang]}
    return harmless(words[column.kind]() if column.kind in words else str(value))


def _compared(tables: Iterable[Comparison], lang: str, t: Texts) -> Iterator[list[Cell]]:
    for table in tables:
        yield [t(f"county_compare.{name}") for name in ("what", "figure", "last", "this", "difference")]
        for row in table.rows:
            name = naming.FUND[row.name][lang] if table.kind == "fund" else row.name
            for figure in row.figures:
                sides = (figure.last, figure.this, figure.difference)
                label = t(f"county_compare.{figure.name}")
                yield [harmless(name), label, *(Decimal(n) / 100 if figure.name.endswith("_fen") else n for n in sides)]
        yield []


def _book(lines: Iterable[list[Cell]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("1")
    for line in lines:
        sheet.append([_amount(sheet, value) if isinstance(value, Decimal) else value for value in line])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _amount(sheet: Any, value: Decimal) -> Any:
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = _YUAN
    return cell
