# SPDX-License-Identifier: Apache-2.0
"""What is due for the month: the base within its limits times each rate; 110 % of last month where nobody declared."""

from __future__ import annotations

import numpy as np

from hub.settlement.county.columns import (
    AMOUNTS,
    FLEXIBLE,
    Assessed,
    Contributors,
    Ints,
    Lines,
    Rates,
    Units,
)

PENSION, MEDICAL, OTHERS = 1, 2, 4
_BIT_OF = (PENSION, PENSION, MEDICAL, MEDICAL, OTHERS, OTHERS, OTHERS, MEDICAL)
TEN_THOUSAND, MILLION = 10_000, 1_000_000


def half_up(numerator: Ints, denominator: int) -> Ints:
    """To the nearest whole number, halves away from zero; for numerators that are not negative."""
    return (numerator + denominator // 2) // denominator


def assess(people: Contributors, units: Units, month: int, rates: Rates) -> tuple[Assessed, Lines]:
    """The assessment, and the same as lines that can be paid."""
    base = np.clip(people.wage, rates.floor, rates.cap)
    declared = (units.declared[people.unit] == 1) | _new_there(people)
    flexible = people.kind == FLEXIBLE
    amounts = {}
    for place, name in enumerate(AMOUNTS):
        due = half_up(base * rates.employee[place], TEN_THOUSAND)
        if name == "work_injury":
            due = half_up(base * units.injury_rate[people.unit], MILLION)
        own = _of_flexible(name, base, rates)
        due = np.where(flexible, own, due)
        estimated = half_up(getattr(people, f"last_{name}") * rates.undeclared_percent, 100)
        due = np.where(declared, due, estimated)
        amounts[name] = np.where(people.covered & _BIT_OF[place] != 0, due, 0)
    assessed = Assessed(person=people.person, unit=people.unit, base=np.where(declared, base, 0), **amounts)
    same = np.full(len(people), month, np.int64)
    credit = np.where(flexible, _account_part(amounts, base, rates), amounts["pension_employee"])
    lines = Lines(
        unit=people.unit, month=same, billed=same, person=people.person, **amounts, credit_pension=credit,
        credit_medical=np.where(flexible, 0, amounts["medical_employee"]), months=(credit > 0).astype(np.int64),
    )  # fmt: skip
    return assessed, lines


def _new_there(people: Contributors) -> np.ndarray:
    """Who had nothing due there last month: 110 % of nothing insures for nothing, and the joining declared a wage."""
    return sum((getattr(people, f"last_{name}") for name in AMOUNTS), np.zeros(len(people), np.int64)) == 0


def _of_flexible(name: str, base: Ints, rates: Rates) -> Ints:
    """A flexible worker pays one share of pension and of medical, all of it the person's own."""
    rate = {"pension_employee": rates.flexible_pension, "medical_employee": rates.flexible_medical}.get(name, 0)
    return half_up(base * rate, TEN_THOUSAND)


def _account_part(amounts: dict[str, Ints], base: Ints, rates: Rates) -> Ints:
    """Of a flexible worker's pension contribution 8 % of the base go to the account, and never more than was due."""
    return np.minimum(half_up(base * rates.account, TEN_THOUSAND), amounts["pension_employee"])
