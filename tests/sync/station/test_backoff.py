# SPDX-License-Identifier: Apache-2.0
"""Waiting: random, growing, bounded, and never less than the hub asked for."""

from __future__ import annotations

import random

import pytest

from sync.station.backoff import LONGEST_S, next_delay_s


@pytest.mark.parametrize(("k", "longest"), [(0, 2), (3, 16), (8, 512), (9, LONGEST_S), (10_000, LONGEST_S)])
def test_full_jitter_up_to_a_doubling_bound(k: int, longest: float) -> None:
    delays = [next_delay_s(k, random.Random(seed)) for seed in range(300)]

    assert 0 <= min(delays) < 0.05 * longest
    assert 0.95 * longest < max(delays) <= longest


def test_what_the_hub_asked_for_is_kept_and_spread() -> None:
    delays = {next_delay_s(2, random.Random(seed), retry_after_s=30) for seed in range(50)}

    assert min(delays) >= 30
    assert len(delays) == 50
