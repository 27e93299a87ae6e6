# SPDX-License-Identifier: Apache-2.0
"""The late work of a month as inputs of it: who is touched, what differs, in the month's own numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.settlement.county import late_benefits, late_work, touched
from hub.settlement.county.columns import FUND_OF_KIND, Adjustments, Corrections, Payees
from hub.settlement.county.earlier import Earlier, with_other_rates
from hub.settlement.county.late_benefits import Correction
from hub.settlement.county.late_work import Differences, Known


@dataclass(frozen=True)
class Late:
    """What closed months differ by. Persons who were erased since have nothing: there is nobody to credit or to ask."""

    differences: Differences
    corrected: list[Correction]

    def payers(self, person_no: dict[bytes, int]) -> set[bytes]:
        """Those whose bills change."""
        rows = self._kept(person_no)
        return {self.differences.units[n] for n in np.unique(rows.unit).tolist()}

    def _kept(self, person_no: dict[bytes, int]) -> Adjustments:
        rows, persons = self.differences.rows, self.differences.persons
        return rows.take(np.array([persons[n] in person_no for n in rows.person.tolist()], bool))

    def adjustments(self, person_no: dict[bytes, int], unit_no: dict[bytes, int], billed: int | None) -> Adjustments:
        """In the numbers of the month. `billed`: the bill it is first in; None: each month's own."""
        rows, found = self._kept(person_no), self.differences
        moved = Adjustments(**dict(rows.columns()) | {
            "person": np.array([person_no[found.persons[n]] for n in rows.person.tolist()], np.int64),
            "unit": np.array([unit_no[found.units[n]] for n in rows.unit.tolist()], np.int64),
            "billed": rows.month if billed is None else np.full(len(rows), billed, np.int64),
        })  # fmt: skip
        return moved.take(np.lexsort((moved.person, moved.month, moved.unit)))

    def corrections(self, person_no: dict[bytes, int]) -> Corrections:
        """In the numbers of the month."""
        rows = sorted((person_no[person], *rest) for person, *rest in self.corrected if person in person_no)
        if not rows:
            return Corrections.empty()
        return Corrections(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


def of(db: Any, before: Earlier | None, payees: Payees, persons: list[bytes], known: Known) -> Late:
    """Nothing before the first month."""
    if before is None:
        return Late(Differences([], []), [])
    other = with_other_rates(before, known.on, known.parameters)
    known = Known(known.on, known.parameters, known.industries, known.declarations, frozenset(other))
    with before.open(before.last) as last:
        work = set(last.who().persons) if other else touched.contributors(db, before.seen, last)
        held = before.held.get(before.last, set())
        drawing = touched.payees(db, before.seen, last, payees, persons, held)
    return Late(
        late_work.contributions(db, before.files(), work, known),
        late_benefits.corrections(db, before.with_held(), drawing, FUND_OF_KIND),
    )  # fmt: skip
