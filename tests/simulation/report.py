# SPDX-License-Identifier: Apache-2.0
"""The counts of a run in docs/faults.md: figures there are written by the program that counted, never by hand."""

from __future__ import annotations

from pathlib import Path

from tests.simulation import faults
from tests.simulation.campaign import Totals

BEGIN, END = "<!-- counts: begin -->", "<!-- counts: end -->"


def write(path: Path, totals: Totals) -> None:
    """Put the counts between the two marks of the document. Raises ValueError when it has no marks."""
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise ValueError(f"{path} has no place for counts")
    path.write_text(f"{head}{BEGIN}\n{section(totals)}{END}{tail}", encoding="utf-8")


def section(totals: Totals) -> str:
    """The counts as Markdown."""
    lines = [
        f"{totals.seeds:,} seeds, {totals.steps:,} steps, {totals.sessions:,} sessions, {totals.edits:,} edits, "
        f"{totals.conflicts:,} conflicts that had to be on record; {len(totals.broken)} broken promises; "
        f"{totals.cpu_s / 60:,.0f} minutes of CPU.",
        "", "| fault | times | of which |", "|---|---:|---|",
    ]  # fmt: skip
    lines += [
        f"| {name} | {times:,} | {counters} |" for name, _, times, counters in faults.table(totals.fired) if counters
    ]
    return "\n".join(lines) + "\n"
