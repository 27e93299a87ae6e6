# SPDX-License-Identifier: Apache-2.0
"""Incidents: what should never happen between a station and the hub and did, kept at both ends even when it was mended.

A list of them is for people: who compares notes after a fault must see when it was, with whom, and whether it is over.
`detail` names tables, columns, row ids and counts, never what a row says about a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schema import database, ids

KINDS = ("digest", "untracked", "rebase", "hub_restored", "clone", "quarantine")
"""What can happen: the two sides hold different rows; rows that no exchange will carry (guard P1); a database that had
to be loaded anew; a hub that came back from a backup; two databases under one name; a frame nobody can apply."""

DETAIL_LIMIT = 2000


def record(db: Any, kind: str, peer: str, detail: str, at: str) -> bytes:
    """Note an incident with `peer` at the instant `at`; returns its id.

    While one of that kind with that peer is open it is counted and not listed again: a station asks every quarter of
    an hour. A detail that is new is added. Raises ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown incident: {kind}")
    known = _open(db, kind, peer)
    if known is not None:
        db.execute("UPDATE incident SET times = times + 1, last_at = ? WHERE id = ?", (at, known["id"]))
        describe(db, kind, peer, [detail])
        return bytes(known["id"])
    made = ids.new_id()
    database.insert(db, "incident", {
        "id": made, "at": at, "last_at": at, "kind": kind, "peer": peer, "detail": detail[:DETAIL_LIMIT], "times": 1,
    })  # fmt: skip
    return made


def describe(db: Any, kind: str, peer: str, found: Iterable[str]) -> None:
    """Add to the detail of the open incident, one line each, what does not stand there yet and fits."""
    known = _open(db, kind, peer)
    if known is None:
        return
    lines = known["detail"].split("\n")
    for line in found:
        if line not in lines and sum(map(len, lines)) + len(lines) + len(line) <= DETAIL_LIMIT:
            lines.append(line)
    db.execute("UPDATE incident SET detail = ? WHERE id = ?", ("\n".join(lines), known["id"]))


def _open(db: Any, kind: str, peer: str) -> Any:
    sql = "SELECT id, detail FROM incident WHERE kind = ? AND peer = ? AND repaired_at IS NULL ORDER BY at DESC LIMIT 1"
    return db.execute(sql, (kind, peer)).fetchone()


def repaired(db: Any, kind: str, peer: str, at: str) -> int:
    """It is over: close all open incidents of this kind with this peer. Returns how many there were."""
    sql = "UPDATE incident SET repaired_at = ? WHERE kind = ? AND peer = ? AND repaired_at IS NULL"
    return int(db.execute(sql, (at, kind, peer)).rowcount)


def open_count(db: Any) -> int:
    """How many are not over."""
    return int(db.execute("SELECT count(*) FROM incident WHERE repaired_at IS NULL").fetchone()[0])


def open_since(db: Any, kinds: tuple[str, ...]) -> str | None:
    """Since when one of these kinds is not over; None when all are."""
    marks = ", ".join("?" * len(kinds))
    sql = f"SELECT min(at) FROM incident WHERE repaired_at IS NULL AND kind IN ({marks})"
    found: str | None = db.execute(sql, kinds).fetchone()[0]
    return found


def listing(db: Any, *, closed: bool, limit: int = 200) -> list[Any]:
    """Those not over, or all, the newest first."""
    sql = "SELECT * FROM incident WHERE repaired_at IS NULL OR ? ORDER BY last_at DESC, id LIMIT ?"
    return list(db.execute(sql, (closed, limit)).fetchall())


def close(db: Any, incident_id: bytes, at: str) -> bool:
    """A person says that it is over. False when there is none, or it was over before."""
    sql = "UPDATE incident SET repaired_at = ? WHERE id = ? AND repaired_at IS NULL"
    return bool(db.execute(sql, (at, incident_id)).rowcount)
