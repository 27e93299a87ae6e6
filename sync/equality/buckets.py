# SPDX-License-Identifier: Apache-2.0
"""Digests that are kept: after a change only the buckets it touched are computed again, from the rows themselves.

What is kept says up to where it counts. At the hub that is a feed number: what lies behind it in the feeds of the
slices is computed again. At a station triggers note what changed (`schema.noticing`), and versions of cells say which
clocks moved. Nothing is added or taken off: a bucket's hash is always that of its rows as they are now, so a crash
between a change and the next look costs nothing. Once a week, and whenever somebody asks, all is computed from nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from schema import crsqlite, database, tables
from schema.clock import parse_stamp, stamp
from schema.database import Store
from schema.table import Table
from sync import slices
from sync.equality import digest
from sync.equality.digest import Scope
from sync.hub import publish

FULL_EVERY = timedelta(days=7)
_REGISTRY = tuple(t.name for t in tables.REGISTRY)
# Past this many, reading all rows in order is quicker than looking each bucket up.
_MANY = digest.BUCKETS // 4


@dataclass(frozen=True)
class Kept:
    """A digest, how far it counts, and the hashes of each group's buckets."""

    position: int
    full_at: str
    groups: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        return digest.root_of(self.groups)


@dataclass(frozen=True)
class Found:
    """A digest and the last feed number of its slices."""

    last: int
    root: bytes


