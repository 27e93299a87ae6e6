# SPDX-License-Identifier: Apache-2.0
"""What lies on which reader now, and the pages that wait to hear of it. In memory only: a card is nobody's record.

A driver puts, pages look and wait. Each happening has a number; the page that takes it first has it, so one card opens
one page. What a card said is forgotten when the next one comes or when nobody has needed it for `KEPT_S`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from node.card.reading import Card

KEPT_S = 300.0
FRESH_S = 15.0  # a page that looks again after an hour must not jump to a card of an hour ago
MAX_WAITING = 3  # each waiting page holds one of the server's threads

EMPTY, READING, READ, PROBLEM = "empty", "reading", "read", "problem"


@dataclass(frozen=True)
class Happening:
    """One reader at one moment. `card` only when it was read, `problem` (a key of WORDS) only when it was not."""

    n: int
    reader: str
    state: str
    card: Card | None = None
    problem: str = ""
    put_s: float = 0.0

    @property
    def fresh(self) -> bool:
        """Whether it has only just happened."""
        return time.monotonic() - self.put_s < FRESH_S


class Board:
    """`service_problem` tells why there are no readers at all; '' when there are."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._n = 0
        self._now: dict[str, Happening] = {}
        self._kept: dict[str, Happening] = {}
        self._taken: set[int] = set()
        self._waiting: list[object] = []
        self._closed = False
        self.service_problem = ""
        self.seen_reader = False

    # ---- what drivers do -------------------------------------------------------------------------------------------

    def put(self, reader: str, state: str, *, card: Card | None = None, problem: str = "") -> None:
        """This reader's state now. A new card or an emptied reader makes the last one's reading unreachable in time."""
        with self._changed:
            self._n += 1
            now = Happening(self._n, reader, state, card, problem, time.monotonic())
            self._now[reader] = now
            if state in (READING, READ, PROBLEM):
                self._kept[reader] = now
            self.service_problem, self.seen_reader = "", True
            self._changed.notify_all()

    def only(self, readers: set[str]) -> None:
        """The readers there are: others went, with what was read on them."""
        with self._changed:
            for gone in set(self._now) - readers:
                del self._now[gone]
                self._kept.pop(gone, None)
            self._changed.notify_all()

    def out_of_service(self, problem: str) -> None:
        """No readers, for this reason (a key of WORDS)."""
        self.only(set())
        with self._changed:
            if self.service_problem != problem:
                self._n += 1
                self.service_problem = problem
                self._changed.notify_all()

    def close(self) -> None:
        """Let every waiting page go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # ---- what pages do ---------------------------------------------------------------------------------------------

    def readers(self) -> list[Happening]:
        """Every reader as it is now, by name; without what was read."""
        with self._changed:
            return [replace(self._now[name], card=None) for name in sorted(self._now)]

    def latest(self) -> int:
        """The number of the last happening: a page that begins to listen hears what comes after it."""
        with self._changed:
            return self._n

    def wait(self, after: int, mine: Callable[[str], bool], timeout_s: float) -> Happening | None:
        """The newest happening after that number on a reader of mine; None when the time is over or others wait."""
        ticket = object()
        after = min(after, self.latest())  # a number from before a restart means nothing now
        until = time.monotonic() + timeout_s
        with self._changed:
            self._waiting.append(ticket)
            del self._waiting[:-MAX_WAITING]
            self._changed.notify_all()
            try:
                while True:
                    found = [h for h in self._now.values() if h.n > after and mine(h.reader)]
                    left_s = until - time.monotonic()
                    if found or left_s <= 0 or self._closed or ticket not in self._waiting:
                        return max(found, key=lambda h: h.n, default=None)
                    self._changed.wait(left_s)
            finally:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)

    def take(self, n: int, mine: Callable[[str], bool]) -> Happening | None:
        """The happening of that number, for the first who asks; None for all others."""
        with self._changed:
            kept = self._find(n, mine)
            if kept is None or n in self._taken:
                return None
            self._taken = {k for k in self._taken if k > n - 1000} | {n}
            return kept

    def card(self, n: int, mine: Callable[[str], bool]) -> Card | None:
        """What was read then, while it is kept."""
        with self._changed:
            kept = self._find(n, mine)
            return kept.card if kept else None

    def forget(self, reader: str) -> None:
        """Drop what was read on this reader: its person has been dealt with."""
        with self._changed:
            self._kept.pop(reader, None)
            if reader in self._now:
                self._now[reader] = replace(self._now[reader], card=None)

    def _find(self, n: int, mine: Callable[[str], bool]) -> Happening | None:
        oldest_s = time.monotonic() - KEPT_S
        self._kept = {name: h for name, h in self._kept.items() if h.put_s > oldest_s}
        return next((h for h in self._kept.values() if h.n == n and mine(h.reader)), None)
