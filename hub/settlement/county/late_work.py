# SPDX-License-Identifier: Apache-2.0
"""Late work: every closed month in reach is worked out again for those whose register rows changed, and the difference
to what was booked for it so far (first, and by earlier adjustments) is booked with the month that is settled now.

What the register keeps with its months (work, declared amounts, relations, deaths) counts as it is known now. What it
keeps without (a wage nobody declared, a relation that rests, an industry) counts for a closed month as that month saw
it: otherwise today's state would rewrite years.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from hub.settlement.county import booked
from hub.settlement.county.adjusting import CREDITS
from hub.settlement.county.assessing import OTHERS, assess
from hub.settlement.county.booked import Booked, Places
from hub.settlement.county.columns import (
    AMOUNTS,
    EMPLOYEE,
    FLEXIBLE,
    Adjustments,
    Contributors,
    Ints,
    Lines,
    Rates,
    Table,
    Units,
)
from hub.settlement.county.grouping import starts_of, sums_at
from hub.settlement.county.industries import Industries
from hub.settlement.county.insured import Bases, Declarations, Insured, alone, insured, left
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.parameters import rates_of
from hub.settlement.inputs import month_named
from schema.parameter import Parameters

VALUES = (*AMOUNTS, *CREDITS)


@dataclass(frozen=True)
class Known:
    """What working out a month again needs: the day, the parameters, rates of work injury, declarations.

    `other_rates`: months whose rates the last month did not know as they are.
    """

    on: date
    parameters: Parameters
    industries: Industries
    declarations: Declarations
    other_rates: frozenset[int] = frozenset()


@dataclass
class Differences:
    """What closed months differ by, in places of `persons` and `units`; `billed` is still the month itself."""

    persons: list[bytes]
    units: list[bytes]
    rows: Adjustments = field(default_factory=Adjustments.empty)


def contributions(db: Any, files: Iterator[tuple[int, MonthFile]], touched: set[bytes], known: Known) -> Differences:
    """For these persons, over these months."""
    if not touched:
        return Differences([], [])
    persons, places = sorted(touched), Places()
    found = [booked.contributions(file, number, persons, places) for number, file in files]
    months = [month_named(month.number) for month in found]
    work = _Work(db, persons, known)
    by_month: dict[str, list[Insured]] = {month: [] for month in months}
    for row in insured(db, months, persons):
        by_month[row.month].append(row)
    parts: list[tuple[int, Table]] = []
    for month in found:
        rates = rates_of(month.number, known.on, known.parameters)
        parts.append((-1, month.lines(rates)))
        parts.append((-1, month.adjustments))
        parts.append((1, work.due(month, by_month[month_named(month.number)], places, rates)))
    return Differences(persons, places.units, _differing(parts, {month.number for month in found}))


class _Work:
    """What is due of these persons by what is known now."""

    def __init__(self, db: Any, persons: list[bytes], known: Known) -> None:
        self._known, self._persons = known, {person: place for place, person in enumerate(persons)}
        self._bases = Bases(db, persons)
        self._left = left(db, persons)

    def due(self, month: Booked, rows: list[Insured], places: Places, rates: Rates) -> Lines:
        """The month's lines."""
        columns = {name: values.tolist() for name, values in month.contributors.columns()}
        seen = {
            (unit, person): place
            for place, (unit, person) in enumerate(zip(columns["unit"], columns["person"], strict=True))
        }
        people = []
        for row in rows:
            unit, person = places.of(row.unit or row.person), self._persons[row.person]
            at = seen.get((unit, person))
            then = None if at is None else {name: values[at] for name, values in columns.items()}
            covered = _employed(row, then) if row.unit else self._alone(row, then)
            if covered:
                last = [then[f"last_{name}"] if then else 0 for name in AMOUNTS]
                kind = EMPLOYEE if row.unit else FLEXIBLE
                people.append((person, unit, self._wage(row, then), kind, covered, *last))
        table = Contributors(*(np.array(c, np.int64) for c in zip(*people, strict=True))) if people else None
        units = self._units(month, places, table)
        return assess(table or Contributors.empty(), units, month.number, rates)[1]

    def _wage(self, row: Insured, then: dict[str, int] | None) -> int:
        declared = self._bases.at(row.unit, row.person, row.month)
        return declared[1] if declared else then["wage"] if then else row.wage

    def _alone(self, row: Insured, then: dict[str, int] | None) -> int:
        """Who paid alone that month, did; nobody else pays alone for a past month without having said so."""
        if then is not None:
            return then["covered"] & (row.covered | row.resting)
        return alone(row, self._bases, self._left)

    def _units(self, month: Booked, places: Places, people: Contributors | None) -> Units:
        known, count = self._known, len(places.units)
        rates, declared = np.zeros(count, np.int64), np.ones(count, np.int64)
        for place in np.unique(people.unit).tolist() if people else []:
            now = known.industries.rate_of(places.units[place], month.number)
            rates[place] = now if month.number in known.other_rates else month.injury_rates.get(place, now)
            declared[place] = known.declarations.hold(places.units[place], month_named(month.number))
        nothing = np.zeros(count, np.int64)
        return Units(np.arange(count), rates, declared, *[nothing] * 4)


def _employed(row: Insured, then: dict[str, int] | None) -> int:
    """What holds, and what rests now and held when that month was settled."""
    return row.covered | (then["covered"] & (row.resting | OTHERS) if then and row.resting else 0)


def _differing(parts: list[tuple[int, Any]], months: set[int]) -> Adjustments:
    """All parts with their signs, summed by (unit, month, person); what comes to nothing is left out."""

    def column(name: str, sign: bool) -> Ints:
        return np.concatenate([getattr(table, name) * (factor if sign else 1) for factor, table in parts])

    unit, month, person = (column(name, False) for name in ("unit", "month", "person"))
    order = np.lexsort((person, month, unit))
    order = order[np.isin(month[order], list(months))]
    unit, month, person = unit[order], month[order], person[order]
    first = starts_of(unit, month, person)
    sums = {name: sums_at(column(name, True)[order], first) for name in VALUES}
    found = Adjustments(unit=unit[first], month=month[first], billed=month[first], person=person[first], **sums)
    differs = np.zeros(len(found), bool)
    for values in sums.values():
        differs |= values != 0
    return found.take(differs)
