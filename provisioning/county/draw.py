# SPDX-License-Identifier: Apache-2.0
"""Weighted draws that are fast and, for one seed, always the same."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")

RARE_FROM = 3  # how flat `by_rank` begins: weights 1/3, 1/4, 1/5 ...


class Choice(Generic[T]):
    """Items with weights, ready to draw from."""

    def __init__(self, items: Sequence[T], weights: Sequence[float]) -> None:
        self.items = tuple(items)
        self._sums = tuple(accumulate(weights))
        self._total = self._sums[-1]

    @classmethod
    def by_rank(cls, items: Sequence[T]) -> Choice[T]:
        """Earlier items are more frequent, as names are."""
        return cls(items, [1 / (rank + RARE_FROM) for rank in range(len(items))])

    @classmethod
    def of(cls, weights: dict[T, float]) -> Choice[T]:
        """From `{item: weight}`."""
        return cls(tuple(weights), tuple(weights.values()))

    def draw(self, rng: random.Random) -> T:
        """One item."""
        return self.items[bisect(self._sums, rng.random() * self._total)]


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to `weights` that add up to `total` exactly."""
    ends = [round(total * s / sum(weights)) for s in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends[:-1]], ends, strict=True)]
