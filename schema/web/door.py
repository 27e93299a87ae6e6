# SPDX-License-Identifier: Apache-2.0
"""Who may come in: officer number and password, without any network.

The password check is the unwrapping of the officer's signing key. An answer does not tell whether a number exists:
unknown numbers get the same words, the same count of tries, the same lock, and cost the same time.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import keys
from schema.clock import Clock
from schema.errors import Locked, NotAllowed, TownshipError, WrongKey, WrongPassword
from schema.web import formats
from schema.web.texts import Catalogue

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
_OPERATOR_NO = re.compile(r"[0-9A-Za-z]{1,20}", re.ASCII)


@dataclass(frozen=True)
class Officer:
    """An officer as the login sees one. `must_change`: the password was set by somebody else."""

    operator_no: str
    name: str
    roles: tuple[str, ...]
    station: str
    wrapped_key: bytes
    public_key: bytes
    disabled_on: date | None = None
    must_change: bool = False


@dataclass(frozen=True)
class Failures:
    """Wrong passwords since the last right one, and when the latest was."""

    count: int = 0
    last_at: datetime | None = None


class OfficerStore(Protocol):
    """What the app keeps about officers. Failures must survive a restart, or the lock is worthless."""

    def find(self, operator_no: str) -> Officer | None:
        """The officer of that number who may work at this place; None for all others."""
        ...

    def failures(self, operator_no: str) -> Failures:
        """`Failures()` when there are none; also kept for numbers nobody has."""
        ...

    def record_failure(self, operator_no: str, at: datetime) -> None:
        """One more; also for numbers nobody has."""
        ...

    def clear(self, operator_no: str) -> None:
        """Forget the failures."""
        ...

    def rewrap(self, operator_no: str, wrapped_key: bytes) -> None:
        """The officer chose a new password: keep the new blob and take back `must_change`."""
        ...


class Door:
    """Login and change of password over an OfficerStore."""

    def __init__(self, store: OfficerStore, clock: Clock, texts: Catalogue, cost: keys.Cost = keys.STANDARD) -> None:
        self.store = store
        self._clock = clock
        self._texts = texts
        self._cost = cost
        self._decoy = keys.decoy(cost)
        # Two attempts at once must not both be "the fourth".
        self._one_at_a_time = threading.Lock()

    def open(self, operator_no: str, password: str) -> tuple[Officer, Ed25519PrivateKey]:
        """The officer and the unlocked key. Raises WrongPassword, Locked, NotAllowed (disabled), WrongKey."""
        if not _OPERATOR_NO.fullmatch(operator_no):
            raise WrongPassword(**self._texts.both("login.wrong", n=MAX_FAILURES - 1))
        with self._one_at_a_time:
            self._refuse_locked(operator_no)
            officer = self.store.find(operator_no)
            try:
                key = keys.unwrap(officer.wrapped_key if officer else self._decoy, password)
            except WrongPassword:
                raise self._failed(operator_no) from None
            if officer is None or key.public_key().public_bytes_raw() != officer.public_key:
                raise WrongKey(**self._texts.both("login.damaged"))
            if self.disabled(officer):
                raise NotAllowed(**self._texts.both("login.disabled", on=formats.day(officer.disabled_on)))
            self.store.clear(operator_no)
            return officer, key

    def change(self, officer: Officer, old: str, new: str) -> None:
        """Wrap the officer's key anew. Raises WrongPassword and Locked as `open` does; the new one is judged before."""
        with self._one_at_a_time:
            self._refuse_locked(officer.operator_no)
            try:
                wrapped = keys.rewrap(officer.wrapped_key, old, new, self._cost)
            except WrongPassword:
                raise self._failed(officer.operator_no) from None
            self.store.rewrap(officer.operator_no, wrapped)

    def disabled(self, officer: Officer) -> bool:
        """Whether the officer's number has been taken out of use."""
        return officer.disabled_on is not None and officer.disabled_on <= self._clock.today()

    def _refuse_locked(self, operator_no: str) -> None:
        now = self._clock.now()
        failures = self.store.failures(operator_no)
        last_at = failures.last_at
        if last_at is None or failures.count < MAX_FAILURES:
            return
        if last_at > now:
            # The station's clock was set back. Count from now: else the lock would last until the clock catches up.
            self.store.clear(operator_no)
            for _ in range(failures.count):
                self.store.record_failure(operator_no, now)
            last_at = now
        if now < last_at + LOCKED_FOR:
            raise self._locked(last_at)
        self.store.clear(operator_no)

    def _failed(self, operator_no: str) -> TownshipError:
        """Count it; the answer is what the officer is told."""
        now = self._clock.now()
        self.store.record_failure(operator_no, now)
        left = MAX_FAILURES - self.store.failures(operator_no).count
        if left <= 0:
            return self._locked(now)
        return WrongPassword(**self._texts.both("login.wrong", n=left))

    def _locked(self, last_at: datetime) -> Locked:
        return Locked(**self._texts.both("login.locked", until=formats.hour(last_at + LOCKED_FOR)))
