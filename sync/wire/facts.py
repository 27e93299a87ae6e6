# SPDX-License-Identifier: Apache-2.0
"""Whether a fact may be believed: who may state it, who signed it, whether it continues its chain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schema import clock, database
from schema.errors import BadSignature
from schema.events import GENESIS, KINDS, Fact
from sync.wire import codec
from sync.wire.validator import MAX_STEP

# Kinds whose urgent copy may overtake the facts before it: they change nothing that an earlier fact began.
STANDS_ALONE = frozenset({"case_submitted"})


def stored_hash(db: Any, fact_id: bytes) -> bytes:
    """The hash of the fact of that id, b"" when there is none."""
    row = db.execute("SELECT hash FROM fact WHERE id = ?", (fact_id,)).fetchone()
    return bytes(row[0]) if row else b""


def place_taken(db: Any, fact: Fact) -> bool:
    """Whether another fact stands at this number already: two histories of one station."""
    sql = "SELECT 1 FROM fact WHERE origin = ? AND epoch = ? AND seq = ? AND id <> ?"
    return db.execute(sql, (fact.origin, fact.epoch, fact.seq, fact.id)).fetchone() is not None


def bad_kind(fact: Fact, side: str) -> str:
    """Whether that side ('node' or 'hub') may state this kind in this version."""
    known = KINDS.get(fact.kind)
    return "" if known is not None and known[:2] == (fact.version, side) else "kind"


def bad_officer(db: Any, fact: Fact, station: str, now: datetime) -> str:
    """Hub: the officer works at that station, is in force now, and signed exactly this.

    The hub's clock and the hub's rows decide: a station that has not heard of a dismissal does not prolong it.
    """
    officer = db.execute("SELECT station, disabled_on FROM officer WHERE operator_no = ?", (fact.officer,)).fetchone()
    keys = db.execute(
        "SELECT public_key, disabled_at FROM officer_key WHERE operator_no = ? AND valid_from <= ? "
        "ORDER BY valid_from DESC",
        (fact.officer, clock.stamp(now)),
    ).fetchall()
    if officer is None or not keys:
        return "officer_unknown"
    if officer["disabled_on"] and officer["disabled_on"] <= now.astimezone(clock.CHINA).date().isoformat():
        return "officer_disabled"
    if officer["station"] != station:
        return "officer_station"
    signer = next((key for key in keys if _signed_by(fact, bytes(key["public_key"]))), None)
    if signer is None:
        return "officer_signature"
    return "officer_disabled" if signer["disabled_at"] and signer["disabled_at"] <= clock.stamp(now) else ""


def bad_signature_if_known(db: Any, fact: Fact) -> str:
    """Station: the officer's signature, when it holds a key of that officer; the hub's frame vouches otherwise."""
    keys = db.execute("SELECT public_key FROM officer_key WHERE operator_no = ?", (fact.officer,)).fetchall()
    good = not keys or any(_signed_by(fact, bytes(key["public_key"])) for key in keys)
    return "" if good else "officer_signature"


def bad_witness(db: Any, fact: Fact) -> str:
    """Hub: whether a forgotten decision of its own was signed by one of its officers, disabled since or not.

    An officer of a station decides nothing, so a clerk's key makes no witness.
    """
    officer = db.execute("SELECT station FROM officer WHERE operator_no = ?", (fact.officer,)).fetchone()
    if officer is not None and officer["station"]:
        return "officer_station"
    keys = db.execute("SELECT public_key FROM officer_key WHERE operator_no = ?", (fact.officer,)).fetchall()
    return "" if any(_signed_by(fact, bytes(key["public_key"])) for key in keys) else "officer_signature"


def _signed_by(fact: Fact, public_key: bytes) -> bool:
    try:
        fact.verify(public_key)
    except BadSignature:
        return False
    return True


@dataclass
class Chain:
    """How far a station's facts are known at the hub, quarantined ones included: their hash counts.

    A break is reported once, at the fact that shows it; the chain then goes on from that fact. `hash` is empty after a
    fact that could not be read: the next one's `prev` cannot be checked.
    """

    node: str
    epoch: bytes
    seq: int = 0
    hash: bytes = GENESIS

    @staticmethod
    def load(db: Any, node: str, epoch: bytes) -> Chain:
        stored = database.setting(db, f"chain:{node}")
        content = codec.load(stored) if stored else None
        return Chain(node, *content) if content and content[0] == epoch else Chain(node, epoch)

    def save(self, db: Any) -> None:
        database.set_setting(db, f"chain:{self.node}", codec.dump([self.epoch, self.seq, self.hash]))

    def step(self, fact: Fact) -> str:
        """Move on to this fact; 'chain' when it does not continue the one before."""
        if not self.seq < fact.seq <= self.seq + MAX_STEP:
            return "chain"
        fits = fact.seq == self.seq + 1 and self.hash in (b"", fact.prev)
        self.seq, self.hash = fact.seq, fact.hash
        return "" if fits else "chain"

    def bad_place(self, fact: Fact, db: Any) -> str:
        """'chain' when an urgent copy cannot have its place before us, or another fact has it already."""
        ahead = self.seq < fact.seq <= self.seq + MAX_STEP
        return "" if ahead and not place_taken(db, fact) else "chain"

    def step_unreadable(self) -> None:
        """Move on over a fact that could not be read."""
        self.seq, self.hash = self.seq + 1, b""
