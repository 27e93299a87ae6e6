# SPDX-License-Identifier: Apache-2.0
"""`Publication.put` for many rows at once, set by set: paying a month publishes a statement for every person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from schema import tables
from schema.table import Table
from sync import slices


def put_many(db: Any, table: Table, rows: Sequence[Mapping[str, Any]], head: int) -> tuple[int, int]:
    """(rows written, the feed's new head). Rows that differ take the numbers behind `head`, in their order.

    All rows have the same columns; columns left out keep their value. A key given twice is an IntegrityError: which of
    the two should win is not for this module to guess.
    """
    given = [c for c in rows[0] if c != "rev"]
    kept = [c for c in table.names if c not in given and c != "rev"]
    same_row = " AND ".join(f"t.{c} = i.{c}" for c in table.key)
    db.execute("DROP TABLE IF EXISTS temp.incoming")
    db.execute(
        f"CREATE TEMP TABLE incoming (n INTEGER PRIMARY KEY, {', '.join(given)}, UNIQUE ({', '.join(table.key)}))"
    )
    db.executemany(
        f"INSERT INTO incoming ({', '.join(given)}) VALUES ({', '.join('?' * len(given))})",
        ([row[c] for c in given] for row in rows),
    )
    unchanged = " AND ".join(f"t.{c} IS i.{c}" for c in given)
    db.execute(
        f"DELETE FROM incoming WHERE n IN (SELECT i.n FROM incoming i CROSS JOIN {table.name} t ON {same_row} "
        f"WHERE {unchanged})"
    )
    _note_slices(db, table, same_row)
    columns = ", ".join((*given, *kept, "rev"))
    values = ", ".join((*(f"i.{c}" for c in given), *(f"t.{c}" for c in kept), "? + i.n"))
    changes = ", ".join(f"{c} = excluded.{c}" for c in (*given, "rev") if c not in table.key)
    written = db.execute(
        f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM incoming i LEFT JOIN {table.name} t ON {same_row} "
        f"WHERE true ORDER BY i.n ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {changes}",
        (head,),
    ).rowcount
    last = db.execute("SELECT coalesce(max(n), 0) FROM incoming").fetchone()[0]
    _feed(db, table, same_row, head)
    _feed_left(db, table, same_row, head)
    db.execute("DROP TABLE incoming")
    return written, head + last


def feed_rows(db: Any, table: Table, row_ids: Sequence[bytes], head: int) -> None:
    """Feed rows whose id is a person's to that person's slices; they take the numbers behind `head`, in their order."""
    db.execute(
        "INSERT INTO slice_feed (slice, tbl, pk, channel, seq, op) "
        "SELECT m.slice, ?, m.person_id, ?, ? + 1 + w.key, 1 FROM json_each(?) w "
        "CROSS JOIN slice_member m ON m.person_id = unhex(w.value) WHERE true "
        "ON CONFLICT (slice, tbl, pk) DO UPDATE SET seq = excluded.seq, op = excluded.op",
        (table.name, tables.CHANNEL[table.kind], head, json.dumps([row_id.hex() for row_id in row_ids])),
    )


def _feed(db: Any, table: Table, same_row: str, head: int) -> None:
    slices.teach(db)
    owner = slices.person_column(table)
    if owner:
        slice_, members = "m.slice", f"CROSS JOIN slice_member m ON m.person_id = t.{owner}"
    else:
        slice_, members = slices.expression(table.name, "t."), ""
    db.execute(
        "INSERT INTO slice_feed (slice, tbl, pk, channel, seq, op) "
        f"SELECT {slice_} AS slice, ?, {slices.key_expression(table, 't.')}, ?, ? + i.n, 1 "
        f"FROM incoming i CROSS JOIN {table.name} t ON {same_row} {members} WHERE slice IS NOT NULL "
        "ON CONFLICT (slice, tbl, pk) DO UPDATE SET seq = excluded.seq, op = excluded.op",
        (table.name, tables.CHANNEL[table.kind], head),
    )


def _note_slices(db: Any, table: Table, same_row: str) -> None:
    """Remember where rows stood that no person takes along."""
    db.execute("DROP TABLE IF EXISTS temp.was")
    db.execute("CREATE TEMP TABLE was (n INTEGER PRIMARY KEY, slice TEXT)")
    if not slices.person_column(table):
        stood = slices.expression(table.name, "t.")
        sql = f"SELECT i.n, {stood} FROM incoming i CROSS JOIN {table.name} t ON {same_row}"
        db.execute(f"INSERT INTO was (n, slice) {sql}")


def _feed_left(db: Any, table: Table, same_row: str, head: int) -> None:
    """Take rows back from the slices they are no longer in."""
    if not slices.person_column(table):
        db.execute(
            "INSERT INTO slice_feed (slice, tbl, pk, channel, seq, op) "
            f"SELECT w.slice, ?, {slices.key_expression(table, 't.')}, ?, ? + i.n, 2 FROM temp.was w "
            f"JOIN incoming i ON i.n = w.n CROSS JOIN {table.name} t ON {same_row} "
            f"WHERE w.slice IS NOT NULL AND w.slice IS NOT {slices.expression(table.name, 't.')} "
            "ON CONFLICT (slice, tbl, pk) DO UPDATE SET seq = excluded.seq, op = excluded.op",
            (table.name, tables.CHANNEL[table.kind], head),
        )
    db.execute("DROP TABLE temp.was")
