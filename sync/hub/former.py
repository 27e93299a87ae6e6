# SPDX-License-Identifier: Apache-2.0
"""Hub: what still comes from lives that ended: facts a station signed under a former epoch, decisions the hub forgot.

Such a fact is taken once by its id, with its officer's signature, wherever its number stands: after a restored or
copied disk two facts may carry the same number of the same epoch. Neither is changed; the later one is stored beside
the other (`fork`) and people are told.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schema import clock
from schema.events import HUB, Fact, free_fork
from sync.equality import incidents
from sync.hub import life
from sync.wire import facts

KNOWN = "known"


def stranger(db: Any, node: str, fact: Fact) -> bool:
    """Whether a fact that is not of the sender's present life is of none of its former ones, nor one that this hub can
    have forgotten: only a hub that came back from a backup hears its own decisions from a station.
    """
    if fact.origin == HUB:
        return life.of(db) == life.FIRST
    sql = "SELECT 1 FROM former_epoch WHERE node = ? AND epoch = ?"
    return fact.origin != node or db.execute(sql, (node, fact.epoch)).fetchone() is None


def verdict(db: Any, node: str, fact: Fact, now: datetime) -> str:
    """'' to take it, KNOWN when the hub has it, else why it is refused."""
    found = db.execute("SELECT hash FROM fact WHERE id = ?", (fact.id,)).fetchone()
    if found is not None:
        return KNOWN if bytes(found[0]) == fact.hash else "id_reused"
    if fact.origin == HUB:
        return facts.bad_kind(fact, "hub") or facts.bad_witness(db, fact)
    return facts.bad_kind(fact, "node") or facts.bad_officer(db, fact, node, now)


def place(db: Any, node: str, fact: Fact, at: datetime) -> int:
    """Where to store it beside others of its number, and the incident that says so."""
    fork = free_fork(db, fact)
    if fact.origin == HUB:
        incidents.record(db, "hub_restored", node, f"{fact.kind} {fact.subject.hex()}", clock.stamp(at))
    elif fork:
        incidents.record(db, "rebase", node, f"{fact.kind} {fact.subject.hex()} number {fact.seq}", clock.stamp(at))
    return fork
