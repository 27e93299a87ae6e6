# SPDX-License-Identifier: Apache-2.0
"""When to try again: full jitter, so that 500 stations back after an outage do not arrive together."""

from __future__ import annotations

import random

BASE_S = 2.0
LONGEST_S = 900.0
_ENOUGH_DOUBLINGS = 16


def next_delay_s(k: int, rng: random.Random, retry_after_s: int | None = None) -> float:
    """Seconds to wait after the k-th failure in a row (k = 0 for the first).

    The hub's Retry-After is kept, and the jitter comes on top: everybody was told the same number.
    """
    jitter = rng.uniform(0, min(LONGEST_S, BASE_S * 2 ** min(k, _ENOUGH_DOUBLINGS)))
    return jitter + (retry_after_s or 0)
