# SPDX-License-Identifier: Apache-2.0
"""Membership and feed for everything that a bulk load put into the tables, set by set (4 million rows in seconds)."""

from __future__ import annotations

from typing import Any

from schema import crsqlite, database, tables
from schema.table import Table
from sync import codec, slices


def fill(db: Any) -> int:
    """Place every unplaced person in the township of the village and feed every row that no feed knows yet.

    For a first load (a register taken in, a synthetic county); rows changed later go through `Publication.put`. The
    caller holds the write transaction. Returns the number of feed entries added.
    """
    db.create_function("feed_key", -1, lambda *parts: codec.dump(list(parts)), deterministic=True)
    head = _head(db)
    db.execute(
        f"INSERT INTO slice_member (person_id, slice, since_seq) SELECT t.id, {slices.home_expression('t.')}, 0 "
        "FROM person t WHERE NOT EXISTS (SELECT 1 FROM slice_member m WHERE m.person_id = t.id) ORDER BY t.id"
    )
    added = 0
    for table in sorted((*tables.REGISTRY, *tables.REFERENCE), key=lambda t: t.name):
        added += _fill_table(db, table, head + added)
    head += added + 1
    db.execute("UPDATE slice_member SET since_seq = ? WHERE since_seq = 0", (head,))
    database.upsert(db, "feed_head", {"name": "feed", "seq": head})
    version = crsqlite.max_version(db, [t.name for t in tables.REGISTRY])
    database.upsert(db, "feed_clock", {"seq": head, "version": version})
    return added


def _head(db: Any) -> int:
    """The feed's last number; raised above any `rev` a loader wrote, or later changes would look older than the row."""
    found = db.execute("SELECT seq FROM feed_head WHERE name = 'feed'").fetchone()
    highest = [db.execute(f"SELECT max(rev) FROM {t.name}").fetchone()[0] or 0 for t in tables.REFERENCE]
    return max(found[0] if found else 0, *highest)


def _fill_table(db: Any, table: Table, after: int) -> int:
    owner = slices.person_column(table)
    parts = ", ".join(f"t.{c}" for c in table.key)
    key = parts if slices.has_plain_key(table) else f"feed_key({parts})"
    if owner:
        slice_, members = "m.slice", f"JOIN slice_member m ON m.person_id = t.{owner}"
    else:
        slice_, members = slices.expression(table.name, "t."), ""
    rows = f"SELECT {slice_} AS slice, {key} AS pk FROM {table.name} t {members}"
    return int(
        db.execute(
            "INSERT INTO slice_feed (slice, tbl, pk, channel, seq, op) "
            "SELECT slice, ?, pk, ?, ? + row_number() OVER (ORDER BY slice, pk), 1 "
            f"FROM ({rows}) r WHERE slice IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM slice_feed f WHERE f.slice = r.slice AND f.tbl = ? AND f.pk = r.pk) ORDER BY slice, pk",
            (table.name, tables.CHANNEL[table.kind], after, table.name),
        ).rowcount
    )
