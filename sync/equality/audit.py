# SPDX-License-Identifier: Apache-2.0
"""What each side looks at by itself: rows no exchange would carry (guard P1), digests that are not those of the rows.

A write while the extension does not track leaves no clock: nobody ever sends it. New rows of that kind are counted
here, each night; a changed value in an old row shows only as a difference of the digests (`proof`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from schema import crsqlite_rows, database, tables
from schema.clock import Clock, stamp
from schema.database import Store
from sync.equality import buckets, digest, incidents
from sync.equality.buckets import AtHub

log = logging.getLogger(__name__)
Progress = Callable[[str, int], None] | None
"""Called with the name of what is being computed and how many were done before."""


def untracked(db: Any) -> dict[str, int]:
    """Rows without any clock, by registry table; tables without such rows are left out."""
    found = {t.name: crsqlite_rows.count_untracked(db, t.name) for t in tables.REGISTRY}
    return {table: count for table, count in found.items() if count}


def nightly(store: Store, clock: Clock) -> None:
    """Count untracked rows; an incident while there are any."""
    with store.write() as db:
        found, at = untracked(db), stamp(clock.now())
        me = (database.setting(db, "node_id") or b"").decode()
        if found:
            incidents.record(db, "untracked", me, " ".join(f"{table} {n}" for table, n in found.items()), at)
            log.error("rows without clocks in %s", ", ".join(found))
        else:
            incidents.repaired(db, "untracked", me, at)


def verify_node(store: Store, held: tuple[str, ...], now: datetime, tell: Progress) -> dict[str, bool]:
    """family -> whether the digest kept is that of all rows; one that is not is replaced."""
    out = {}
    for done, family in enumerate(digest.families(held)):
        if tell:
            tell(family, done)
        with store.write() as db:
            kept = buckets.of_node(db, family, now).root
            out[family] = kept == buckets.of_node(db, family, now, full=True).root
    return out


def verify_hub(store: Store, now: datetime, tell: Progress) -> dict[str, bool]:
    """Slices -> whether the digest kept for them is that of all rows; one that is not is replaced.

    A row fed while this runs may count in the second computation and not in the first: then they are computed again.
    """
    kept = AtHub(store)
    with store.read() as db:
        names = [row[0] for row in db.execute("SELECT name FROM digest_kept ORDER BY name")]
    out = {}
    for done, name in enumerate(names):
        if tell:
            tell(name, done)
        out[name] = _same(kept, tuple(name.split(",")), now)
    return out


def _same(kept: AtHub, held: tuple[str, ...], now: datetime) -> bool:
    while True:
        before, had = kept.kept(held, now)
        after, right = kept.kept(held, now, full=True)
        if had.root == right.root or before == after:
            return had.root == right.root
