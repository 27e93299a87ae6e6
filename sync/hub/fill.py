# SPDX-License-Identifier: Apache-2.0
"""Membership and feed for everything that a bulk load put into the tables, set by set (4 million rows in seconds)."""

from __future__ import annotations

from typing import Any

from schema import crsqlite, database, tables
from schema.table import Table
from sync import slices

CACHE_KIB = 128 * 1024


def fill(db: Any) -> int:
    """Place every unplaced person in the township of the village and feed every row that no feed knows yet.

    For a first load (a register taken in, a synthetic county); rows changed later go through `Publication.put`. The
    caller holds the write transaction. Returns the number of feed entries added.
    """
    usual = db.execute("PRAGMA cache_size").fetchone()[0]
    # With the small cache of a page request, every index page would be encrypted and decrypted again and again.
    db.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
    try:
        return _fill(db)
    finally:
        db.execute(f"PRAGMA cache_size = {usual}")


def _fill(db: Any) -> int:
    slices.teach(db)
    db.execute(
        f"INSERT INTO slice_member (person_id, slice, since_seq) SELECT t.id, {slices.home_expression('t.')}, 0 "
        "FROM person t WHERE NOT EXISTS (SELECT 1 FROM slice_member m WHERE m.person_id = t.id) ORDER BY t.id"
    )
    head, added = _head(db), 0
    for table in sorted((*tables.REGISTRY, *tables.REFERENCE), key=lambda t: t.name):
        numbered, new = _fill_table(db, table, head)
        head, added = head + numbered, added + new
    if not added:
        return 0
    db.execute("UPDATE slice_member SET since_seq = ? WHERE since_seq = 0", (head + 1,))
    database.upsert(db, "feed_head", {"name": "feed", "seq": head + 1})
    version = crsqlite.max_version(db, [t.name for t in tables.REGISTRY])
    database.upsert(db, "feed_clock", {"seq": head + 1, "version": version})
    return added


def _head(db: Any) -> int:
    """The feed's last number; raised above any `rev` a loader wrote, or later changes would look older than the row."""
    found = db.execute("SELECT seq FROM feed_head WHERE name = 'feed'").fetchone()
    highest = [db.execute(f"SELECT max(rev) FROM {t.name}").fetchone()[0] or 0 for t in tables.REFERENCE]
    return max(found[0] if found else 0, *highest)


def _fill_table(db: Any, table: Table, after: int) -> tuple[int, int]:
    """(numbers used, entries added). Rows are taken in the order of the feed's own key, so that the feed's index is
    written, and known entries are found, from end to end and not at random; a known entry's number stays unused, but
    for a row that had left.
    """
    owner = slices.person_column(table)
    if owner:  # CROSS JOIN: the other order would look up every row at random
        slice_, members = "m.slice", f"CROSS JOIN slice_member m ON m.person_id = t.{owner}"
    else:
        slice_, members = slices.expression(table.name, "t."), ""
    rows = f"SELECT {slice_} AS slice, {slices.key_expression(table, 't.')} AS pk FROM {table.name} t {members}"
    db.execute("CREATE TEMP TABLE entry (n INTEGER PRIMARY KEY, slice TEXT, pk BLOB)")
    sql = f"INSERT INTO entry (slice, pk) SELECT slice, pk FROM ({rows}) WHERE slice IS NOT NULL ORDER BY slice, pk"
    numbered = db.execute(sql).rowcount
    added = db.execute(
        "INSERT INTO slice_feed (slice, tbl, pk, channel, seq, op) "
        "SELECT slice, ?, pk, ?, ? + n, 1 FROM entry WHERE true ORDER BY n "
        "ON CONFLICT (slice, tbl, pk) DO UPDATE SET seq = excluded.seq, op = 1 WHERE op <> 1",
        (table.name, tables.CHANNEL[table.kind], after),
    ).rowcount
    db.execute("DROP TABLE entry")
    return numbered, added
