# SPDX-License-Identifier: Apache-2.0
"""What earlier months booked for some persons, out of their files; persons and units by their place in given lists."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hub.settlement.county.assessing import half_up
from hub.settlement.county.columns import (
    AMOUNTS,
    FLEXIBLE,
    Adjustments,
    Assessed,
    Contributors,
    Corrections,
    Ints,
    Lines,
    Payees,
    Payments,
    Rates,
    Units,
)
from hub.settlement.county.month_file import MonthFile


@dataclass
class Places:
    """Units get places as they come up."""

    units: list[bytes] = field(default_factory=list)
    _of: dict[bytes, int] = field(default_factory=dict)

    def of(self, unit: bytes) -> int:
        """The place of a unit."""
        if unit not in self._of:
            self._of[unit] = len(self.units)
            self.units.append(unit)
        return self._of[unit]


@dataclass(frozen=True)
class Booked:
    """One month: its number, and its tables cut down to the persons, in places. `rates_of_units`: by place."""

    number: int
    contributors: Contributors
    assessed: Assessed
    adjustments: Adjustments
    injury_rates: dict[int, int]

    def lines(self, rates: Rates) -> Lines:
        """What was due, with what it brought to the accounts."""
        a = self.assessed
        flexible = self.contributors.kind == FLEXIBLE
        part = np.minimum(half_up(a.base * rates.account, 10_000), a.pension_employee)
        credit = np.where(flexible, part, a.pension_employee)
        month = np.full(len(a), self.number, np.int64)
        return Lines(
            unit=a.unit, month=month, billed=month, person=a.person, **{name: getattr(a, name) for name in AMOUNTS},
            credit_pension=credit, credit_medical=np.where(flexible, 0, a.medical_employee),
            months=(credit > 0).astype(np.int64),
        )  # fmt: skip


def contributions(file: MonthFile, number: int, persons: list[bytes], places: Places) -> Booked:
    """What the month booked for these persons, who are in order."""
    numbers = file.numbers_of(persons)
    back = _backwards(file, numbers)
    units = file.who().units
    found = [file.rows_among(name, back >= 0) for name in ("contributors", "assessed", "adjustments")]
    place = {n: places.of(units[n]) for table in found for n in np.unique(table.unit).tolist()}  # type: ignore[attr-defined]
    moved = [
        type(table)(**dict(table.columns()) | {
            "person": back[table.person], "unit": np.array([place[n] for n in table.unit.tolist()], np.int64),  # type: ignore[attr-defined]
        })
        for table in found
    ]  # fmt: skip
    rates = file.table("units")
    assert isinstance(rates, Units)
    injury = {places.of(unit): rate for unit, rate in zip(units, rates.injury_rate.tolist(), strict=True)}
    contributors, assessed, adjustments = moved
    assert isinstance(contributors, Contributors)
    assert isinstance(assessed, Assessed)
    assert isinstance(adjustments, Adjustments)
    return Booked(number, contributors, assessed, adjustments, injury)


Benefit = tuple[int, int, int, int, int]


def benefits(file: MonthFile, persons: list[bytes], held: set[tuple[bytes, int]]) -> list[Benefit]:
    """(place of the person, kind, month, pool, account) of all that the month paid, claims it made as minus.

    `held`: (person, kind) that were taken out on the day of payment.
    """
    numbers = file.numbers_of(persons)
    back = _backwards(file, numbers)
    payees, payments, corrections = (file.rows_among(n, back >= 0) for n in ("payees", "payments", "corrections"))
    assert isinstance(payees, Payees)
    assert isinstance(payments, Payments)
    assert isinstance(corrections, Corrections)
    out, reached = [], set()
    columns = (payees.person, payees.kind, payees.paid_through, payees.pool, payees.account, payments.months,
               payments.corrected)  # fmt: skip
    for person, kind, through, pool, account, months, corrected in zip(*(c.tolist() for c in columns), strict=True):
        who = int(back[person])
        if (persons[who], kind) in held:
            continue
        out += [(who, kind, month, pool, account) for month in range(through + 1, through + months + 1)]
        if corrected:
            reached.add((who, kind))
    for person, kind, month, pool, account in zip(*(c.tolist() for _, c in corrections.columns()), strict=True):
        who = int(back[person])
        least = None if (who, kind) in reached else 0
        out.append((who, kind, month, *(value if least is None else min(value, least) for value in (pool, account))))
    return out


def _backwards(file: MonthFile, numbers: Ints) -> Ints:
    """For each person of the file the place in the list, -1 for the others."""
    back = np.full(file.persons(), -1, np.int64)
    there = numbers >= 0
    back[numbers[there]] = np.flatnonzero(there)
    return back
