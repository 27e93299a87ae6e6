# SPDX-License-Identifier: Apache-2.0
"""Choices read from bytes, so that whoever makes the bytes (hypothesis, atheris, a saved file) steers every choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

# What a peer would try: each stands for one line of the attack table in docs/protocol.md and docs/guards.md.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, 3, 4, -1, 127, 128, 255, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64 - 1,
    "", "0", "-1", "id", "phone", "contact", "person", "hub", "13800000000", "\x00", "a\x00b", "长" * 121, "x" * 70_000,
    "'; DROP TABLE contact; --", "contact__crsql_clock", "crsql_changes", b"", b"\x00", bytes(15), bytes(16), bytes(17),
    b"\xff" * 16, b"\x01\x0c\x10" + bytes(16), [], [[]], [None], {}, {"": ""}, {"facts": []}, 1.5, float("nan"),
)  # fmt: skip


class Reader:
    """A cursor over the input; past its end every choice is the first one."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def byte(self) -> int:
        """The next byte, 0 at the end."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def bool(self) -> bool:
        return self.byte() % 2 == 1

    def below(self, limit: int) -> int:
        """A number from 0 up to, not including, `limit` (at most 256)."""
        return self.byte() % limit

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def rest(self) -> bytes:
        """All that is left."""
        left, self._at = self._data[self._at :], len(self._data)
        return left

    def value(self) -> Any:
        """A hostile value, or the bytes that follow as number, text or blob."""
        kind = self.below(6)
        if kind < 3:
            return self.pick(VALUES)
        raw = self._data[self._at : self._at + self.below(24)]
        self._at += len(raw)
        return (int.from_bytes(raw, "big", signed=True), raw.decode("latin-1"), raw)[kind - 3]

    def mostly(self, honest: T) -> T:
        """The honest value five times in six: an input wrong everywhere is refused at its first fault."""
        return self.value() if self.byte() % 6 == 5 else honest

    def mostly_bytes(self, honest: bytes) -> bytes:
        """The honest bytes, sometimes with one of them changed."""
        if self.byte() % 3 != 2:
            return honest
        at = (self.byte() << 8 | self.byte()) % len(honest)
        return honest[:at] + bytes((honest[at] ^ (self.byte() or 1),)) + honest[at + 1 :]
