# SPDX-License-Identifier: Apache-2.0
"""Hub: one page of a slice's feed, built from live data when asked for. No memory of the asker: to resume is to ask.

What is sent for a feed entry is the row as it is now, not as it was when it was fed: after weeks offline a row travels
once. Of a registry row only the cells that changed since the asker's position travel, unless the row entered the slice
after it; cells the asker wrote itself are not echoed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schema import crsqlite, events, tables
from schema.crsqlite import Cell
from schema.table import Table
from sync import slices
from sync.hub import publish
from sync.wire import codec
from sync.wire.codec import WireCell
from sync.wire.frame import places


@dataclass(frozen=True)
class Page:
    """Content of one pull frame. `upto` is the feed's head when nothing is left, else the last entry's number."""

    content: dict[str, Any]
    upto: int
    more: bool
    items: int


def heads(db: Any, wanted: tuple[str, ...]) -> list[int]:
    """Number of the last entry of each of these slices' channels, in the order of `frame.places`; 0 when empty."""
    sql = "SELECT max(seq) FROM slice_feed WHERE slice = ? AND channel = ?"
    return [db.execute(sql, place).fetchone()[0] or 0 for place in places(wanted)]


def left(db: Any, wanted: tuple[str, ...], at: list[Any]) -> list[int]:
    """How many entries lie behind each cursor of `at`, which are in the order of `frame.places`.

    Raises BadFrame when `at` is no such list.
    """
    counted = places(wanted)
    if len(at) != len(counted) or not all(type(n) is int and 0 <= n < 2**53 for n in at):
        raise codec.bad("header", "at")
    sql = "SELECT count(*) FROM slice_feed WHERE slice = ? AND channel = ? AND seq > ?"
    return [int(db.execute(sql, (*place, n)).fetchone()[0]) for place, n in zip(counted, at, strict=True)]


def page(
    db: Any, slice_: str, channel: str, after: int, max_bytes: int, site: bytes, *, held: tuple[str, ...],
    since: int | None = None,
) -> Page:  # fmt: skip
    """Entries behind `after`: at least one, then as many as fit `max_bytes` (before compression) and the cell limit.

    `held`: all slices of the asker. A row that left this slice and is in another one of them now is not taken away.

    `since`: up to where the asker has every cell. It lies before `after` while pages of one fetch follow each other: a
    row that changed meanwhile has moved to the end, with cells that are older than `after` and were on no page.
    """
    builder = _BUILDERS[channel](db, slice_, after if since is None else since, site)
    builder.others = frozenset(held) - {slice_}
    upto, items, more = after, 0, False
    entries = db.execute(
        "SELECT tbl, pk, seq, op FROM slice_feed WHERE slice = ? AND channel = ? AND seq > ? ORDER BY seq",
        (slice_, channel, after),
    )
    for entry in entries:
        added = builder.entry(tables.TABLES[entry["tbl"]], bytes(entry["pk"]), entry["op"])
        if items and (builder.cells + added.cells > codec.MAX_CELLS or builder.weight + added.weight > max_bytes):
            more = True
            break
        builder.take(added)
        items += 1
        upto = entry["seq"]
    head = publish.head(db)
    content = builder.content() | ({"at": head} if builder.gone else {})
    return Page(content, upto if more else max(after, head), more, items)


@dataclass(frozen=True)
class _Entry:
    table: str
    value: Any
    cells: int
    weight: int
    gone: tuple[int, str, bytes] | None = None


class _Builder:
    """Collects entries until the page is full."""

    others: frozenset[str] = frozenset()

    def __init__(self, db: Any, slice_: str, since: int, site: bytes) -> None:
        self.db, self.slice, self.since, self.site = db, slice_, since, site
        self.cells = self.weight = 0
        self.taken: list[_Entry] = []
        self.gone: list[list[Any]] = []

    def entry(self, table: Table, key: bytes, op: int) -> _Entry:
        """One feed entry with its size."""
        if op == publish.UPSERT:
            return self.load(table, key)
        if op == publish.LEAVE and self.others.intersection(slices.now_in(self.db, table, key)):
            return _Entry(table.name, None, 0, 0)
        return _Entry(table.name, None, 1, len(key) + 64, (op, table.name, key))

    def load(self, table: Table, key: bytes) -> _Entry:
        raise NotImplementedError

    def take(self, entry: _Entry) -> None:
        """Put an entry on the page."""
        self.cells += entry.cells
        self.weight += entry.weight
        if entry.gone:
            self.gone.append(list(entry.gone))
        elif entry.value:
            self.taken.append(entry)

    def content(self) -> dict[str, Any]:
        raise NotImplementedError


class _Facts(_Builder):
    def load(self, table: Table, key: bytes) -> _Entry:
        row = self.db.execute("SELECT * FROM fact WHERE id = ?", (key,)).fetchone()
        wire = events.from_row(row).to_wire() if row else None
        return _Entry(table.name, wire, len(wire or ()), codec.weight(wire or ()))

    def content(self) -> dict[str, Any]:
        return {"facts": [e.value for e in self.taken], "gone": self.gone}


class _Rows(_Builder):
    def load(self, table: Table, key: bytes) -> _Entry:
        where = " AND ".join(f"{c} = ?" for c in table.key)
        row = self.db.execute(
            f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {where}", slices.key_values(table, key)
        ).fetchone()
        value = dict(row) if row else None
        return _Entry(table.name, value, len(value or ()), codec.weight((value or {}).values()))

    def content(self) -> dict[str, Any]:
        rows: dict[str, list[dict[str, Any]]] = {}
        for e in self.taken:
            rows.setdefault(e.table, []).append(e.value)
        return {"rows": codec.pack_rows(rows), "gone": self.gone}


class _Cells(_Builder):
    def __init__(self, db: Any, slice_: str, since: int, site: bytes) -> None:
        super().__init__(db, slice_, since, site)
        self.version = publish.version_at(db, since)
        self.own = crsqlite.site_id(db)

    def load(self, table: Table, key: bytes) -> _Entry:
        cells = crsqlite.cells_of(self.db, table.name, key)
        if not self._entered(key):
            cells = [c for c in cells if c.db_version > self.version and c.site != self.site]
        return _Entry(table.name, cells, len(cells), codec.weight(c.value for c in cells) + 24 + 24 * len(cells))

    def _entered(self, person_id: bytes) -> bool:
        """Whether the row came into this slice after the asker had all of it."""
        found = self.db.execute(
            "SELECT since_seq FROM slice_member WHERE person_id = ? AND slice = ?", (person_id, self.slice)
        ).fetchone()
        return bool(found and found[0] > self.since)

    def content(self) -> dict[str, Any]:
        return {**packed([c for e in self.taken for c in e.value], self.own), "gone": self.gone}


def packed(cells: list[Cell], own: bytes) -> dict[str, Any]:
    """Cells with their authors as they travel to a station; `own` is the author of those without one."""
    sites = sorted({c.site or own for c in cells})
    wire = [
        WireCell(c.table, c.row_id, c.column, c.value, c.col_version, c.causal_length, sites.index(c.site or own))
        for c in cells
    ]
    return {"cells": codec.pack_cells(wire), "sites": sites}


_BUILDERS: dict[str, type[_Builder]] = {"evt": _Facts, "ref": _Rows, "reg": _Cells}
