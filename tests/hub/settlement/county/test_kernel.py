# SPDX-License-Identifier: Apache-2.0
"""The county's month against a second reckoning in exact fractions, person by person, and against itself in SQL."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.settlement.county import controls, engines, kernel, merkle, verify
from hub.settlement.county.columns import AMOUNTS, Inputs, Lines, Outcome, Rates
from schema.errors import WrongState
from tests.hub.settlement.county.months import MONTH, county, rates

COVERED_BY = dict(zip(AMOUNTS, (1, 1, 2, 2, 4, 4, 4, 2), strict=True))


def half_up(value: Fraction) -> int:
    """As a clerk rounds."""
    return int(value + Fraction(1, 2))


def due_of(row: dict[str, int], unit: dict[str, int], r: Rates) -> dict[str, int]:
    """One person's month by the words of the law."""
    base = min(max(row["wage"], r.floor), r.cap)
    out = {}
    for place, name in enumerate(AMOUNTS):
        share = Fraction(r.employee[place], 10_000)
        if name == "work_injury":
            share = Fraction(unit["injury_rate"], 1_000_000)
        if row["kind"] == 1:
            own = {"pension_employee": r.flexible_pension, "medical_employee": r.flexible_medical}.get(name, 0)
            share = Fraction(own, 10_000)
        declared = unit["declared"] or not any(row[f"last_{n}"] for n in AMOUNTS)
        exact = base * share if declared else Fraction(row[f"last_{name}"] * r.undeclared_percent, 100)
        out[name] = half_up(exact) if row["covered"] & COVERED_BY[name] else 0
    return out


