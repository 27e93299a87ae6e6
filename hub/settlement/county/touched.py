# SPDX-License-Identifier: Apache-2.0
"""Whose closed months may look different now: the register's rows carry the number of their last change, and the month
before kept the number up to which it had seen the register. Nobody else is worked out again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hub.settlement.county.columns import FUNDS, Corrections, Payees, Payments, Units
from hub.settlement.county.insured import DECLARATION, hexes
from hub.settlement.county.month_file import MonthFile

Payee = tuple[bytes, int]


def contributors(db: Any, seen: int, before: MonthFile) -> set[bytes]:
    """Whose work, relation or declared amount changed, and who works where a declaration came that had been missing."""
    rows = db.execute(
        """SELECT person_id FROM employment WHERE rev > ?1 UNION SELECT person_id FROM contribution_base WHERE rev > ?1
           UNION SELECT person_id FROM enrolment WHERE rev > ?1
             AND insurance IN ('employee_pension', 'employee_medical')""",
        (seen,),
    )
    return {bytes(row[0]) for row in rows} | _declared_since(db, seen, before)


def _declared_since(db: Any, seen: int, before: MonthFile) -> set[bytes]:
    units = before.table("units")
    assert isinstance(units, Units)
    missing = units.unit[units.declared == 0].tolist()
    if not missing:
        return set()
    ids = before.who().units
    rows = db.execute(
        """SELECT DISTINCT e.person_id FROM contribution_base b JOIN hub_case c ON c.id = b.case_id
           JOIN employment e ON e.unit_id = b.unit_id
           WHERE b.rev > ? AND c.service = ? AND b.unit_id IN (SELECT unhex(value) FROM json_each(?))""",
        (seen, DECLARATION, hexes(ids[n] for n in missing)),
    )
    return {bytes(row[0]) for row in rows}


def payees(db: Any, seen: int, before: MonthFile, now: Payees, persons: list[bytes], held: set[Payee]) -> set[bytes]:
    """Who draws something else than the month before saw, whose life status changed, and whose correction waits still.

    Paying moves every benefit on, so that a change of the row alone says nothing. `held`: taken out on the day of
    payment.
    """
    rows = db.execute(
        "SELECT person_id FROM benefit WHERE rev > ?1 UNION SELECT person_id FROM benefit_term WHERE rev > ?1 "
        "UNION SELECT b.person_id FROM benefit b JOIN person p ON p.id = b.person_id WHERE p.rev > ?1", (seen,),
    )  # fmt: skip
    changed = {bytes(row[0]) for row in rows}
    if changed:
        then = before.table("payees")
        assert isinstance(then, Payees)
        changed -= _same(then, before.who().persons, now, persons)
    return changed | _waiting(before) | {person for person, _ in held}


def _same(then: Payees, before: list[bytes], now: Payees, persons: list[bytes]) -> set[bytes]:
    def of(table: Payees, ids: list[bytes]) -> dict[bytes, set[tuple[int, ...]]]:
        drawn: dict[bytes, set[tuple[int, ...]]] = {}
        columns = (table.kind, table.state, table.alive, table.until, table.pool, table.account)
        for person, *rest in zip(table.person.tolist(), *(c.tolist() for c in columns), strict=True):
            drawn.setdefault(ids[person], set()).add(tuple(rest))
        return drawn

    one, other = of(then, before), of(now, persons)
    return {person for person, drawn in one.items() if other.get(person) == drawn}


def _waiting(before: MonthFile) -> set[bytes]:
    """Whose correction could not be paid: it was not booked, so it is worked out again."""
    corrections, payments = before.table("corrections"), before.table("payments")
    assert isinstance(corrections, Corrections)
    assert isinstance(payments, Payments)
    more = corrections.take((corrections.pool > 0) | (corrections.account > 0))
    if not len(more):
        return set()
    reached = payments.take(payments.corrected > 0)
    done = np.isin(more.person * len(FUNDS) + more.kind, reached.person * len(FUNDS) + reached.kind)
    ids = before.who().persons
    return {ids[n] for n in more.person[~done].tolist()}
