# SPDX-License-Identifier: Apache-2.0
"""排练: a month computed on what the register says now, with nothing written, beside the last real month: by township,
fund and reason, and the persons and payers whom it changes most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hub.settlement.county import controls, kernel, listing
from hub.settlement.county.columns import AMOUNTS, FUND_OF, FUNDS, Ints, Outcome, Who
from hub.settlement.county.controls import Control
from hub.settlement.county.runs import County
from hub.settlement.county.summary import places_of
from hub.settlement.month import COUNTY
from schema.errors import UnknownSubject

DUE, PAID = "due", "paid"
REASONS = ("new", "gone", "more", "less")
OUTLIERS = 20
HUGE = 3  # newly huge: more than so many times as much as last month
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """What changes for the persons of a township in a fund, for one reason. `side`: due or paid."""

    township: str
    fund: str
    side: str
    reason: str
    persons: int
    change_fen: int


@dataclass(frozen=True)
class Outlier:
    """A person or payer. `kind`: biggest change, newly zero, newly huge."""

    kind: str
    who: str
    name: str
    side: str
    last_fen: int
    now_fen: int


@dataclass(frozen=True)
class Rehearsal:
    """A month that was not real. `last`: the real one that it is beside, '' when there is none."""

    month: str
    last: str
    rows: list[Row]
    outliers: list[Outlier]
    controls: list[Control]
    totals: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """For scripts, and as the export."""
        return asdict(self)


def rehearse(county: County, settled: str, tell: Progress = lambda step: None) -> Rehearsal:
    """Compute the month on a read of the register. Raises WrongState (code `out_of_range`), StoreError."""
    with county.store.read() as db:
        tell("freeze")
        frozen, rates = county.freeze(db, settled)
        last = db.execute(
            "SELECT max(month) FROM period WHERE scheme = ? AND month < ?", (COUNTY, settled)
        ).fetchone()[0]  # fmt: skip
        places = places_of(db, frozen.who.persons)
    tell("compute")
    outcome = kernel.settle(frozen.inputs, rates)
    tell("compare")
    now, then = _Figures(outcome, frozen.who), _of_last(county, last)
    rows = _by_reason(now, then, places)
    outliers = _outliers(county, now, then)
    totals = {f"{side}_fen": int(now.of_person(side).sum()) for side in (DUE, PAID)}
    return Rehearsal(settled, last or "", rows, outliers, controls.of_month(frozen.inputs, outcome), totals)


class _Figures:
    """Of each person by side and fund, of each payer in all."""

    def __init__(self, outcome: Outcome, who: Who) -> None:
        self.who, self.persons = who, {}
        count, due = len(who.persons), outcome.assessed
        for fund in FUNDS:
            owed, paid = np.zeros(count, np.int64), np.zeros(count, np.int64)
            for name, of in zip(AMOUNTS, FUND_OF, strict=True):
                if of == fund:
                    np.add.at(owed, due.person, getattr(due, name))
            mine = outcome.payments.kind == FUNDS.index(fund)
            given = outcome.payments.pool + outcome.payments.account
            np.add.at(paid, outcome.payments.person[mine], given[mine])
            self.persons[DUE, fund], self.persons[PAID, fund] = owed, paid
        self.payers = np.zeros(len(who.units), np.int64)
        for name in AMOUNTS:
            np.add.at(self.payers, due.unit, getattr(due, name))

    def of_person(self, side: str) -> Ints:
        """Of each person over all funds."""
        return sum((self.persons[side, fund] for fund in FUNDS), np.zeros(len(self.who.persons), np.int64))


def _of_last(county: County, last: str | None) -> _Figures | None:
    if not last:
        return None
    try:
        with county.open(last) as file:
            return _Figures(file.outcome(), file.who())
    except UnknownSubject:
        return None


def _beside(ids: list[bytes], then_ids: list[bytes], then: Ints) -> Ints:
    """The other month's figures in this month's order."""
    at = dict(zip(then_ids, then.tolist(), strict=True))
    return np.fromiter((at.get(id_, 0) for id_ in ids), np.int64, len(ids))


def _by_reason(now: _Figures, then: _Figures | None, places: list[str]) -> list[Row]:
    codes, place = np.unique(np.array(places or [""]), return_inverse=True)
    rows = []
    for (side, fund), values in now.persons.items():
        zero = np.zeros(len(values), np.int64)
        last = zero if then is None else _beside(now.who.persons, then.who.persons, then.persons[side, fund])
        change = values - last
        masks = ((last == 0) & (values > 0), (last > 0) & (values == 0), (last > 0) & (change > 0),
                 (values > 0) & (change < 0))  # fmt: skip
        for reason, mask in zip(REASONS, masks, strict=True):
            for code in np.unique(place[: len(values)][mask]).tolist():
                mine = mask & (place[: len(values)] == code)
                rows.append(Row(str(codes[code]), fund, side, reason, int(mine.sum()), int(change[mine].sum())))
    return sorted(rows, key=lambda row: (row.township, FUNDS.index(row.fund), row.side, REASONS.index(row.reason)))


def _outliers(county: County, now: _Figures, then: _Figures | None) -> list[Outlier]:
    if then is None:
        return []
    found: list[tuple[str, str, bytes, int, int]] = []
    groups: list[tuple[str, list[bytes], Ints, Ints]] = [
        ("payer", now.who.units, now.payers, _beside(now.who.units, then.who.units, then.payers))
    ]
    for side in (DUE, PAID):
        last = _beside(now.who.persons, then.who.persons, then.of_person(side))
        groups.append((side, now.who.persons, now.of_person(side), last))
    for side, ids, values, last in groups:
        masks = {"biggest": values != last, "zero": (last > 0) & (values == 0), "huge": values > HUGE * last}
        for kind, mask in masks.items():
            places = np.flatnonzero(mask & (last > 0))
            most = places[np.argsort(-np.abs(values - last)[places], kind="stable")[:OUTLIERS]]
            found += [(kind, side, ids[n], int(last[n]), int(values[n])) for n in most.tolist()]
    with county.store.read() as db:
        said = listing.payers(db, sorted({row[2] for row in found}))
    return [
        Outlier(kind, "payer" if side == "payer" else "person", said.get(id_, {}).get("name", ""),
                DUE if side == "payer" else side, last, value)
        for kind, side, id_, last, value in found
    ]  # fmt: skip
