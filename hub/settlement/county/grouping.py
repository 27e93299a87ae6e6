# SPDX-License-Identifier: Apache-2.0
"""Groups of equal neighbours in sorted columns: where they begin, what they sum to. Whole numbers throughout: the
counting functions of numpy that take weights compute in floating point, and a fen is lost above 2^53.
"""

from __future__ import annotations

import numpy as np

from hub.settlement.county.columns import Ints


def starts_of(*keys: Ints) -> Ints:
    """The first place of each group of rows with the same keys; the rows are sorted by them."""
    if not len(keys[0]):
        return np.zeros(0, np.int64)
    changes = np.zeros(len(keys[0]), bool)
    changes[0] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changes)


def sums_at(values: Ints, starts: Ints) -> Ints:
    """The sum of each group."""
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0, np.int64)


def found_at(sorted_keys: Ints, wanted: Ints) -> tuple[Ints, np.ndarray]:
    """(place, whether it is there) of each wanted key."""
    place = np.minimum(np.searchsorted(sorted_keys, wanted), max(len(sorted_keys) - 1, 0))
    there = sorted_keys[place] == wanted if len(sorted_keys) else np.zeros(len(wanted), bool)
    return place, there
