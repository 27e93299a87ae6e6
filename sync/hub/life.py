# SPDX-License-Identifier: Apache-2.0
"""Hub: its own life. A hub that came back from a backup has forgotten work it signed for, and says so by a new name.

The name (`life`, 16 bytes) stands in every welcome. A station that reads another one than last time offers the hub
again what it may have lost and loads its rows anew. The feed's numbers jump, so that none is given twice with other
content; the hub's own facts go on under a new epoch for the same reason. Until a person has looked, no station is
answered.
"""

from __future__ import annotations

from typing import Any

from schema import database, ids
from schema.events import HUB
from sync.equality import buckets, incidents
from sync.hub import publish

JUMP = 1_000_000
"""Feed numbers skipped: more than a county publishes between two backups."""
FIRST = bytes(16)
_LIFE, _SINCE, _FENCE = "life", "life_since", "fenced"


def of(db: Any) -> bytes:
    """The hub's present life; 16 zero bytes before the first return from a backup."""
    return database.setting(db, _LIFE) or FIRST


def since(db: Any) -> str:
    """As of when the hub came back: the instant the copy was made. '' when it never did."""
    return (database.setting(db, _SINCE) or b"").decode()


def is_fenced(db: Any) -> bool:
    """Whether stations are not answered until a person has looked."""
    return bool(database.setting(db, _FENCE))


def begin_anew(db: Any, copied_at: str, at: str) -> None:
    """In a database just put back from the copy made at `copied_at`: a new life, numbers that jump, the fence up."""
    life = ids.new_id()
    database.set_setting(db, _LIFE, life)
    database.set_setting(db, "epoch", life)
    database.set_setting(db, _SINCE, copied_at.encode())
    database.set_setting(db, _FENCE, b"1")
    database.upsert(db, "feed_head", {"name": "feed", "seq": publish.head(db) + JUMP})
    buckets.forget(db)
    incidents.record(db, "hub_restored", HUB, f"copy of {copied_at}", at)


def open_again(db: Any, at: str) -> bool:
    """A person has looked: answer stations. False when there was no fence."""
    if not is_fenced(db):
        return False
    database.set_setting(db, _FENCE, b"")
    incidents.repaired(db, "hub_restored", HUB, at)
    return True
