# SPDX-License-Identifier: Apache-2.0
"""The month once more, by plain SQL: another way to the same result, on a database of one's choice.

Two ways that agree row for row are stronger evidence than any number of tests, and the second one is how a county that
has outgrown one machine goes on: the steps in `sql/` run on PostgreSQL, and through it on many machines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hub.settlement.county import engines, merkle
from hub.settlement.county.columns import AMOUNTS, Inputs, Outcome, Rates
from hub.settlement.county.late_fees import due_on
from hub.settlement.county.month_file import RESULTS
from hub.settlement.county.ranges import check

STEPS = sorted((Path(__file__).parent / "sql").glob("*.sql"))
_ORDER = {
    "assessed": "unit, person", "bills": "unit, month, billed", "payers": "unit",
    "unpaid": "unit, month, billed, person", "postings": "person", "payments": "person, kind",
    "ledger": "fund, event, unit, debit, credit, amount", "adjusted": "unit, month, person",
    "recoveries": "person, kind",
}  # fmt: skip
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Verified:
    """What the second way came to. `differing`: tables whose rows are not the same."""

    root: str
    agrees: bool
    differing: tuple[str, ...]


def recompute(inputs: Inputs, rates: Rates, engine: engines.Engine, tell: Progress = lambda step: None) -> Outcome:
    """The month by the SQL steps. Raises WrongState (code `out_of_range`) for what would overflow."""
    check(inputs, rates)
    for name, table in inputs.tables().items():
        tell(name)
        engines.load_table(engine, name, table)
    _load_rates(engine, inputs, rates)
    for step in STEPS:
        tell(step.stem)
        engine.run(step.read_text(encoding="utf-8"))
    results = {}
    for name, form in RESULTS.items():
        columns = engine.fetch(f"SELECT {', '.join(form.names())} FROM {name} ORDER BY {_ORDER[name]}")
        results[name] = form(*columns)
    return Outcome(**results)  # type: ignore[arg-type]


def compare(first: Outcome, root: str, second: Outcome) -> Verified:
    """Whether both ways agree, and where not."""
    roots = {name: merkle.table_root(name, table) for name, table in first.tables().items()}
    differing = tuple(n for n, table in second.tables().items() if merkle.table_root(n, table) != roots[n])
    found = merkle.root(second.tables())
    return Verified(found, found == root and not differing, differing)


def _load_rates(engine: engines.Engine, inputs: Inputs, rates: Rates) -> None:
    days = rates.fee_from + np.arange(len(rates.fee_points))
    numbers = dict(zip(AMOUNTS, rates.employee, strict=True)) | {
        "month": inputs.month, "floor": rates.floor, "cap": rates.cap, "flexible_pension": rates.flexible_pension,
        "flexible_medical": rates.flexible_medical, "account": rates.account, "fee_from": rates.fee_from,
        "fee_to": int(days[-1]), "undeclared_percent": rates.undeclared_percent,
        "fee_cap_percent": rates.fee_cap_percent, "recovery_percent": rates.recovery_percent,
    }  # fmt: skip
    engine.load("rates", {name: np.array([value], np.int64) for name, value in numbers.items()})
    engine.load("fee_points", {"day": days, "points": rates.fee_points})
    months = np.unique(np.concatenate((inputs.arrears.billed, inputs.adjustments.billed, [inputs.month])))
    default = np.array([due_on(int(month), rates.due_day) for month in months], np.int64)
    place = np.clip(default - rates.fee_from, 0, len(days) - 1)
    engine.load("default_day", {"month": months, "points": rates.fee_points[place]})
