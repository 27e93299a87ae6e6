# SPDX-License-Identifier: Apache-2.0
"""What paying a month does: people who may no longer be paid are taken out, then books, accounts, benefits, cases.

Everything stations must learn of goes through the publication, so an account, a statement and the state of a claim
reach the counter they belong to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from hub import cases, ledger
from hub.settlement import stops
from hub.settlement.month import SCHEME
from schema import database
from schema.clock import Clock
from schema.errors import WrongState
from sync.hub.publish import Publication

# Why a planned payment is not made after all. First match counts; all are looked at when the batch goes out.
_STOPS = """
    SELECT y.id, y.person_id, CASE
        WHEN p.life_status <> '1' THEN 'dead'
        WHEN NOT EXISTS (SELECT 1 FROM benefit b WHERE b.person_id = y.person_id AND b.kind = y.scheme
                         AND b.state = 'active') THEN 'suspended'
        WHEN k.account_no IS NULL OR (k.bank, k.account_no, k.holder) IS NOT (y.bank, y.account_no, y.holder)
            THEN 'bank_changed'
        END AS reason
    FROM payment y JOIN person p ON p.id = y.person_id LEFT JOIN bank_account k ON k.person_id = y.person_id
    WHERE y.scheme = ? AND y.month = ? AND y.state = 'planned'"""


@dataclass(frozen=True)
class Paid:
    """What went to the bank, and what was held back at the last moment."""

    payments: int
    amount_fen: int
    held: int
    claims: int


def carry_out(pub: Publication, month: str, clock: Clock) -> Paid:
    """Pay the approved month. Raises WrongState (code `opening_changed`) when an account moved meanwhile."""
    held = _hold_back(pub.db, month)
    _check_openings(pub.db, month)
    payments, amount_fen = _send(pub.db, month)
    _book(pub.db, month, amount_fen, clock)
    _post_accounts(pub, month, clock)
    _advance_benefits(pub, month)
    claims = _tell_claims(pub, month)
    return Paid(payments, amount_fen, held, claims)


def _hold_back(db: Any, month: str) -> int:
    """Take out who may no longer be paid: the line becomes one of a held person, the months stay due."""
    reported = stops.reported(db)
    stopped = [dict(row) for row in db.execute(_STOPS, (SCHEME, month))]
    for row in stopped:
        row["reason"] = row["reason"] or (stops.REPORTED if row["person_id"] in reported else None)
    stopped = [row for row in stopped if row["reason"]]
    for row in stopped:
        database.update(db, "payment", {"id": row["id"]}, {"state": "held", "reason": row["reason"]})
        key = {"scheme": SCHEME, "month": month, "person_id": row["person_id"]}
        line = db.execute(
            "SELECT * FROM settlement_line WHERE scheme = ? AND month = ? AND person_id = ?", tuple(key.values())
        ).fetchone()
        parts = dict.fromkeys(("basic_fen", "account_fen", "extra_fen", "arrears_fen"), 0)
        trace = json.loads(line["trace"])
        trace = {k: v for k, v in trace.items() if k not in ("months", "first")}
        trace |= {"held": row["reason"], "due_fen": sum(line[part] for part in parts)}
        changes = parts | {
            "from_account_fen": 0, "closing_fen": line["closing_fen"] + line["from_account_fen"],
            "trace": json.dumps(trace, ensure_ascii=False, separators=(",", ":")),
        }  # fmt: skip
        database.update(db, "settlement_line", key, changes)
    return len(stopped)


def _check_openings(db: Any, month: str) -> None:
    moved = db.execute(
        f"SELECT count(*) FROM {_LINE_AND_ACCOUNT} AND coalesce(a.balance_fen, 0) <> l.opening_fen", (SCHEME, month)
    ).fetchone()[0]
    if moved:
        raise WrongState(
            f"有 {moved} 个账户的余额在计算之后变了，没有发放。请查明是谁改的",
            f"{moved} accounts moved since the month was computed; nothing was paid. Find out who changed them",
            code="opening_changed",
        )


_LINE_AND_ACCOUNT = (
    "settlement_line l LEFT JOIN account a ON a.person_id = l.person_id AND a.insurance = l.scheme "
    "WHERE l.scheme = ? AND l.month = ?"
)


def _send(db: Any, month: str) -> tuple[int, int]:
    of_month = "scheme = ? AND month = ?"
    db.execute(f"UPDATE payment SET state = 'paid' WHERE {of_month} AND state = 'planned'", (SCHEME, month))
    count, amount_fen = db.execute(
        f"SELECT count(*), coalesce(sum(amount_fen), 0) FROM payment WHERE {of_month} AND state = 'paid'",
        (SCHEME, month),
    ).fetchone()
    return count, amount_fen


def _book(db: Any, month: str, paid_fen: int, clock: Clock) -> None:
    """Journals of the month. The contributions themselves were booked when they arrived."""
    subsidy_fen = db.execute(
        "SELECT coalesce(sum(subsidy_fen), 0) FROM settlement_line WHERE scheme = ? AND month = ?", (SCHEME, month)
    ).fetchone()[0]
    amounts = {"subsidy_credited": subsidy_fen, "benefits_funded": paid_fen, "benefits_paid": paid_fen}
    for event, amount_fen in amounts.items():
        if amount_fen:
            ledger.post(db, SCHEME, month, event, amount_fen, clock, memo=month)


def _post_accounts(pub: Publication, month: str, clock: Clock) -> None:
    """Accounts at their closing, one statement for everybody whom the month did something to, receipts posted."""
    rows = pub.db.execute(
        f"SELECT l.*, coalesce(a.paid_months, 0) AS paid_months FROM {_LINE_AND_ACCOUNT} "
        "AND (l.contribution_fen > 0 OR l.basic_fen + l.account_fen + l.extra_fen > 0)",
        (SCHEME, month),
    ).fetchall()
    accounts, statements = [], []
    for line in rows:
        key = {"person_id": bytes(line["person_id"]), "insurance": SCHEME}
        months = sum(receipt[4] for receipt in json.loads(line["trace"]).get("receipts", []))
        balance = {"balance_fen": line["closing_fen"]}
        accounts.append(key | balance | {"paid_months": line["paid_months"] + months, "as_of_month": month})
        benefit_fen = line["basic_fen"] + line["account_fen"] + line["extra_fen"] + line["arrears_fen"]
        copied = {column: line[column] for column in ("contribution_fen", "subsidy_fen", "from_account_fen")}
        paid_on = clock.today().isoformat() if benefit_fen else None
        statements.append({**key, **balance, **copied, "month": month, "benefit_fen": benefit_fen, "paid_on": paid_on})
    pub.put_many("account", accounts)
    pub.put_many("statement", statements)
    pub.db.execute(
        "UPDATE receipt SET state = 'posted' WHERE scheme = ? AND state = 'matched' AND posted_month = ?",
        (SCHEME, month),
    )


def _advance_benefits(pub: Publication, month: str) -> None:
    rows = pub.db.execute(_PAID_BENEFITS, (SCHEME, month)).fetchall()
    pub.put_many("benefit", [{"id": bytes(row["id"]), "paid_through": month} for row in rows])


_PAID_BENEFITS = """
    SELECT b.id, b.case_id FROM benefit b JOIN payment y ON y.person_id = b.person_id AND y.scheme = b.kind
    WHERE y.scheme = ? AND y.month = ? AND y.state = 'paid' AND b.state = 'active' ORDER BY b.id"""


def _tell_claims(pub: Publication, month: str) -> int:
    """A claim whose benefit is paid now is a paid claim: the station that took it shows so."""
    claims = {bytes(row["case_id"]) for row in pub.db.execute(_PAID_BENEFITS, (SCHEME, month)) if row["case_id"]}
    told = 0
    for case_id in sorted(claims):
        known = pub.db.execute("SELECT 1 FROM hub_case WHERE id = ? AND state = 'effective'", (case_id,)).fetchone()
        if known:
            cases.save(pub, replace(cases.load(pub.db, case_id), state="paid"))
            told += 1
    return told
