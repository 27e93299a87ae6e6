# SPDX-License-Identifier: Apache-2.0
"""Benefits paid for closed months against what the register says of them now: the rest is paid, or claimed back.

Only months that were paid are looked at; those not paid yet are due with the next payment anyway. A pension is due to
the month of death; a benefit limited in time to its last month; a paused one to the month before, while it is paused.
What ended without a month, or begins later than what was paid, says nothing about the months before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from hub.settlement.county import booked
from hub.settlement.county.columns import FUNDS, NO_END
from hub.settlement.county.insured import hexes
from hub.settlement.county.month_file import MonthFile
from hub.settlement.inputs import number_of
from schema import period

Correction = tuple[bytes, int, int, int, int]


class _Drawn(NamedTuple):
    """One benefit: from which month to which (None: nobody knows), and how much."""

    first: int
    last: int | None
    pool: int
    account: int


def corrections(
    db: Any, files: Iterator[tuple[int, MonthFile, set[tuple[bytes, int]]]], touched: set[bytes],
    fund_of: dict[str, str],
) -> list[Correction]:  # fmt: skip
    """(person, kind, month, pool, account) of each difference, by these."""
    if not touched:
        return []
    persons = sorted(touched)
    paid: dict[tuple[int, int, int], tuple[int, int]] = {}
    first = NO_END
    for number, file, held in files:
        first = min(first, number)
        for person, kind, month, pool, account in booked.benefits(file, persons, held):
            before = paid.get((person, kind, month), (0, 0))
            paid[person, kind, month] = (before[0] + pool, before[1] + account)
    drawn = _drawn(db, persons, fund_of)
    out = []
    for (person, kind, month), (pool, account) in sorted(paid.items()):
        due = _due(drawn.get((persons[person], kind), []), month) if month >= first else None
        if due is not None and due != (pool, account):
            out.append((persons[person], kind, month, due[0] - pool, due[1] - account))
    return out


def _drawn(db: Any, persons: list[bytes], fund_of: dict[str, str]) -> dict[tuple[bytes, int], list[_Drawn]]:
    rows = db.execute(
        """SELECT b.person_id, b.kind, b.state, b.from_month, b.paid_through, b.basic_fen + b.extra_fen AS pool,
             b.account_fen, p.life_status, p.died_on, t.to_month, t.paused_from
           FROM benefit b JOIN person p ON p.id = b.person_id LEFT JOIN benefit_term t ON t.id = b.id
           WHERE b.person_id IN (SELECT unhex(value) FROM json_each(?))""",
        (hexes(persons),),
    )
    out: dict[tuple[bytes, int], list[_Drawn]] = {}
    for row in rows:
        if row["kind"] in fund_of:
            key = (bytes(row["person_id"]), FUNDS.index(fund_of[row["kind"]]))
            drawn = _Drawn(number_of(row["from_month"]), _last(row), row["pool"], row["account_fen"])
            out.setdefault(key, []).append(drawn)
    return out


def _last(row: Any) -> int | None:
    """The last month it is due for."""
    ends = [row["died_on"][:7]] if row["died_on"] else []
    ends += [row["to_month"]] if row["to_month"] else []
    ends += [period.add_months(row["paused_from"], -1)] if row["state"] == "suspended" and row["paused_from"] else []
    if ends:
        return number_of(min(ends))
    return None if row["state"] == "ended" or row["life_status"] != "1" else NO_END


def _due(drawn: Iterable[_Drawn], month: int) -> tuple[int, int] | None:
    """What is due for the month, None where the register does not say."""
    began = [one for one in drawn if one.first <= month]
    if not began or any(one.last is None for one in began):
        return None
    now = [one for one in began if one.last is not None and month <= one.last]
    return sum(one.pool for one in now), sum(one.account for one in now)
