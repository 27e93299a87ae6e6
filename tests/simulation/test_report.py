# SPDX-License-Identifier: Apache-2.0
"""docs/faults.md tells of the faults that the program makes, and its figures are the program's."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.simulation import report
from tests.simulation.campaign import Totals
from tests.simulation.faults import FAULTS

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "faults.md"


def rows() -> dict[str, list[str]]:
    """The table of faults: name -> its other cells."""
    told = DOCUMENT.read_text(encoding="utf-8").partition(report.BEGIN)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in told.splitlines()]
    return {row[0]: row[1:] for row in cells if re.fullmatch(r"F[0-9]+", row[0])}


def test_the_document_tells_of_every_fault_and_of_no_other() -> None:
    assert list(rows()) == list(FAULTS)


def test_what_is_said_to_show_a_fault_exists() -> None:
    for name, (*_, shown_by) in rows().items():
        assert FAULTS[name].counters or "simulation" not in shown_by or name == "F21", name
        for path in (*re.findall(r"`(tests/[^`]+)`", shown_by), *FAULTS[name].elsewhere):
            assert (ROOT / path).is_file(), (name, path)
        assert set(FAULTS[name].elsewhere) <= set(re.findall(r"`(tests/[^`]+)`", shown_by)), name


def test_the_counts_are_written_between_their_marks_and_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "faults.md"
    path.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    totals = Totals(seeds=1234, steps=5678, fired=Counter({"drop reply": 4321}))
    report.write(path, totals)
    report.write(path, totals)
    before, after = (p.read_text(encoding="utf-8") for p in (DOCUMENT, path))
    assert "1,234 seeds, 5,678 steps" in after and "| F2 | 4,321 | drop reply 4321 |" in after
    assert after.partition(report.BEGIN)[0] == before.partition(report.BEGIN)[0]
    assert after.partition(report.END)[2] == before.partition(report.END)[2]
