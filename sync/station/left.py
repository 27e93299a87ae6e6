# SPDX-License-Identifier: Apache-2.0
"""Station: what is left to send and to fetch, per channel, and how long that takes at the present speed.

What is left to send stands in the outbox. What is left to fetch is what the hub counted in its last welcome, less the
pages applied since; a session writes it down as it goes, so that any process of the station can show it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schema.clock import Clock, parse_stamp, stamp
from sync.station import line, outbox
from sync.station.link import Link
from sync.wire import frame

_LEFT, _STAGE = "left", "stage"
# A session that has not moved for so long was killed: its last word is not the present.
_STALE = timedelta(minutes=15)
_EVERY = timedelta(seconds=1)


@dataclass(frozen=True)
class Left:
    """One channel in one direction (`up` to the hub, `down` from it). `bytes` as they travel, estimated."""

    channel: str
    direction: str
    items: int
    bytes: int


@dataclass(frozen=True)
class Outlook:
    """`stage`: '' when no session runs. `seconds`: None when the speed is unknown; 0 when nothing is left."""

    stage: str
    done: int
    left: tuple[Left, ...]
    up_bytes_per_s: float
    down_bytes_per_s: float
    seconds: float | None

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.left)


def read(db: Any, now: datetime) -> Outlook:
    """As of now."""
    rows = dict(db.execute("SELECT name, value FROM link WHERE name IN ('pace', ?, ?)", (_LEFT, _STAGE)).fetchall())
    up, down, each = line.paces(rows.get("pace"))
    counted: dict[str, int] = json.loads(rows.get(_LEFT) or "{}")
    left = [*_to_send(db, each)]
    left += [Left(c, "down", n, round(n * each[c])) for c, n in counted.items() if n and c in each]
    stage, done = _stage(rows.get(_STAGE), now)
    rates = {"up": up.bytes_per_s, "down": down.bytes_per_s}
    return Outlook(stage, done, tuple(left), up.bytes_per_s, down.bytes_per_s, _seconds(left, rates))


def _seconds(left: list[Left], rates: Mapping[str, float]) -> float | None:
    either = max(rates.values())  # a direction not measured yet is taken to be like the other
    if left and not either:
        return None
    return sum(one.bytes / (rates[one.direction] or either) for one in left)


def _to_send(db: Any, each: Mapping[str, float]) -> list[Left]:
    framed = {
        r[0]: (int(r[1]), int(r[2]))
        for r in db.execute(
            "SELECT channel, coalesce(sum(items), 0), coalesce(sum(length(bytes)), 0) FROM outbox_frame "
            "WHERE acked_at IS NULL GROUP BY channel"
        )
    }
    origin, epoch = outbox.identity(db)
    sql = "SELECT count(*) FROM fact WHERE origin = ? AND epoch = ? AND seq > ?"
    facts = db.execute(sql, (origin, epoch, outbox.framed(db, "evt"))).fetchone()[0]
    rows = sum(outbox.count_own(db, table, outbox.framed(db, "reg")) for table in outbox.REGISTRY_NAMES)
    waiting = {"evt": int(facts), "reg": rows}
    out = []
    for channel in frame.PUSHED:
        items, size = framed.get(channel, (0, 0))
        new = waiting.get(channel, 0)
        if items or new:
            out.append(Left(channel, "up", items + new, size + round(new * each[channel])))
    return out


def _stage(stored: str | None, now: datetime) -> tuple[str, int]:
    said = json.loads(stored) if stored else None
    if not said or abs(now - parse_stamp(said["at"])) > _STALE:
        return "", 0
    return said["stage"], said["done"]


class Telling:
    """Writes down how far a session is, at most once a second, and hands it on to whoever listens."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._told = ""
        self._at: datetime | None = None
        self.left: dict[str, int] = {}

    def expect(self, left: Mapping[str, int]) -> None:
        """What the hub has for this station, by channel."""
        self.left = dict(left)
        self._at = None

    def fetched(self, channel: str, items: int) -> None:
        """A page was applied."""
        if channel in self.left:
            self.left[channel] = max(0, self.left[channel] - items)

    def tell(self, stage: str, done: int) -> None:
        """Write it down when the stage changed or a second has passed."""
        now = self._clock.now()
        if stage == self._told and self._at is not None and abs(now - self._at) < _EVERY:
            return
        self._told, self._at = stage, now
        said = json.dumps({"stage": stage, "done": done, "at": stamp(now)})
        self._link.put({_STAGE: said, _LEFT: json.dumps(self.left)})

    def end(self, *, caught_up: bool) -> None:
        """The session is over; what it did not fetch is still left."""
        self._link.put({_STAGE: "", _LEFT: "{}" if caught_up else json.dumps(self.left)})