class AtHub:
    """The hub's digests by slices. One thread computes at a time; the others find what it kept."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, threading.Lock()

    def of(self, wanted: tuple[str, ...], now: datetime) -> Found:
        """The digest of these slices (one family) now."""
        with self._store.read() as db:
            last, known = _last(db, wanted), _load(db, _name(wanted))
            moved = db.execute("SELECT coalesce(max(seq), -1) FROM digest_moved").fetchone()[0]
        if known is not None and known.position >= last and known.position > moved and not _is_old(known.full_at, now):
            return Found(last, known.root)
        last, kept = self.kept(wanted, now)
        return Found(last, kept.root)

    def kept(self, wanted: tuple[str, ...], now: datetime, *, full: bool = False) -> tuple[int, Kept]:
        """(last feed number of these slices, their digest with all its parts). `full`: from all rows."""
        name, scope = _name(wanted), Scope.at_hub(wanted)
        with self._lock:
            with self._store.read() as db:
                last, kept = _last(db, wanted), _load(db, name)
                changed = _fed_since(db, wanted, kept.position) if kept else None
                fresh = _renewed(db, scope, kept, None if full else changed, publish.head(db), now)
            if fresh is kept:
                return last, fresh
            with self._store.write() as db:
                # Another process may have been quicker, or all were forgotten: then this is for this answer only.
                known = _load(db, name)
                if (known and known.position) == (kept and kept.position):
                    _keep(db, name, kept, fresh)
            return last, fresh


def of_node(db: Any, family: str, now: datetime, *, full: bool = False) -> Kept:
    """This station's digest of a family, from what is kept where that still holds. `db` is in a write transaction.

    `full`: from all rows.
    """
    scope, kept = Scope(family), _load(db, family)
    names = [t.name for t in scope.tables]
    changed = _noted(db, names, kept.position) if kept and not full else None
    position = max(crsqlite.max_version(db, _REGISTRY), kept.position if kept else 0)
    fresh = _renewed(db, scope, kept, changed, position, now)
    if fresh is not kept:
        _keep(db, family, kept, fresh)
        db.executemany("DELETE FROM digest_changed WHERE tbl = ?", ((name,) for name in names))
    return fresh


def forget(db: Any) -> None:
    """Compute all anew at the next look: after a restore, or when rows were written past everything that notices."""
    db.execute("DELETE FROM digest_kept")


def _renewed(db: Any, scope: Scope, kept: Kept | None, changed: set[int] | None, position: int, now: datetime) -> Kept:
    """`changed` None: from all rows. What is kept itself when nothing changed."""
    if kept is None or changed is None or _is_old(kept.full_at, now):
        found = digest.hashes(db, scope)
        return Kept(position, stamp(now), tuple(digest.group(found, n) for n in range(digest.GROUPS)))
    if not changed:
        return kept if kept.position == position else replace(kept, position=position)
    found = digest.hashes(db, scope, changed if len(changed) <= _MANY else None)
    groups = list(kept.groups)
    for number in {bucket // digest.BUCKETS_IN_GROUP for bucket in changed}:
        old = digest.ungroup(groups[number], number)
        groups[number] = digest.group(old | {b: found.get(b, digest.EMPTY) for b in changed & set(old)}, number)
    return Kept(position, kept.full_at, tuple(groups))


def _fed_since(db: Any, wanted: tuple[str, ...], position: int) -> set[int] | None:
    """Buckets of the rows fed to these slices behind `position`; None: a table without ids changed."""
    moved = db.execute("SELECT prefix FROM digest_moved WHERE seq >= ?", (position,))
    out = {digest.bucket_of(bytes(row[0])) for row in moved}
    for channel in ("ref", "reg"):
        for slice_ in wanted:
            sql = "SELECT tbl, pk FROM slice_feed WHERE slice = ? AND channel = ? AND seq > ?"
            for name, key in db.execute(sql, (slice_, channel, position)).fetchall():
                table = tables.TABLES[name]
                if not table.owner_column:
                    return None
                out |= {digest.bucket_of(owner) for owner in _owner(db, table, bytes(key))}
    return out


def _owner(db: Any, table: Table, key: bytes) -> list[bytes]:
    """The owner of a row by its key; [] when the row is gone, which `digest_moved` has noted."""
    if table.owner_column in table.key:
        return [bytes(slices.key_values(table, key)[table.key.index(table.owner_column)])]
    found = db.execute(f"SELECT {table.owner_column} FROM {table.name} WHERE {table.key[0]} = ?", (key,))
    return [bytes(row[0]) for row in found]


def _noted(db: Any, names: list[str], position: int) -> set[int] | None:
    """Buckets that changed at a station; None: a table without ids changed."""
    out: set[int] = set()
    marks = ", ".join("?" * len(names))
    for row in db.execute(f"SELECT prefix FROM digest_changed WHERE tbl IN ({marks})", names):
        if not row[0]:
            return None
        out.add(digest.bucket_of(bytes(row[0])))
    for table in set(names) & set(_REGISTRY):
        out |= {digest.bucket_of(row_id) for row_id in crsqlite.rows_changed_since(db, table, position)}
    return out


def _is_old(full_at: str, now: datetime) -> bool:
    # abs: after a day on which the clock ran ahead, it would be trusted until that day comes.
    return abs(now - parse_stamp(full_at)) > FULL_EVERY


def _last(db: Any, wanted: tuple[str, ...]) -> int:
    marks = ", ".join("?" * len(wanted))
    return db.execute(f"SELECT max(seq) FROM slice_feed WHERE slice IN ({marks})", wanted).fetchone()[0] or 0


def _name(wanted: tuple[str, ...]) -> str:
    return ",".join(wanted)


def _load(db: Any, name: str) -> Kept | None:
    row = db.execute("SELECT position, full_at FROM digest_kept WHERE name = ?", (name,)).fetchone()
    found = db.execute("SELECT hashes FROM digest_group WHERE name = ? ORDER BY number", (name,)).fetchall()
    if row is None or len(found) != digest.GROUPS:
        return None
    return Kept(row[0], row[1], tuple(bytes(group[0]) for group in found))


def _keep(db: Any, name: str, before: Kept | None, fresh: Kept) -> None:
    database.upsert(db, "digest_kept", {"name": name, "position": fresh.position, "full_at": fresh.full_at})
    for number, hashes in enumerate(fresh.groups):
        if before is None or before.groups[number] != hashes:
            database.upsert(db, "digest_group", {"name": name, "number": number, "hashes": hashes})
