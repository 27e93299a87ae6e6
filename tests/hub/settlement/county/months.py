# SPDX-License-Identifier: Apache-2.0
"""Synthetic months of any size, drawn by a seed: units of very different sizes, most of which pay exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from hub.settlement.county.adjusting import CREDITS
from hub.settlement.county.columns import (
    AMOUNTS,
    NO_END,
    Accounts,
    Adjustments,
    Claims,
    Contributors,
    Corrections,
    Inputs,
    Lines,
    Payees,
    Rates,
    Units,
)
from hub.settlement.county.grouping import sums_at
from hub.settlement.county.kernel import settle

MONTH = 2026 * 12 + 10  # November 2026
FEE_FROM = date(2009, 1, 1).toordinal()


def rates() -> Rates:
    """The rates that the parameters give for a month of 2026, written down once more."""
    days = np.arange(FEE_FROM, date(2031, 1, 1).toordinal())
    daily = np.where(days < date(2011, 7, 1).toordinal(), 20, 5)
    return Rates(
        floor=498_600, cap=2_493_000, employee=(800, 1600, 200, 550, 50, 50, 0, 50), flexible_pension=2000,
        flexible_medical=900, account=800, undeclared_percent=110, fee_from=FEE_FROM,
        fee_points=np.concatenate(([0], np.cumsum(daily)[:-1])), fee_cap_percent=100, due_day=10,
        recovery_percent=20,
    )  # fmt: skip


def county(persons: int, seed: int = 1, *, arrears: bool = True, late: bool = True) -> Inputs:
    """A month of a county of that many insured: 83 % contribute, 16 % draw a pension, as in the measurements.

    `late`: one in a hundred has late work about one of three earlier months.
    """
    rng = np.random.default_rng(seed)
    working, payees = round(persons * 0.828), round(persons * 0.16)
    units = max(3, persons // 100)
    weights = rng.lognormal(0, 1.25, units)
    unit = np.sort(rng.choice(units, working, p=weights / weights.sum())).astype(np.int64)
    person = np.arange(working, dtype=np.int64)
    wage = np.maximum(200_000, (rng.lognormal(0, 0.4, working) * 620_000).astype(np.int64) // 10_000 * 10_000)
    kind = (unit >= units - units // 20).astype(np.int64)
    covered = rng.choice([7, 7, 7, 7, 3, 1], working).astype(np.int64)
    last = {f"last_{name}": rng.integers(0, 200_000, working) for name in AMOUNTS}
    contributors = Contributors(person=person, unit=unit, wage=wage, kind=kind, covered=covered, **last)
    nothing = np.zeros(units, np.int64)
    declared = (rng.random(units) > 0.02).astype(np.int64)
    flexible = np.zeros(units, bool)
    flexible[unit[kind == 1]] = True
    blank = Units(
        unit=np.arange(units), injury_rate=rng.choice([2000, 4000, 7000, 9000, 11000, 13000, 16000, 19000], units),
        declared=np.where(flexible, 1, declared), carried=nothing, received=nothing,
        received_on=np.full(units, date(2026, 12, 8).toordinal()), fee_owed=nothing,
    )  # fmt: skip
    empty = Inputs(MONTH, contributors, blank, Lines.empty(), _accounts(rng, working), _payees(rng, working, payees))
    owed = _earlier(rng, empty) if arrears else Lines.empty()
    paid = _with_receipts(rng, Inputs(MONTH, contributors, blank, owed, empty.accounts, empty.payees))
    return _with_late_work(rng, paid) if late else paid


def _accounts(rng: np.random.Generator, working: int) -> Accounts:
    have = np.flatnonzero(rng.random(working) < 0.95).astype(np.int64)
    size = len(have)
    return Accounts(
        person=have, pension=rng.integers(0, 20_000_000, size), pension_months=rng.integers(0, 400, size),
        medical=rng.integers(0, 2_000_000, size),
    )  # fmt: skip


def _payees(rng: np.random.Generator, first: int, count: int) -> Payees:
    def mostly(value: int, other: int, share: float) -> np.ndarray:
        return np.where(rng.random(count) < share, value, other).astype(np.int64)

    return Payees(
        person=first + np.arange(count), kind=rng.choice([0, 2, 4], count).astype(np.int64), state=mostly(1, 2, 0.98),
        alive=mostly(1, 0, 0.995), bank=mostly(1, 0, 0.985), paid_through=MONTH - rng.choice([1, 1, 1, 2, 5], count),
        until=mostly(NO_END, MONTH - 1, 0.97),
        pool=rng.integers(15_000, 500_000, count), account=rng.integers(0, 60_000, count),
    )  # fmt: skip


def _earlier(rng: np.random.Generator, inputs: Inputs) -> Lines:
    """Some units owe one to three earlier months, part of them paid."""
    lines = settle(inputs, rates()).unpaid
    share = max(1 / 40, 5 / len(inputs.units))
    late = np.flatnonzero(np.isin(lines.unit, np.flatnonzero(rng.random(len(inputs.units)) < share)))
    found = Lines.empty()
    for ago in (3, 2, 1):
        part = lines.take(late[rng.random(len(late)) < 0.8])
        columns = dict(part.columns()) | {"month": part.month - ago, "billed": part.month - ago}
        found = Lines.joined(found, Lines(**columns))
    return found.take(np.lexsort((found.person, found.month, found.unit)))


def _with_receipts(rng: np.random.Generator, inputs: Inputs) -> Inputs:
    """90 % pay exactly, 2 % too much, 4 % too little, the rest nothing; some had money waiting."""
    bills = settle(inputs, rates()).bills
    first = np.flatnonzero(np.concatenate(([True], bills.unit[1:] != bills.unit[:-1])))
    due = np.zeros(len(inputs.units), np.int64)
    due[bills.unit[first]] = sums_at(bills.due, first)
    share = rng.choice([1000, 1020, 613, 0], len(due), p=[0.9, 0.02, 0.05, 0.03])
    columns = dict(inputs.units.columns()) | {
        "received": due * share // 1000, "carried": np.where(rng.random(len(due)) < 0.03, 12_345, 0),
        "fee_owed": np.where(rng.random(len(due)) < 0.02, 3_333, 0),
    }  # fmt: skip
    return replace(inputs, units=Units(**columns))


def _with_late_work(rng: np.random.Generator, inputs: Inputs) -> Inputs:
    """More or less of some months: of those who still owe them and of others, billed then or now."""
    lines = Lines.joined(inputs.arrears, settle(inputs, rates()).unpaid)
    people = inputs.contributors
    chosen = np.flatnonzero(rng.random(len(people)) < max(0.01, 5 / len(people)))
    ago = rng.integers(1, 4, len(chosen))
    keys = {(u, MONTH - a, p) for u, a, p in zip(people.unit[chosen], ago, people.person[chosen], strict=True)}
    owing = lines.take(rng.random(len(lines)) < 0.05)
    keys |= {key for key in zip(owing.unit, owing.month, owing.person, strict=True) if key[1] < MONTH}
    unit, month, person = (np.array(column, np.int64) for column in zip(*sorted(keys), strict=True))
    size = len(unit)
    amounts = {name: rng.integers(-60_000, 60_000, size) for name in (*AMOUNTS, *CREDITS[:2])}
    adjustments = Adjustments(
        unit=unit, month=month, billed=np.where(rng.random(size) < 0.5, month, MONTH), person=person, **amounts,
        months=rng.integers(-1, 2, size),
    )  # fmt: skip
    payees = inputs.payees
    some = np.flatnonzero(rng.random(len(payees)) < max(0.03, 5 / len(payees)))
    corrections = Corrections(
        person=payees.person[some], kind=payees.kind[some], month=MONTH - rng.integers(1, 24, len(some)),
        pool=rng.integers(-90_000, 90_000, len(some)), account=rng.integers(-9_000, 9_000, len(some)),
    )  # fmt: skip
    owes = np.flatnonzero(rng.random(len(payees)) < max(0.02, 5 / len(payees)))
    claims = Claims(
        person=payees.person[owes], kind=payees.kind[owes], amount=rng.integers(1, 1_500_000, len(owes))
    )  # fmt: skip
    return replace(inputs, adjustments=adjustments, corrections=corrections, claims=claims)
