# SPDX-License-Identifier: Apache-2.0
"""The truth of the bottom bar: link, unsent, proof, numbers, clock, disk. Amber begins at a rule, not a feeling."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from node import receipts, unsent
from schema import rulebook, self_test
from schema.clock import Clock, parse_stamp, stamp
from sync.equality import incidents
from sync.station import left, outbox

OLD_UNSENT = timedelta(days=7)
CLOCK_OFF_S = 600


@dataclass(frozen=True)
class Status:
    """What is known of this station at one moment. Instants are stored stamps; None is "not yet"."""

    station: str
    at: str
    link: str
    link_since: str | None
    last_contact_at: str | None
    last_error: str | None
    unsent: int
    oldest_unsent_at: str | None
    unsent_bytes: int
    left_s: float | None
    equal_at: str | None
    unequal_since: str | None
    numbers_left: int
    clock_skew_s: float
    rules_waiting: bool
    disk_free_bytes: int

    @property
    def now(self) -> datetime:
        return parse_stamp(self.at)

    @property
    def link_for(self) -> timedelta | None:
        """How long the link has been in its present state."""
        return self._since(self.link_since)

    @property
    def unsent_for(self) -> timedelta | None:
        """The age of the oldest unsent item."""
        return self._since(self.oldest_unsent_at)

    @property
    def left_for(self) -> timedelta | None:
        """How long the line needs for all that is left both ways, at its present speed; None for nothing or unknown."""
        return timedelta(seconds=self.left_s) if self.left_s else None

    @property
    def amber(self) -> list[str]:
        """Which rules say that somebody must act: refused, unsent, unequal, numbers, rules, clock, disk."""
        rules = {
            "refused": self.link == "refused",
            "unsent": self.unsent_for is not None and self.unsent_for > OLD_UNSENT,
            "unequal": self.unequal_since is not None,
            "numbers": self.numbers_left < receipts.FEW_LEFT,
            "rules": self.rules_waiting,
            "clock": abs(self.clock_skew_s) > CLOCK_OFF_S,
            "disk": self.disk_free_bytes < self_test.DISK_LOW_BYTES,
        }
        return [name for name, holds in rules.items() if holds]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "amber": self.amber}

    def _since(self, at: str | None) -> timedelta | None:
        return max(timedelta(), self.now - parse_stamp(at)) if at else None


def read(db: Any, station: str, folder: Path, clock: Clock) -> Status:
    """The status as of now. A station that never met its hub has the link `never`."""
    known = link(db)
    return Status(
        station=station,
        at=stamp(clock.now()),
        link=known.get("state") or "never",
        link_since=known.get("since"),
        last_contact_at=known.get("last_contact_at"),
        last_error=known.get("last_error"),
        unsent=unsent.count(db),
        oldest_unsent_at=unsent.oldest_at(db),
        unsent_bytes=outbox.unsent(db).bytes_estimate,
        left_s=left.read(db, clock.now()).seconds,
        equal_at=known.get("last_equal_at"),
        unequal_since=incidents.open_since(db, ("digest", "untracked")),
        numbers_left=receipts.left(db, station),
        rules_waiting=bool(rulebook.waiting(db)),
        clock_skew_s=float(known.get("clock_skew_s") or 0),
        disk_free_bytes=shutil.disk_usage(folder).free,
    )


def link(db: Any) -> dict[str, str | None]:
    """What the exchange wrote down about the line."""
    return {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM link")}


def as_of(db: Any) -> str | None:
    """As of when the hub's data stand here: the last contact. None before the first."""
    return link(db).get("last_contact_at")
