# SPDX-License-Identifier: Apache-2.0
"""Incidents: what should never happen between a station and the hub and did, kept at both ends even when it was mended.

A list of them is for people: who compares notes after a fault must see when it was, with whom, and whether it is over.
`detail` names tables, columns, row ids and counts, never what a row says about a person.
"""

from __future__ import annotations

from typing import Any

from schema import database, ids

KINDS = ("digest", "untracked", "rebase", "hub_restored", "clone", "quarantine")
"""What can happen: the two sides hold different rows; rows that no exchange will carry (guard P1); a database that had
to be loaded anew; a hub that came back from a backup; two databases under one name; a frame nobody can apply."""

DETAIL_LIMIT = 2000


def record(db: Any, kind: str, peer: str, detail: str, at: str) -> bytes:
    """Note an incident with `peer` at the instant `at`; returns its id.

    The same while the first is still open is counted, not listed again: a station asks every quarter of an hour.
    Raises ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown incident: {kind}")
    detail = detail[:DETAIL_LIMIT]
    known = db.execute(
        "SELECT id FROM incident WHERE kind = ? AND peer = ? AND detail = ? AND repaired_at IS NULL",
        (kind, peer, detail),
    ).fetchone()
    if known is not None:
        db.execute("UPDATE incident SET times = times + 1, last_at = ? WHERE id = ?", (at, known[0]))
        return bytes(known[0])
    made = ids.new_id()
    database.insert(db, "incident", {
        "id": made, "at": at, "last_at": at, "kind": kind, "peer": peer, "detail": detail, "times": 1,
    })  # fmt: skip
    return made


def repaired(db: Any, kind: str, peer: str, at: str) -> int:
    """It is over: close all open incidents of this kind with this peer. Returns how many there were."""
    sql = "UPDATE incident SET repaired_at = ? WHERE kind = ? AND peer = ? AND repaired_at IS NULL"
    return int(db.execute(sql, (at, kind, peer)).rowcount)


def open_count(db: Any, kind: str = "") -> int:
    """How many are not over, of one kind or of all."""
    sql = "SELECT count(*) FROM incident WHERE repaired_at IS NULL AND (? = '' OR kind = ?)"
    return int(db.execute(sql, (kind, kind)).fetchone()[0])
