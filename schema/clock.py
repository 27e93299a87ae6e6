# SPDX-License-Identifier: Apache-2.0
"""The only module that reads the clock.

An instant is stored as UTC text `YYYY-MM-DDTHH:MM:SS.mmmZ` (sorts as text); a legal date is China's civil date.
A station's clock is a statement, never a judge: the hub's receive time is the legal one and no merge looks at either.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

CHINA = timezone(timedelta(hours=8), "CST")


class Clock(Protocol):
    """Whoever needs the time is given a Clock."""

    def now(self) -> datetime:
        """Aware UTC instant."""
        ...

    def today(self) -> date:
        """China's civil date."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return self.now().astimezone(CHINA).date()


class FixedClock:
    """A clock that stands until it is moved; for tests, rehearsals and reproducible runs."""

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self.at

    def today(self) -> date:
        return self.at.astimezone(CHINA).date()

    def advance(self, **units: float) -> None:
        """Move on, e.g. `advance(minutes=5)`."""
        self.at += timedelta(**units)


def stamp(instant: datetime) -> str:
    """An instant as stored text, UTC, milliseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def parse_stamp(text: str) -> datetime:
    """Stored text back to an aware instant. Raises ValueError for any other form."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def local(text: str) -> datetime:
    """A stored instant as China's civil time, for screens and slips."""
    return parse_stamp(text).astimezone(CHINA)
