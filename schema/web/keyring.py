# SPDX-License-Identifier: Apache-2.0
"""Unlocked signing keys: in this process's memory only, one per session, gone at lock, logout, idleness or restart.

The ring is the authority on who is logged in: a session cookie whose token is not in the ring is nobody. So a stolen
cookie is worth nothing after the lock, and a restart logs everybody out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.ids import new_id, to_text

IDLE_S = 300.0
DAY_S = 12 * 3600.0


@dataclass
class _Held:
    operator_no: str
    key: Ed25519PrivateKey
    since_s: float
    seen_s: float


class KeyRing:
    """Session token -> officer number and key. Safe to use from several threads."""

    def __init__(self, idle_s: float = IDLE_S, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`idle_s`: seconds without a request after which a session ends. Wall clocks jump; `monotonic` does not."""
        self.idle_s = idle_s
        self._monotonic = monotonic
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def hold(self, operator_no: str, key: Ed25519PrivateKey) -> str:
        """Begin a session; returns its token."""
        now_s = self._monotonic()
        token = to_text(new_id())
        with self._lock:
            self._held[token] = _Held(operator_no, key, now_s, now_s)
        return token

    def operator_no(self, token: str) -> str | None:
        """Whose session that is; None when it has ended."""
        held = self._get(token)
        return held.operator_no if held else None

    def key(self, token: str) -> Ed25519PrivateKey | None:
        """The unlocked key of that session; None when it has ended."""
        held = self._get(token)
        return held.key if held else None

    def touch(self, token: str) -> None:
        """The officer did something: idleness is counted anew."""
        held = self._get(token)
        if held:
            held.seen_s = self._monotonic()

    def drop(self, token: str) -> None:
        """End one session."""
        with self._lock:
            self._held.pop(token, None)

    def drop_officer(self, operator_no: str, keep: str = "") -> None:
        """End an officer's sessions, except the one named: after a change of password, or when disabled."""
        with self._lock:
            for token in [t for t, held in self._held.items() if held.operator_no == operator_no and t != keep]:
                del self._held[token]

    def sweep(self) -> None:
        """Forget every key whose session has ended. Called on each look-up; a periodic task may call it too."""
        now_s = self._monotonic()
        with self._lock:
            for token, held in list(self._held.items()):
                if now_s - held.seen_s >= self.idle_s or now_s - held.since_s >= DAY_S:
                    del self._held[token]

    def _get(self, token: str) -> _Held | None:
        self.sweep()
        with self._lock:
            return self._held.get(token)
