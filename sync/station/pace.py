# SPDX-License-Identifier: Apache-2.0
"""How much to put into one request, and how long to wait for it: worked out from what the line has just done.

Pure functions over one direction of a line. The aim is a request of 5 to 8 seconds: short enough that a cut costs
little, long enough that the round trip and the headers do not eat the line. Sizes are bytes as they travel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MIN_SIZE, MAX_SIZE = 2 * 1024, 256 * 1024
START_SIZE = 16 * 1024
AIM_S, AIM_HIGH_S = 6.5, 8.0
GROW_AFTER = 3
# So far below the aim that three successes need not be waited for.
QUICK_S = 1.0
# Smaller requests measure the round trip and not the line.
MEASURED_BYTES = 1024
# Silence that is no cut: at 20 % loss TCP doubles its pause five times in a row once in some thousand segments.
SILENCE_S = 90.0
# Nothing is measured yet, or a failure has halved the rate over and over: a line is never thought slower than this.
SLOWEST_BYTES_PER_S = 128.0
# How much slower than measured a line may turn before a wait is called in vain.
MARGIN = 4.0


@dataclass(frozen=True)
class Pace:
    """One direction. `size`: the next request; `bytes_per_s`: 0 when unknown; `good`: successes since it last grew."""

    size: int = START_SIZE
    bytes_per_s: float = 0.0
    good: int = 0


def after_success(pace: Pace, size: int, seconds: float) -> Pace:
    """A request of `size` bytes took so long, round trip included."""
    rate = size / max(seconds, 0.001)
    if size >= MEASURED_BYTES:
        pace = replace(pace, bytes_per_s=rate if not pace.bytes_per_s else 0.6 * pace.bytes_per_s + 0.4 * rate)
    if 2 * size < pace.size:
        return pace  # says nothing about larger ones
    if seconds > AIM_HIGH_S:
        return replace(pace, size=_bound(max(size * AIM_S / seconds, pace.size / 2)), good=0)
    pace = replace(pace, good=pace.good + 1)
    if pace.good < GROW_AFTER and seconds >= QUICK_S:
        return pace
    fitting = size * AIM_S / max(seconds, 0.001)
    return replace(pace, size=_bound(max(pace.size, min(2 * pace.size, fitting))), good=0)


def after_failure(pace: Pace) -> Pace:
    """A request broke off or was given up: half as much next time, and twice the patience."""
    slower = max(pace.bytes_per_s / 2, SLOWEST_BYTES_PER_S) if pace.bytes_per_s else 0.0
    return Pace(_bound(pace.size / 2), slower, 0)


def patience_s(pace: Pace, size: int) -> float:
    """How long the other side may be silent while `size` bytes are under way to it.

    The system takes a whole body at once and sends it at the line's speed: what looks like silence is mostly that.
    """
    return SILENCE_S + MARGIN * size / max(pace.bytes_per_s, SLOWEST_BYTES_PER_S)


def _bound(size: float) -> int:
    return int(min(max(size, MIN_SIZE), MAX_SIZE))
