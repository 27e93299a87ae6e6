# SPDX-License-Identifier: Apache-2.0
"""What the month before left over: arrears, money without a bill, late fees owed, accounts, what was due.

Numbers of persons and units are those of one month's file; the next month has others, so all is looked up by id.
"""

from __future__ import annotations

import numpy as np

from hub.settlement.county.columns import AMOUNTS, Accounts, Claims, Ints, Lines, Outcome, Who
from hub.settlement.county.grouping import found_at
from hub.settlement.county.month_file import MonthFile

_SHIFT = 1 << 32


def read(before: MonthFile | None) -> Leftover:
    """Out of the file of the month before; nothing when there is none."""
    if before is None:
        return Leftover(None, Accounts.empty(), Who([], []))
    accounts = before.table("accounts")
    assert isinstance(accounts, Accounts)
    return Leftover(before.outcome(), accounts, before.who())


class Leftover:
    """Ask for `payers`, `renumber`, then for the rest."""

    def __init__(self, outcome: Outcome | None, accounts: Accounts, who: Who) -> None:
        self._outcome, self._accounts, self._who = outcome, accounts, who
        self._person = self._unit = np.zeros(0, np.int64)
        self.arrears = Lines.empty()

    def payers(self) -> set[bytes]:
        """Who owes something or is owed something, whether or not anybody works there now."""
        if self._outcome is None:
            return set()
        payers = self._outcome.payers
        open_ = set(self._outcome.unpaid.unit.tolist())
        open_ |= set(payers.unit[(payers.suspense > 0) | (payers.fee_owed > 0)].tolist())
        return {self._who.units[n] for n in open_}

    def renumber(self, person_no: dict[bytes, int], unit_no: dict[bytes, int]) -> None:
        """From now on in these numbers; who is not among them (-1) has nothing left over."""
        self._person = np.array([person_no.get(id_, -1) for id_ in self._who.persons], np.int64)
        self._unit = np.array([unit_no.get(id_, -1) for id_ in self._who.units], np.int64)
        if self._outcome is not None:
            lines = self._outcome.unpaid
            columns = dict(lines.columns()) | {"person": self._person[lines.person], "unit": self._unit[lines.unit]}
            moved = Lines(**columns)
            moved = moved.take(moved.person >= 0)  # erased since: there is nobody to credit, and nobody to ask
            self.arrears = moved.take(np.lexsort((moved.person, moved.billed, moved.month, moved.unit)))

    def of_units(self, count: int) -> tuple[Ints, Ints]:
        """(money without a bill, late fees owed) of each unit."""
        suspense, owed = np.zeros(count, np.int64), np.zeros(count, np.int64)
        if self._outcome is not None:
            payers = self._outcome.payers
            place = self._unit[payers.unit]
            suspense[place[place >= 0]] = payers.suspense[place >= 0]
            owed[place[place >= 0]] = payers.fee_owed[place >= 0]
        return suspense, owed

    def accounts(self) -> dict[int, tuple[int, int, int]]:
        """person -> (pension, months, medical): as posted last month, else as they stood before it."""
        if self._outcome is None:
            return {}
        found: dict[int, tuple[int, int, int]] = {}
        for table in (self._accounts, self._outcome.postings):
            persons = self._person[table.person].tolist()
            columns = (table.pension.tolist(), table.pension_months.tolist(), table.medical.tolist())
            found |= {person: value for person, value in zip(persons, zip(*columns, strict=True), strict=True)}
        found.pop(-1, None)
        return found

    def claims(self, held: set[tuple[bytes, int]]) -> Claims:
        """Benefits paid too much and not back yet. `held`: taken out on the day of payment, so nothing was kept."""
        if self._outcome is None:
            return Claims.empty()
        found, ids = self._outcome.recoveries, self._who.persons
        rows = zip(found.person.tolist(), found.kind.tolist(), found.deducted.tolist(), strict=True)
        kept = [deducted if (ids[person], kind) in held else 0 for person, kind, deducted in rows]
        claims = Claims(self._person[found.person], found.kind, found.open + np.array(kept, np.int64))
        claims = claims.take((claims.person >= 0) & (claims.amount > 0))
        return claims.take(np.lexsort((claims.kind, claims.person)))

    def due_last_month(self, unit: Ints, person: Ints) -> dict[str, Ints]:
        """What was due last month of these, by amount; 0 for who is new there."""
        if self._outcome is None:
            return {name: np.zeros(len(unit), np.int64) for name in AMOUNTS}
        assessed = self._outcome.assessed
        keys = self._unit[assessed.unit] * _SHIFT + self._person[assessed.person]
        order = np.argsort(keys)
        place, there = found_at(keys[order], unit * _SHIFT + person)
        found = place[there]
        out = {}
        for name in AMOUNTS:
            out[name] = np.zeros(len(unit), np.int64)
            out[name][there] = getattr(assessed, name)[order][found]
        return out
