# SPDX-License-Identifier: Apache-2.0
"""Excel files that this system writes: lines of text in which nothing runs, however a stranger wrote them.

A cell that a spreadsheet would take for a formula is written as text behind an apostrophe, which `sheets.clean` takes
off again.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NOT_IN_XML = {c: None for c in range(32) if c not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}


def workbook(title: str, lines: Iterable[Sequence[str]]) -> bytes:
    """The content of an .xlsx file with one sheet. The cells must be `harmless`."""
    import openpyxl  # only here: with numpy it takes 0.1 s and 25 MB that a station without a roster does not need

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for line in lines:
        sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it and does not run it."""
    plain = text.translate(_NOT_IN_XML)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain
