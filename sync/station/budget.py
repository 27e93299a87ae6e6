# SPDX-License-Identifier: Apache-2.0
"""Station: how many bytes an hour may cost, and who goes without first. The ledger is a table.

The line may be paid by volume, or shared with the counter's telephone: what nobody waits for stays within an hour's
budget. What people wait for (`ctl`, `evt`) is never held back, only counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from schema.clock import CHINA, Clock, stamp
from schema.database import Store

# What a hub grants unless told otherwise: above what 16 kbit/s can carry, below what hurts a mobile contract.
GRANTED_BYTES_PER_HOUR = 8 * 1024 * 1024
ALWAYS = ("ctl", "evt")
BY_HAND = ("ctl", "evt", "reg")
BLOB_SHARE = 0.3
RETRY, TALK = "retry", "talk"
RETRY_SHARE = 0.2
# Addresses, headers and receipts of TLS around one request and its answer, measured.
AROUND_BYTES = 600
KEPT = timedelta(days=8)
_FLUSH_BYTES = 32 * 1024
NIGHT_BEGINS_H, NIGHT_MINUTES, WINDOW_MINUTES = 0, 300, 60


def may(channel: str, used: Mapping[str, int], limit: int, *, by_hand: bool = False, at_night: bool = False) -> bool:
    """Whether a channel may go on in this hour. `limit` 0: no budget. `by_hand`: a person said "send now"."""
    if channel in (BY_HAND if by_hand else ALWAYS) or not limit:
        return True
    spent = sum(used.values())
    if spent >= limit or used.get(RETRY, 0) > RETRY_SHARE * limit:
        return False
    if channel == "blob" and not at_night:
        blobs = used.get("blob", 0)
        return blobs < BLOB_SHARE * (limit - (spent - blobs))
    return True


def in_window(node: str, now: datetime) -> bool:
    """Whether it is this station's hour of the night, for heavy work: between 0 and 5, spread by the station's name."""
    minute = int.from_bytes(sha256(node.encode()).digest()[:4], "big") % (NIGHT_MINUTES - WINDOW_MINUTES)
    local = now.astimezone(CHINA)
    since = (local.hour - NIGHT_BEGINS_H) * 60 + local.minute
    return minute <= since < minute + WINDOW_MINUTES


def limit_of(granted: int, own: int) -> int:
    """The lower of what the hub grants and what the station allows itself; 0 stands for no limit."""
    return min((n for n in (granted, own) if n > 0), default=0)


@dataclass(frozen=True)
class Spending:
    """What a session may cost: the station's own limit, 0 for none, and whether a person asked for it."""

    bytes_per_hour: int = 0
    by_hand: bool = False


class Ledger:
    """Counts bytes per hour and channel; at most a few pages stand in memory before they are written down."""

    def __init__(self, store: Store, clock: Clock, node: str, spending: Spending) -> None:
        self._store, self._clock, self._node, self._spending = store, clock, node, spending
        self._new: dict[str, int] = {}
        self.limit = spending.bytes_per_hour

    def grant(self, granted: int) -> None:
        """What the hub's welcome says."""
        self.limit = limit_of(granted, self._spending.bytes_per_hour)

    def add(self, channel: str, size: int) -> None:
        """A request and its answer went over the line."""
        self._new[channel] = self._new.get(channel, 0) + size
        if sum(self._new.values()) >= _FLUSH_BYTES:
            self.flush()

    def may(self, channel: str) -> bool:
        """Whether the channel may go on now."""
        if not self.limit:
            return True
        self.flush()
        now = self._clock.now()
        with self._store.read() as db:
            spent = used(db, now)
        at_night = in_window(self._node, now)
        return may(channel, spent, self.limit, by_hand=self._spending.by_hand, at_night=at_night)

    def flush(self) -> None:
        """Write down what is only in memory."""
        if not self._new:
            return
        now = self._clock.now()
        sql = (
            "INSERT INTO traffic (hour, channel, bytes) VALUES (?, ?, ?) "
            "ON CONFLICT (hour, channel) DO UPDATE SET bytes = bytes + excluded.bytes"
        )
        with self._store.write() as db:
            db.executemany(sql, [(_hour(now), channel, size) for channel, size in self._new.items()])
            db.execute("DELETE FROM traffic WHERE hour < ?", (_hour(now - KEPT),))
        self._new = {}


def used(db: Any, now: datetime) -> dict[str, int]:
    """Bytes by channel in the present hour."""
    return {r[0]: int(r[1]) for r in db.execute("SELECT channel, bytes FROM traffic WHERE hour = ?", (_hour(now),))}


def _hour(now: datetime) -> str:
    return stamp(now)[:13]
