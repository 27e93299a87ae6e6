# SPDX-License-Identifier: Apache-2.0
"""What each receipt adds to an account: the contribution itself, and the subsidy that the government adds to it.

The subsidy belongs to what somebody paid for a year altogether. A second receipt for the same year therefore brings
the difference between the subsidy of the new total and that of the old one, never the whole again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from hub.settlement.month import SCHEME
from schema import period
from schema.parameter import Parameters
from schema.rules import pension
from schema.rules.trace import Trace

MONTHS_OF_A_YEAR = 12
Subsidy = Callable[[str, int], int]


@dataclass(frozen=True)
class Credit:
    """One receipt on its way into an account.

    `months`: 12 for the first receipt of a contribution year, else 0. `total_fen`: paid for that year, this included.
    """

    no: str
    person_id: bytes
    year: str
    amount_fen: int
    subsidy_fen: int
    months: int
    total_fen: int


def subsidy_rule(month: str, parameters: Parameters) -> Subsidy:
    """The subsidy for a year and a yearly total, as known at the end of the settled month."""
    known_on = period.last_day(month)

    @cache
    def subsidy(year: str, total_fen: int) -> int:
        return pension.resident_subsidy(total_fen, last_day_of(year), known_on, parameters)

    return subsidy


def explained(year: str, total_fen: int, month: str, parameters: Parameters) -> Trace:
    """The same, with formula and documents."""
    trace = Trace()
    pension.resident_subsidy(total_fen, last_day_of(year), period.last_day(month), parameters, trace)
    return trace


def last_day_of(year: str) -> date:
    """The day whose rules hold for a contribution year: grades are set for calendar years."""
    return date(int(year), 12, 31)


def of_month(db: Any, month: str, subsidy: Subsidy) -> list[Credit]:
    """The receipts set aside for the month, ordered by person, year, day and number."""
    reserved = f"scheme = '{SCHEME}' AND state = 'matched' AND posted_month = ?"
    paid_before = db.execute(
        f"SELECT person_id, year, sum(amount_fen) FROM receipt WHERE scheme = '{SCHEME}' AND state = 'posted' "
        f"AND person_id IN (SELECT person_id FROM receipt WHERE {reserved}) GROUP BY person_id, year",
        (month,),
    )
    totals = {(bytes(person_id), year): total_fen for person_id, year, total_fen in paid_before}
    rows = db.execute(
        f"SELECT no, person_id, year, amount_fen FROM receipt WHERE {reserved} "
        "ORDER BY person_id, year, received_on, no",
        (month,),
    )
    credits = []
    for no, person_id, year, amount_fen in rows:
        key = (bytes(person_id), year)
        before = totals.get(key, 0)
        totals[key] = before + amount_fen
        added = subsidy(year, totals[key]) - subsidy(year, before)
        months = 0 if before else MONTHS_OF_A_YEAR
        credits.append(Credit(no, key[0], year, amount_fen, added, months, totals[key]))
    return credits


def reserve(db: Any, month: str) -> None:
    """Set aside for the month every matched receipt received up to its last day, and no other.

    What arrives after the month was computed waits for the next one, so an approved month does not grow.
    """
    unposted = f"scheme = '{SCHEME}' AND state = 'matched'"
    db.execute(f"UPDATE receipt SET posted_month = NULL WHERE {unposted} AND posted_month = ?", (month,))
    db.execute(
        f"UPDATE receipt SET posted_month = ? WHERE {unposted} AND posted_month IS NULL AND received_on <= ?",
        (month, period.last_day(month).isoformat()),
    )
