# SPDX-License-Identifier: Apache-2.0
"""Proof that station and hub hold the same: one BLAKE2b hash over all rows of a family of slices, in key order.

Three families share no table (`slices.family`): the county's rows, the station's own, and those of its townships
together (a person may be in two of them, so several townships count as one set). Reference rows count whole; registry
cells with col_version, causal length and value. Not counted: author, db_version and order, which differ rightly between
equal replicas; facts, which their chain proves; a station's conflict rows that the hub has not confirmed yet (rev 0 or
less).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from schema import crsqlite, tables
from schema.crsqlite import ROW_SENTINEL
from schema.table import Table
from sync import codec, slices

DIGEST_BYTES = 16
_BATCH = 500


def families(held: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """family -> its slices among those held, in a fixed order."""
    out: dict[str, tuple[str, ...]] = {}
    for slice_ in sorted(held):
        name = slices.family(slice_)
        out[name] = (*out.get(name, ()), slice_)
    return dict(sorted(out.items()))


@dataclass(frozen=True)
class Found:
    """A digest and the last feed number of its slices."""

    last: int
    digest: bytes


class Cache:
    """Digests by slices, each good until the feed moves: the expensive part runs once per change, not per asker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, ...], Found] = {}

    def of(self, db: Any, wanted: tuple[str, ...]) -> Found:
        """The hub's digest of these slices (one family) now; `db` is inside a transaction."""
        marks = ", ".join("?" * len(wanted))
        last = db.execute(f"SELECT max(seq) FROM slice_feed WHERE slice IN ({marks})", wanted).fetchone()[0] or 0
        with self._lock:
            known = self._found.get(wanted)
        if known is None or known.last != last:
            known = Found(last, of_hub(db, wanted))
            with self._lock:
                self._found[wanted] = known
        return known


def of_hub(db: Any, wanted: tuple[str, ...]) -> bytes:
    """What a station of these slices should hold."""
    marks = ", ".join("?" * len(wanted))

    def where(table: Table) -> str:
        owner = slices.person_column(table)
        if owner:
            return f"{owner} IN (SELECT person_id FROM slice_member WHERE slice IN ({marks}))"
        return f"{slices.expression(table.name, 't.')} IN ({marks})"

    return _digest(db, _tables(slices.family(wanted[0])), where, wanted)


def of_node(db: Any, family: str) -> bytes:
    """What this station holds of that family."""
    return _digest(db, _tables(family), lambda table: "rev > 0" if table.name == "conflict" else "1", ())


def _tables(family: str) -> list[Table]:
    travelling = (*tables.REGISTRY, *tables.REFERENCE)
    return sorted((t for t in travelling if slices.family_of_table(t.name) == family), key=lambda t: t.name)


def _digest(db: Any, wanted: list[Table], where: Any, values: tuple[str, ...]) -> bytes:
    whole = blake2b(digest_size=DIGEST_BYTES)
    for table in wanted:
        rows = _cells if table.kind == "registry" else _rows
        for batch in _batches(rows(db, table, where(table), values)):
            whole.update(codec.dump([table.name, batch]))
        whole.update(codec.dump(table.name))
    return whole.digest()


def _rows(db: Any, table: Table, where: str, values: tuple[str, ...]) -> Iterator[list[Any]]:
    sql = f"SELECT {', '.join(table.names)} FROM {table.name} t WHERE {where} ORDER BY {', '.join(table.key)}"
    return (list(row) for row in db.execute(sql, values))


def _cells(db: Any, table: Table, where: str, values: tuple[str, ...]) -> Iterator[list[Any]]:
    """Rows as values in column order, then `column:col_version` of each; the sentinel's is the causal length."""
    names = [c for c in table.names if c not in table.key]
    number = " ".join(f"WHEN '{c}' THEN {i}" for i, c in enumerate(names))
    versions = (
        f"SELECT CASE col {number} WHEN '{ROW_SENTINEL}' THEN -1 END || ':' || col_version AS v "
        f"FROM ({crsqlite.cells_sql(table.name)}) WHERE id = t.id ORDER BY col"
    )
    sql = (
        f"SELECT t.{', t.'.join(table.names)}, (SELECT group_concat(v, ' ') FROM ({versions})) "
        f"FROM {table.name} t WHERE {where} ORDER BY t.id"
    )
    return (list(row) for row in db.execute(sql, values))


def _batches(rows: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    batch: list[list[Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
