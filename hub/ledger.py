# SPDX-License-Identifier: Apache-2.0
"""The books of a fund: double entry, one set per fund, cash basis.

    post(db, "resident_pension", "2026-11", "benefits_paid", 1_480_00, clock, memo="2026-11-01")
    reverse(db, entry_id, clock, memo="booked twice")
    trial_balance(db, "resident_pension")

There is no update and no delete: triggers of the data layer refuse both. A wrong entry is reversed and posted anew, so
the books always show what was believed when. Source of accounts and events: 社会保险基金会计制度 (chart of accounts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schema import database, ids
from schema.clock import Clock, stamp
from schema.errors import UnknownSubject, WrongState


@dataclass(frozen=True)
class Account:
    """One account. `side`: on which side it grows, so that a balance is shown positive where it usually stands."""

    code: str
    zh: str
    en: str
    side: str


@dataclass(frozen=True)
class Event:
    """A business event and the two accounts it moves money between."""

    debit: str
    credit: str
    zh: str
    en: str


ACCOUNTS: dict[str, Account] = {
    a.code: a
    for a in (
        Account("1003", "支出户存款", "Deposits, payment account", "debit"),
        Account("1004", "财政专户存款", "Deposits, fiscal special account", "debit"),
        Account("1005", "国库存款", "Treasury deposits", "debit"),
        Account("2001", "暂收款", "Suspense: received, not yet matched", "credit"),
        Account("4001-02", "社会保险费收入（个人）", "Contribution income, personal", "credit"),
        Account("4002", "财政补贴收入", "Government subsidy", "credit"),
        Account("5001-01", "社会保险待遇支出（养老金）", "Benefit spending, pensions", "debit"),
    )
}

EVENTS: dict[str, Event] = {
    "receipt_matched": Event("1005", "4001-02", "税务代收入国库", "collected into the treasury"),
    "receipt_suspense": Event("1005", "2001", "到账未认领", "collected, payer not known"),
    "suspense_matched": Event("2001", "4001-02", "暂收款认领", "suspense matched to a person"),
    "subsidy_credited": Event("1004", "4002", "缴费补贴记入账户", "contribution subsidy credited"),
    "benefits_funded": Event("1003", "1004", "拨付支出户", "payment account funded"),
    "benefits_paid": Event("5001-01", "1003", "养老金发放", "pensions paid"),
}


@dataclass(frozen=True)
class TrialBalance:
    """Per account what was debited and credited; the two totals are equal or the books are broken."""

    rows: tuple[tuple[Account, int, int], ...]
    debit_fen: int
    credit_fen: int

    @property
    def balanced(self) -> bool:
        return self.debit_fen == self.credit_fen


def post(db: Any, fund: str, month: str, event: str, amount_fen: int, clock: Clock, *, memo: str = "") -> bytes:
    """Book one event in the caller's transaction; returns the entry's id. The amount is positive fen."""
    kind = EVENTS[event]
    return _insert(db, fund, month, event, kind.debit, kind.credit, amount_fen, clock, memo, None)


def reverse(db: Any, entry_id: bytes, clock: Clock, *, month: str, memo: str) -> bytes:
    """Book the opposite of an entry, in `month` (the entry's own may be closed). Returns the new entry's id.

    Raises UnknownSubject, or WrongState for an entry that was reversed before or is itself a reversal.
    """
    old = db.execute("SELECT * FROM journal_entry WHERE id = ?", (entry_id,)).fetchone()
    if old is None:
        raise UnknownSubject("没有这笔分录", "there is no such journal entry")
    again = db.execute("SELECT 1 FROM journal_entry WHERE reverses = ?", (entry_id,)).fetchone()
    if again or old["reverses"] is not None:
        raise WrongState("这笔分录已冲正，或本身就是冲正", "the entry was reversed before, or is itself a reversal")
    return _insert(
        db, old["fund"], month, old["event"], old["credit"], old["debit"], old["amount_fen"], clock, memo, entry_id
    )


def turnover(db: Any, fund: str, month: str | None = None) -> dict[str, tuple[int, int]]:
    """(debited, credited) fen per account code, of one month or of all."""
    rows = db.execute(
        """SELECT code, sum(debit_fen), sum(credit_fen) FROM (
             SELECT debit AS code, amount_fen AS debit_fen, 0 AS credit_fen, fund, month FROM journal_entry
             UNION ALL SELECT credit, 0, amount_fen, fund, month FROM journal_entry)
           WHERE fund = ? AND (? IS NULL OR month = ?) GROUP BY code ORDER BY code""",
        (fund, month, month),
    )
    return {code: (debit_fen, credit_fen) for code, debit_fen, credit_fen in rows}


def balance(db: Any, fund: str, code: str, month: str | None = None) -> int:
    """Fen on an account, positive on the side where it usually stands."""
    debit_fen, credit_fen = turnover(db, fund, month).get(code, (0, 0))
    return debit_fen - credit_fen if ACCOUNTS[code].side == "debit" else credit_fen - debit_fen


def trial_balance(db: Any, fund: str, month: str | None = None) -> TrialBalance:
    """All accounts of a fund with their turnover."""
    sums = turnover(db, fund, month)
    rows = tuple((ACCOUNTS[code], debit_fen, credit_fen) for code, (debit_fen, credit_fen) in sums.items())
    return TrialBalance(rows, sum(r[1] for r in rows), sum(r[2] for r in rows))


def _insert(
    db: Any, fund: str, month: str, event: str, debit: str, credit: str, amount_fen: int, clock: Clock, memo: str,
    reverses: bytes | None,
) -> bytes:  # fmt: skip
    entry_id = ids.new_id()
    database.insert(
        db,
        "journal_entry",
        {
            "id": entry_id, "fund": fund, "month": month, "event": event, "debit": debit, "credit": credit,
            "amount_fen": amount_fen, "memo": memo, "at": stamp(clock.now()), "reverses": reverses,
        },
    )  # fmt: skip
    return entry_id
