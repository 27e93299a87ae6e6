# SPDX-License-Identifier: Apache-2.0
"""Cells of a station meet the hub's: find concurrent edits first, then merge. `conflicts` keeps every loser.

Rule H (here, in the merging transaction, before the merge): a pushed cell conflicts when the hub's cell changed after
the hub state the edit was based on, by another author, to another value. Comparing col_version instead misses 13 % of
concurrent edits. Rule N (`pull`) finds the ones that lose at the station before the hub ever sees them. A cell that an
INSERT left NULL is nobody's edit, and equal values are agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from schema import crsqlite, crsqlite_rows, database
from schema.crsqlite import Cell
from schema.crsqlite_rows import NewerRow
from sync.wire import validator
from sync.wire.codec import WireCell
from sync.wire.receipt import Refused

# What the database says of a value rather than of itself (full disk, lock, damage): SQLITE_ERROR, TOOBIG, CONSTRAINT,
# MISMATCH, RANGE. Only these make a row poison; anything else fails the frame, which is simply sent again.
_POISON = (1, 18, 19, 20, 25)
# While a savepoint is open SQLite keeps a copy of every page for every statement inside it: time and memory grow with
# the square. 16,000 cells took 6.3 s of CPU in savepoints of 3,200, 0.9 s in savepoints of 64 cells, 0.7 s in none.
_ROWS_IN_A_SAVEPOINT = 32

Row = list[WireCell]
Address = tuple[str, bytes]


@dataclass
class Outcome:
    """What came of a frame's cells."""

    applied: int = 0
    lost: int = 0
    conflicts: int = 0
    refused: list[tuple[Refused, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Clash:
    """A pushed cell against the hub's cell of another author."""

    incoming: WireCell
    stored: Cell


def find_clashes(
    row: Iterable[WireCell], stored: dict[str, Cell], site: bytes, version_at: Callable[[int], int]
) -> list[Clash]:
    """Rule H for one row. `site` is the pushing station's author id, `version_at` translates a base (`publish`)."""
    out = []
    for cell in row:
        known = stored.get(cell.column)
        if known is None or known.site == site or known.db_version <= version_at(cell.extra):
            continue
        if known.value == cell.value or never_written(cell):
            continue
        # Erased and written anew (rule R): there even the NULL that the new row left beats an edit of the old one.
        if never_written(known) and cell.causal_length == known.causal_length:
            continue
        out.append(Clash(cell, known))
    return out


def never_written(cell: Cell | WireCell) -> bool:
    """Whether the cell is only the NULL that its row's INSERT left."""
    return cell.value is None and cell.col_version <= 1


def overwrite(db: Any, rows: Iterable[Row], seen: Callable[[Row], int], site: bytes) -> set[Address]:
    """Merge the rows of which nothing has to be decided, many at once; returns which these were.

    Their cells must be sound (`validator.sound_columns`). `seen`: the version that the author of a row's edits knew.
    """
    alike: dict[tuple[str, ...], list[NewerRow]] = {}
    for row in rows:
        name = (row[0].table, *[cell.column for cell in row])
        newer = NewerRow(row[0].row_id, seen(row), [(cell.value, cell.col_version) for cell in row])
        alike.setdefault(name, []).append(newer)
    done: set[Address] = set()
    for (table, *columns), found in alike.items():
        try:
            with database.savepoint(db, "merge"):
                left = crsqlite_rows.overwrite(db, table, columns, found, site, step=validator.MAX_VERSION_JUMP)
        except database.DatabaseError as error:
            if not is_poison(error):
                raise
            continue  # which row it is comes out when they go one by one
        done |= {(table, row.row_id) for row in found if row.row_id not in left}
    return done


def merge_rows(db: Any, rows: list[Row], site: bytes, poisoned: Callable[[Row], None]) -> int:
    """Merge checked rows; returns how many cells won. A row that the database rejects goes to `poisoned`."""
    parts = (rows[i : i + _ROWS_IN_A_SAVEPOINT] for i in range(0, len(rows), _ROWS_IN_A_SAVEPOINT))
    return sum(_merge_part(db, part, site, poisoned) for part in parts)


def _merge_part(db: Any, rows: list[Row], site: bytes, poisoned: Callable[[Row], None]) -> int:
    """P5: a rejected row leaves earlier side effects behind, so a part is in a savepoint; on an error it is halved
    until the bad row stands alone.
    """
    try:
        with database.savepoint(db, "merge"):
            return crsqlite.apply(db, (as_cell(cell) for row in rows for cell in row), site)
    except database.DatabaseError as error:
        if not is_poison(error):
            raise
        if len(rows) == 1:
            poisoned(rows[0])
            return 0
    half = len(rows) // 2
    return _merge_part(db, rows[:half], site, poisoned) + _merge_part(db, rows[half:], site, poisoned)


def is_poison(error: Exception) -> bool:
    """Whether a database error blames the data: the same data fails again, so it must be set aside."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _POISON


def as_cell(cell: WireCell, site: bytes | None = None) -> Cell:
    """A wire cell in the extension module's form."""
    return Cell(cell.table, cell.row_id, cell.column, cell.value, cell.col_version, 0, cell.causal_length, site)
