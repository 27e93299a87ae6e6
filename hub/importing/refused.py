# SPDX-License-Identifier: Apache-2.0
"""The file of refused lines: the headings as they came, a first column with the reasons, ready to be fed again.

What is written may have come from a stranger: a cell that a spreadsheet would take for a formula is written as text
behind an apostrophe, which `sheets.clean` takes off again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from hub.importing.register import RefusedLine
from schema import sheets_out
from schema.sheets_out import harmless

REASON = "拒收原因"
LINE = "行号"


def write(path: Path, header: tuple[str, ...], refused: Iterable[RefusedLine], lang: str = "zh") -> None:
    """Write .xlsx, or CSV (UTF-8 with mark) when the name says so."""
    if path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(_lines(header, refused, lang))
    else:
        path.write_bytes(workbook(header, refused, lang))


def workbook(header: tuple[str, ...], refused: Iterable[RefusedLine], lang: str = "zh") -> bytes:
    """The same as the content of an .xlsx file."""
    return sheets_out.workbook("拒收", _lines(header, refused, lang))


def _lines(header: tuple[str, ...], refused: Iterable[RefusedLine], lang: str) -> Iterator[list[str]]:
    kept = [at for at, heading in enumerate(header) if heading not in (REASON, LINE)]
    yield [REASON, LINE, *(harmless(header[at]) for at in kept)]
    for one in refused:
        reasons = "；".join(f.text(lang) for f in one.findings if f.severity == "block")
        cells = one.line.cells + ("",) * len(header)
        yield [harmless(reasons), str(one.line.number), *(harmless(cells[at]) for at in kept)]
