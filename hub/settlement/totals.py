# SPDX-License-Identifier: Apache-2.0
"""The month in figures: sums, who is held back and why, and the townships side by side."""

from __future__ import annotations

from typing import Any

from hub.settlement.month import SCHEME


def of_month(db: Any, month: str) -> dict[str, Any]:
    """Sums in fen, counts of persons, `held` as [reason, persons, fen due], `townships` as rows of the chart."""
    line = db.execute(
        """SELECT count(*) AS persons, count(*) FILTER (WHERE contribution_fen > 0) AS credited,
             coalesce(sum(contribution_fen), 0) AS contribution_fen, coalesce(sum(subsidy_fen), 0) AS subsidy_fen,
             coalesce(sum(basic_fen + account_fen + extra_fen + arrears_fen), 0) AS benefit_fen,
             coalesce(sum(arrears_fen), 0) AS arrears_fen, coalesce(sum(from_account_fen), 0) AS from_account_fen,
             coalesce(sum(closing_fen), 0) AS closing_fen
           FROM settlement_line WHERE scheme = ? AND month = ?""",
        (SCHEME, month),
    ).fetchone()
    payees, batches = db.execute(
        "SELECT count(*), count(DISTINCT batch) FROM payment WHERE scheme = ? AND month = ? AND state <> 'held'",
        (SCHEME, month),
    ).fetchone()
    suspense, suspense_fen = db.execute(
        "SELECT count(*), coalesce(sum(amount_fen), 0) FROM receipt WHERE scheme = ? AND state = 'suspense'", (SCHEME,)
    ).fetchone()
    return {
        **dict(line), "payees": payees, "batches": batches, "suspense": suspense, "suspense_fen": suspense_fen,
        "held": held(db, month), "townships": townships(db, month),
    }  # fmt: skip


def held(db: Any, month: str) -> list[list[Any]]:
    """[reason, persons, fen that wait], most persons first."""
    rows = db.execute(
        "SELECT json_extract(trace, '$.held') AS reason, count(*), sum(json_extract(trace, '$.due_fen')) "
        "FROM settlement_line WHERE scheme = ? AND month = ? AND trace LIKE '%\"held\":%' "
        "GROUP BY reason ORDER BY 2 DESC, 1",
        (SCHEME, month),
    )
    return [list(row) for row in rows]


def townships(db: Any, month: str) -> list[list[Any]]:
    """[code, name, fen contributed, persons paid, fen paid], the biggest payment first."""
    rows = db.execute(
        """SELECT t.code, coalesce(d.name, t.code), t.contribution, t.payees, t.benefit FROM (
             SELECT substr(p.village, 1, 9) AS code, sum(l.contribution_fen) AS contribution,
               count(*) FILTER (WHERE l.basic_fen + l.account_fen + l.extra_fen > 0) AS payees,
               sum(l.basic_fen + l.account_fen + l.extra_fen + l.arrears_fen) AS benefit
             FROM settlement_line l JOIN person p ON p.id = l.person_id
             WHERE l.scheme = ? AND l.month = ? GROUP BY 1) t
           LEFT JOIN division d ON d.code = t.code ORDER BY t.benefit DESC, t.contribution DESC, t.code""",
        (SCHEME, month),
    )
    return [list(row) for row in rows]
