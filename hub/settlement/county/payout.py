# SPDX-License-Identifier: Apache-2.0
"""What paying the county's month does: who may no longer be paid is taken out, the others' benefits move on a month.

The month file stays as it was approved. Who is taken out is a row of `month_held`: the benefit does not move on, so
the months are due again with the next run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hub.settlement import stops
from hub.settlement.county.columns import FUND_OF_KIND, FUNDS, Payees, Payments
from hub.settlement.county.freeze import Frozen
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.paying import HELD, held_back
from schema import database
from sync.hub.publish import Publication

CHANGED, BANK_CHANGED = "changed", "bank_changed"
Payee = tuple[bytes, int]


@dataclass(frozen=True)
class Paid:
    """What is paid, and what was held back at the last moment."""

    payments: int
    amount_fen: int
    held: int
    held_fen: int


def carry_out(pub: Publication, month: str, file: MonthFile, now: Frozen, seen: int) -> Paid:
    """Pay the approved month out of its file. `now`: the register of this moment; `seen`: the feed number up to which
    the approved run had seen it.
    """
    who, planned = file.who().persons, _planned(file)
    stopped = _stopped(pub.db, _of(file.table("payees"), who), now, seen)
    held = {payee: stopped[payee] for payee in planned.keys() & stopped.keys()}
    for (person, fund), reason in sorted(held.items()):
        row = {"month": month, "person_id": person, "fund": FUNDS[fund], "reason": reason}
        database.insert(pub.db, "month_held", row | {"amount_fen": planned[person, fund]})
    _move_on(pub, month, planned.keys() - held.keys())
    held_fen = sum(planned[payee] for payee in held)
    return Paid(len(planned) - len(held), sum(planned.values()) - held_fen, len(held), held_fen)


def _planned(file: MonthFile) -> dict[Payee, int]:
    """What the month gives each payee, of each fund."""
    who, payments = file.who().persons, file.table("payments")
    assert isinstance(payments, Payments)
    given = payments.take(payments.pool + payments.account > 0)
    planned: dict[Payee, int] = {}
    for person, fund, fen in zip(given.person, given.kind, given.pool + given.account, strict=True):
        key = (who[person], int(fund))
        planned[key] = planned.get(key, 0) + int(fen)
    return planned


Rows = dict[Payee, list[tuple[int, ...]]]


def _of(payees: Any, who: list[bytes]) -> Rows:
    """What the register says of each payee."""
    assert isinstance(payees, Payees)
    rows: Rows = {}
    for person, fund, *rest in zip(*(values.tolist() for _, values in payees.columns()), strict=True):
        rows.setdefault((who[person], fund), []).append(tuple(rest))
    return rows


def _stopped(db: Any, approved: Rows, now: Frozen, seen: int) -> dict[Payee, str]:
    """Who stands otherwise than when the month was computed, and why that stops the payment."""
    present = _of(now.inputs.payees, now.who.persons)
    payees = now.inputs.payees
    codes = held_back(payees).tolist()
    reasons = {
        (now.who.persons[person], fund): HELD[code]
        for person, fund, code in zip(payees.person.tolist(), payees.kind.tolist(), codes, strict=True)
        if code
    }
    out = {
        payee: reasons.get(payee, CHANGED if payee in present else "ended")
        for payee, rows in approved.items() if present.get(payee) != rows
    }  # fmt: skip
    moved = {bytes(row[0]) for row in db.execute("SELECT person_id FROM bank_account WHERE rev > ?", (seen,))}
    out |= {payee: BANK_CHANGED for payee in approved if payee[0] in moved and payee not in out}
    for kind, fund in FUND_OF_KIND.items():
        out |= {(person, FUNDS.index(fund)): stops.REPORTED for person in stops.reported(db, kind)}
    return out


def _move_on(pub: Publication, month: str, paid: Iterable[Payee]) -> None:
    """The benefits that were paid are paid through this month."""
    of = {(person, FUNDS[fund]) for person, fund in paid}
    rows = pub.db.execute("SELECT id, person_id, kind FROM benefit WHERE state = 'active' ORDER BY id").fetchall()
    pub.put_many("benefit", [
        {"id": bytes(row["id"]), "paid_through": month} for row in rows
        if (bytes(row["person_id"]), FUND_OF_KIND.get(row["kind"])) in of
    ])  # fmt: skip
