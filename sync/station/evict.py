# SPDX-License-Identifier: Apache-2.0
"""Station: rows that leave its slices, or that the hub deleted, go from its database: `gone` in a page.

Reference rows are deleted, registry rows evicted with their clocks (P9), never deleted: that would travel. What was
written here in such a row and is in no frame yet is framed first, in the same transaction, so the hub still gets it and
a reviewer decides (`late`). Facts and case files stay: they are what officers of this station did and signed.

The page that names a person may come long after the one that named the registry rows. Whoever is still shown meanwhile
is edited again, which makes a row that the hub never had and will never name: it is remembered whose rows went ahead,
and what stands in their place goes with the person. Only then: a page older than the person's may still bring cells for
rows that are to go with a page of their own, and cells of a row that went too early become a row of NULLs.

A station of several townships cannot know in which of them a person is, so the hub names only rows that are in none of
them. A page made before rows entered again could still take them away after: such a page is not applied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schema import crsqlite, crsqlite_rows, database, tables
from schema.table import Table
from sync import slices
from sync.hub.members import DELETED, LEAVE
from sync.merging import merge
from sync.station import outbox
from sync.wire import codec

# In `link`, with a person's id: the registry tables whose rows went while the person was still shown.
_AHEAD = "ahead:"


@dataclass(frozen=True)
class Gone:
    """A row that is to go, by its key as the feed writes it."""

    table: Table
    key: bytes


def read(content: dict[str, Any], channel: str, slice_: str) -> tuple[list[Gone], int | None]:
    """(rows that go, feed number at which the page was made), taken out of the content. Raises BadFrame.

    A page that takes nothing away has no such number.
    """
    gone, at = content.pop("gone", None), content.pop("at", None)
    if type(gone) is not list or type(at) is not (int if gone else type(None)):
        raise codec.bad("op")
    return [_read(item, channel, slice_) for item in gone], at


def _read(item: Any, channel: str, slice_: str) -> Gone:
    if type(item) is not list or [type(part) for part in item] != [int, str, bytes]:
        raise codec.bad("op")
    op, name, key = item
    table = tables.TRAVELLING.get(name)
    if op not in (LEAVE, DELETED) or table is None or table.kind == "fact" or tables.CHANNEL[table.kind] != channel:
        raise codec.bad("op")
    if slices.family_of_table(name) != slices.family(slice_) or not _is_key(table, key):
        raise codec.bad("op")
    return Gone(table, key)


def _is_key(table: Table, key: bytes) -> bool:
    values = [key] if slices.has_plain_key(table) else codec.load(key)
    if type(values) is not list or len(values) != len(table.key):
        return False
    columns = [table.column(name) for name in table.key]
    return not any(c is None or v is None or c.accepts(v) for c, v in zip(columns, values, strict=True))


def is_outdated(db: Any, slice_: str, channel: str, at: int | None) -> bool:
    """Whether something newer than this page was applied from another feed of rows of the family: what it takes away
    may have come with that.
    """
    if at is None:
        return False
    applied = db.execute("SELECT slice, channel FROM cursor WHERE channel <> 'evt' AND \"after\" > ?", (at,))
    here = slices.family(slice_)
    return any((s, c) != (slice_, channel) and slices.family(s) == here for s, c in applied)


def take(db: Any, gone: list[Gone], build: Callable[[], object]) -> None:
    """Remove the rows. `build` frames everything unsent; it is called when one of them holds an edit made here."""
    by_table: dict[str, list[bytes]] = {}
    for one in gone:
        by_table.setdefault(one.table.name, []).append(one.key)
    for name, keys in by_table.items():
        table = tables.TABLES[name]
        if table.kind == "reference":
            where = " AND ".join(f"{c} = ?" for c in table.key)
            db.executemany(f"DELETE FROM {name} WHERE {where}", [slices.key_values(table, key) for key in keys])
            if name == "person":
                _take_along(db, keys, build)
            continue
        _evict(db, name, keys, build)
        if name not in tables.OF_NOBODY:
            _remember(db, name, keys)


def are_back(db: Any, persons: list[bytes]) -> None:
    """These persons came with a page: what went ahead of them once says nothing any more."""
    if db.execute(f"SELECT 1 FROM link WHERE name GLOB '{_AHEAD}*' LIMIT 1").fetchone():
        db.executemany("DELETE FROM link WHERE name = ?", [(_AHEAD + person.hex(),) for person in persons])


def _remember(db: Any, table: str, row_ids: list[bytes]) -> None:
    """Note whose rows of this table went ahead of them."""
    shown = f"SELECT id FROM person WHERE id IN ({crsqlite.WANTED})"
    for (person,) in db.execute(shown, (crsqlite.listed(row_ids),)).fetchall():
        name = _AHEAD + bytes(person).hex()
        known = db.execute("SELECT value FROM link WHERE name = ?", (name,)).fetchone()
        went = {table, *(known[0].split() if known else ())}
        database.upsert(db, "link", {"name": name, "value": " ".join(sorted(went))})


def _take_along(db: Any, persons: list[bytes], build: Callable[[], object]) -> None:
    for name, value in db.execute(f"SELECT name, value FROM link WHERE name GLOB '{_AHEAD}*'").fetchall():
        person = bytes.fromhex(name.removeprefix(_AHEAD))
        if person in persons:
            for table in value.split():
                _evict(db, table, [person], build)
    are_back(db, persons)


def _evict(db: Any, table: str, row_ids: list[bytes], build: Callable[[], object]) -> None:
    if _holds_unsent(db, table, row_ids):
        build()
    crsqlite_rows.evict(db, table, row_ids)
    _forget(db, table, row_ids)


def _holds_unsent(db: Any, table: str, row_ids: list[bytes]) -> bool:
    framed = outbox.framed(db, "reg")
    cells = (c for row in crsqlite.cells_of_rows(db, table, row_ids).values() for c in row)
    if any(c.site is None and c.db_version > framed and not merge.never_written(c) for c in cells):
        return True
    found = f"SELECT 1 FROM conflict WHERE rev = 0 AND tbl = ? AND row_id IN ({crsqlite.WANTED}) LIMIT 1"
    return db.execute(found, (table, crsqlite.listed(row_ids))).fetchone() is not None


def _forget(db: Any, table: str, row_ids: list[bytes]) -> None:
    """What this station alone kept on the side of these rows: conflicts the hub has not confirmed, values before."""
    for sql in (
        "DELETE FROM conflict WHERE rev <= 0 AND tbl = ? AND row_id IN ",
        "DELETE FROM local_edit WHERE tbl = ? AND row_id IN ",
    ):
        db.execute(f"{sql} ({crsqlite.WANTED})", (table, crsqlite.listed(row_ids)))
