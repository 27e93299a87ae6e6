# SPDX-License-Identifier: Apache-2.0
"""The closed months that a new one can still change: their files, what the last of them had seen, with which rates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hub.settlement.county.columns import FUNDS
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.parameters import digest
from hub.settlement.inputs import month_named, number_of
from hub.settlement.month import COUNTY
from schema import period
from schema.parameter import Parameters

SEEN = "seen"  # in a period's controls: the feed number up to which its run had seen the register
RATES = "rates"  # in a file: a hash of the rates it knew of each month in its reach
Payee = tuple[bytes, int]


@dataclass(frozen=True)
class Earlier:
    """Months by their numbers, the last one last. `held`: by month, who was taken out on the day of payment."""

    paths: dict[int, Path]
    key: bytes
    seen: int
    held: dict[int, set[Payee]]

    @property
    def last(self) -> int:
        return max(self.paths)

    def open(self, number: int) -> MonthFile:
        """A month's file; the caller closes it."""
        return MonthFile(self.paths[number], self.key)

    def files(self) -> Iterator[tuple[int, MonthFile]]:
        """Each in turn, closed when the next one is asked for."""
        for number in sorted(self.paths):
            with self.open(number) as file:
                yield number, file

    def with_held(self) -> Iterator[tuple[int, MonthFile, set[Payee]]]:
        """The same, with who was taken out."""
        for number, file in self.files():
            yield number, file, self.held.get(number, set())


def of(db: Any, settled: str, known_on: date, parameters: Parameters, folder: Path, key: bytes) -> Earlier | None:
    """Those before that month; None before the first."""
    first = period.add_months(settled, -reach(settled, known_on, parameters))
    rows = db.execute(
        "SELECT r.month, r.file, p.controls FROM month_run r JOIN period p ON p.run_id = r.run_id "
        "WHERE p.month = r.month AND p.scheme = ? AND p.month < ? AND p.month >= ? ORDER BY p.month",
        (COUNTY, settled, first),
    ).fetchall()
    if not rows:
        return None
    held: dict[int, set[Payee]] = {}
    for month, person, fund in db.execute("SELECT month, person_id, fund FROM month_held"):
        held.setdefault(number_of(month), set()).add((bytes(person), FUNDS.index(fund)))
    paths = {number_of(row["month"]): folder / row["file"] for row in rows}
    return Earlier(paths, key, json.loads(rows[-1]["controls"])[SEEN], held)


def reach(settled: str, known_on: date, parameters: Parameters) -> int:
    """How many months back late work is worked out."""
    return parameters.at("contribution/late_work_months", period.first_day(settled), known_on).number


def digests(settled: str, known_on: date, parameters: Parameters) -> dict[str, str]:
    """For each month that the next one can still change: its rates as known now, as a hash."""
    number, count = number_of(settled), reach(settled, known_on, parameters)
    return {month_named(n): digest(n, known_on, parameters) for n in range(number - count, number + 1)}


def with_other_rates(earlier: Earlier, known_on: date, parameters: Parameters) -> set[int]:
    """Months whose rates were published, or corrected, after the last month knew them."""
    with earlier.open(earlier.last) as file:
        known = file.about().get(RATES, {})
    now = {number: digest(number, known_on, parameters) for number in earlier.paths}
    return {number for number, rates in now.items() if known.get(month_named(number), rates) != rates}
