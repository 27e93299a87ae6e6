# SPDX-License-Identifier: Apache-2.0
"""One root over all results of a month: whoever has it can tell whether a single fen of a single person was changed.

A leaf is the SHA-256 of `ROWS` rows of a table as little-endian int64, column after column; leaves are paired up level
by level, an odd one goes up as it is; the month's root is that of the tables' roots, each with its name and length. Any
way of computing the month that gives the same rows in the same order gives the same root.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np

from hub.settlement.county.columns import Table

ROWS = 4096
LEAF, NODE = b"\0", b"\1"


def leaf(table: Table, first: int) -> bytes:
    """The hash of the rows from `first`."""
    digest = sha256(LEAF)
    for _, values in table.columns():
        digest.update(np.ascontiguousarray(values[first : first + ROWS], "<i8").data)
    return digest.digest()


def leaves(table: Table) -> list[bytes]:
    """All leaves of a table; an empty table has one."""
    return [leaf(table, first) for first in range(0, max(len(table), 1), ROWS)]


def above(level: list[bytes]) -> bytes:
    """The root over these hashes."""
    while len(level) > 1:
        pairs = [sha256(NODE + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
    return level[0]


def table_root(name: str, table: Table) -> bytes:
    """The root of one table, bound to its name and length."""
    return sha256(NODE + f"{name}:{len(table)}:".encode() + above(leaves(table))).digest()


def root(tables: Mapping[str, Table]) -> str:
    """The root of a month (hex)."""
    return above([table_root(name, table) for name, table in tables.items()]).hex()