def rows_of(table: Any) -> list[dict[str, int]]:
    """A table as dicts."""
    columns = {name: values.tolist() for name, values in table.columns()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def by_hand(inputs: Inputs, r: Rates) -> dict[tuple[int, int, int], dict[str, int]]:
    """(unit, month, person) -> what stays unpaid of each amount: bills in order, shares in exact fractions."""
    units = rows_of(inputs.units)
    lines = {(o["unit"], o["month"], o["person"]): {n: o[n] for n in AMOUNTS} for o in rows_of(inputs.arrears)}
    for row in rows_of(inputs.contributors):
        lines[row["unit"], MONTH, row["person"]] = due_of(row, units[row["unit"]], r)
    unpaid: dict[tuple[int, int, int], dict[str, int]] = {}
    for unit in units:
        money = unit["carried"] + unit["received"]
        for month in sorted({m for u, m, _ in lines if u == unit["unit"]}):
            bill = {p: lines[u, m, p] for u, m, p in lines if (u, m) == (unit["unit"], month)}
            owed = {p: sum(amounts.values()) for p, amounts in bill.items()}
            total = sum(owed.values())
            paid = min(money, total)
            money -= paid
            exact = {p: Fraction(paid * owed[p], total) if total else Fraction(0) for p in bill}
            share = {p: int(exact[p]) for p in bill}
            rest = sorted(bill, key=lambda p: (-(exact[p] - share[p]), p))[: paid - sum(share.values())]
            for p in rest:
                share[p] += 1
            for p, amounts in bill.items():
                left = {}
                for name in AMOUNTS:
                    taken = min(share[p], amounts[name])
                    share[p] -= taken
                    left[name] = amounts[name] - taken
                if any(left.values()):
                    unpaid[unit["unit"], month, p] = left
    return unpaid


@pytest.fixture(scope="module")
def month() -> tuple[Inputs, Outcome]:
    inputs = county(2_000, seed=5, late=False)
    return inputs, kernel.settle(inputs, rates())


@pytest.fixture(scope="module")
def late_month() -> tuple[Inputs, Outcome]:
    inputs = county(2_000, seed=5)
    return inputs, kernel.settle(inputs, rates())


def test_every_amount_of_every_person_is_what_the_law_says(month: tuple[Inputs, Outcome]) -> None:
    inputs, outcome = month
    units = rows_of(inputs.units)
    assessed = [{n: row[n] for n in AMOUNTS} for row in rows_of(outcome.assessed)]
    assert assessed == [due_of(row, units[row["unit"]], rates()) for row in rows_of(inputs.contributors)]


def test_money_goes_where_exact_fractions_put_it(month: tuple[Inputs, Outcome]) -> None:
    inputs, outcome = month
    unpaid = {(r["unit"], r["month"], r["person"]): {n: r[n] for n in AMOUNTS} for r in rows_of(outcome.unpaid)}
    assert unpaid
    assert len(inputs.arrears)
    assert unpaid == by_hand(inputs, rates())


def test_all_controls_hold(late_month: tuple[Inputs, Outcome]) -> None:
    found = controls.of_month(*late_month)
    assert {c.name for c in found if not c.holds} == set()
    assert all(c.left for c in found if c.name not in ("fees_booked", "suspense_booked"))


def test_a_month_that_does_not_balance_is_named(month: tuple[Inputs, Outcome]) -> None:
    inputs, outcome = month
    outcome.payers.allocated[3] += 1
    try:
        with pytest.raises(WrongState) as refused:
            controls.require(controls.of_month(inputs, outcome))
    finally:
        outcome.payers.allocated[3] -= 1
    assert refused.value.code == "controls"
    assert "单位分配合计" in refused.value.zh


def test_a_changed_fen_changes_the_root(month: tuple[Inputs, Outcome]) -> None:
    _, outcome = month
    before = merkle.root(outcome.tables())
    outcome.postings.pension[-1] += 1
    changed = merkle.root(outcome.tables())
    outcome.postings.pension[-1] -= 1
    assert changed != before == merkle.root(outcome.tables())


def one_line(month: int = MONTH, **amounts: int) -> Lines:
    """One person's arrears at the first unit."""
    values = {"unit": 0, "month": month, "billed": month, "person": 0} | amounts
    return Lines(**{name: np.array([values.get(name, 0)], np.int64) for name in Lines.names()})


def test_arrears_give_their_credit_and_their_month_when_they_are_paid() -> None:
    inputs = county(300, seed=2, arrears=False, late=False)
    line = one_line(MONTH - 2, pension_employer=700, credit_pension=800, months=1)
    owing = Inputs(MONTH, inputs.contributors, inputs.units, line, inputs.accounts, inputs.payees)
    owing.units.received[0] = 0
    owing.units.carried[0] = 699
    short = kernel.settle(owing, rates())
    owing.units.carried[0] = 700
    paid = kernel.settle(owing, rates())

    def of_first(outcome: Outcome) -> tuple[int, int]:
        return int(outcome.postings.credit_pension[0]), int(outcome.postings.months[0])

    assert of_first(short) == (0, 0)
    assert of_first(paid) == (800, 1)
    assert (MONTH - 2) in short.unpaid.month.tolist()
    assert (MONTH - 2) not in paid.unpaid.month.tolist()


def test_two_late_fee_rates_within_one_arrears_are_split_by_days() -> None:
    """10,000 yuan due before 2011-07-01 and paid after: 2 per mille a day up to it, 0.5 per mille from it on."""
    inputs = county(300, seed=2, arrears=False, late=False)
    due_day = date(2011, 6, 11).toordinal()
    inputs.units.received[0] = 10_000_00 + 1_000_00
    inputs.units.received_on[0] = date(2011, 7, 21).toordinal()
    lines = one_line(2011 * 12 + 4, work_injury=10_000_00)
    outcome = kernel.settle(
        Inputs(MONTH, inputs.contributors.take(inputs.contributors.unit > 0), inputs.units, lines, inputs.accounts,
               inputs.payees), rates(),
    )  # fmt: skip
    days_before, days_after = date(2011, 7, 1).toordinal() - due_day, 20
    expected = 10_000_00 * (days_before * 20 + days_after * 5) // 10_000
    assert outcome.bills.late_fee[0] == expected == 50_000
    assert outcome.payers.late_fee[0] == expected
    assert outcome.payers.suspense[0] == 1_000_00 - expected


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(persons=st.integers(120, 700), seed=st.integers(0, 2**32 - 1))
def test_sql_and_columns_agree_row_for_row(persons: int, seed: int) -> None:
    inputs = county(persons, seed)
    outcome = kernel.settle(inputs, rates())
    with engines.opened("sqlite") as engine:
        again = verify.recompute(inputs, rates(), engine)
    found = verify.compare(outcome, merkle.root(outcome.tables()), again)
    assert (found.agrees, found.differing) == (True, ())


@pytest.mark.parametrize("table, column", [("contributors", "last_maternity"), ("units", "received"),
                                           ("payees", "pool"), ("accounts", "pension")])  # fmt: skip
@pytest.mark.parametrize("value", [-2, 2**62])
def test_numbers_that_could_overflow_are_refused_by_name(table: str, column: str, value: int) -> None:
    inputs = county(300, seed=4)
    getattr(getattr(inputs, table), column)[0] = value
    with pytest.raises(WrongState) as refused:
        kernel.settle(inputs, rates())
    assert refused.value.code == "out_of_range"
    assert column in refused.value.en
