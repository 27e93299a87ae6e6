# SPDX-License-Identifier: Apache-2.0
"""The file of refused lines: the headings as they came, a first column with the reasons, ready to be fed again.

What is written may have come from a stranger: a cell that a spreadsheet would take for a formula is written as text
behind an apostrophe, which `reading.clean` takes off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import openpyxl

from hub.importing.register import RefusedLine

REASON = "拒收原因"
LINE = "行号"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NOT_IN_XML = {c: None for c in range(32) if c not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}


def write(path: Path, header: tuple[str, ...], refused: Iterable[RefusedLine], lang: str = "zh") -> None:
    """Write .xlsx, or CSV (UTF-8 with mark) when the name says so."""
    if path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(_lines(header, refused, lang))
    else:
        path.write_bytes(workbook(header, refused, lang))


def workbook(header: tuple[str, ...], refused: Iterable[RefusedLine], lang: str = "zh") -> bytes:
    """The same as the content of an .xlsx file."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("拒收")
    for line in _lines(header, refused, lang):
        sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it and does not run it."""
    plain = text.translate(_NOT_IN_XML)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _lines(header: tuple[str, ...], refused: Iterable[RefusedLine], lang: str) -> Iterator[list[str]]:
    kept = [at for at, heading in enumerate(header) if heading not in (REASON, LINE)]
    yield [REASON, LINE, *(harmless(header[at]) for at in kept)]
    for one in refused:
        reasons = "；".join(f.text(lang) for f in one.findings if f.severity == "block")
        cells = one.line.cells + ("",) * len(header)
        yield [harmless(reasons), str(one.line.number), *(harmless(cells[at]) for at in kept)]
