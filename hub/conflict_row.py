# SPDX-License-Identifier: Apache-2.0
"""One row whose cells people changed without knowing of each other: every field, every value there was, by whom, when.

`stand` names the state a form was made from. A value that moved while the page was open must not be decided over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from hub import case_view
from hub.conflicts import ITEMS, STANDS
from schema import crsqlite, tables
from schema.crsqlite import ROW_SENTINEL, Cell
from schema.events import HUB
from schema.web import formats
from sync.merging import conflicts
from sync.wire import written

Marked = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Who:
    """Who wrote a value: station (`hub` for the hub), its name, the officer, the station's time, the hub's."""

    by: str
    station: str
    officer: str
    at: str | None
    received_at: str | None


@dataclass(frozen=True)
class Choice:
    """A value that stood or could have stood in a field. `text`: as shown, what differs from the first one marked."""

    value: str | None
    text: Marked
    who: tuple[Who, ...]
    in_use: bool
    by_rule: bool = False


@dataclass(frozen=True)
class Field:
    """One column. `choices` only where something waits; `later`: somebody has changed it since."""

    column: str
    value: str | None
    text: str
    who: Who | None
    choices: tuple[Choice, ...] = ()
    group: bool = False
    later: bool = False

    @property
    def waits(self) -> bool:
        """Whether a person must look at this field."""
        return bool(self.choices)


@dataclass(frozen=True)
class Desk:
    """A row with what waits in it. `items`: what a decision would settle; `merged`: what merged by itself."""

    table: str
    row_id: bytes
    stand: str
    fields: tuple[Field, ...]
    items: tuple[Any, ...]
    merged: tuple[Any, ...]
    erased: bool

    def field(self, column: str) -> Field:
        """The field of that column."""
        return next(f for f in self.fields if f.column == column)


def read(db: Any, row_id: bytes) -> Desk | None:
    """The row as it stands now; None when nobody's edits ever met in it."""
    items = db.execute(f"SELECT i.*, {STANDS} AS decided FROM ({ITEMS}) i WHERE i.row_id = ? ORDER BY i.found_at, i.id",
                       (row_id,)).fetchall()  # fmt: skip
    if not items:
        return None
    # Contact data and job wishes of one person are two rows under one id: one is decided after the other.
    table = next((i["tbl"] for i in items if i["kind"] != conflicts.DISJOINT and not i["decided"]), items[0]["tbl"])
    items = [i for i in items if i["tbl"] == table]
    cells = {c.column: c for c in crsqlite.cells_of(db, table, row_id)}
    open_ = tuple(i for i in items if i["kind"] != conflicts.DISJOINT and not i["decided"])
    merged = _records(db, "parallel_edit", [i["id"] for i in items if i["kind"] == conflicts.DISJOINT])
    records = _records(db, "conflict", [i["id"] for i in open_ if i["kind"] in (conflicts.CELL, conflicts.ROW)])
    grouped = {c for i in open_ if i["kind"] == conflicts.GROUP for c in (i["col"], i["other_col"])}
    fields = tuple(
        _field(db, cells.get(c.name), c.name, [r for r in records if r["col"] == c.name], c.name in grouped)
        for c in tables.TABLES[table].columns
        if c.nodes_write
    )
    erased = ROW_SENTINEL in cells and len(cells) == 1
    return Desk(table, row_id, _stand(cells.values(), open_), fields, open_, tuple(merged), erased)


def _records(db: Any, table: str, wanted: list[Any]) -> list[Any]:
    marks = ", ".join("?" * len(wanted))
    return list(db.execute(f"SELECT * FROM {table} WHERE id IN ({marks}) ORDER BY found_at, id", wanted).fetchall())


def _field(db: Any, cell: Cell | None, column: str, records: list[Any], grouped: bool) -> Field:
    value = conflicts.shown(cell.value) if cell else None
    who = _author(db, cell) if cell and not (value is None and cell.col_version <= 1) else None
    plain = Field(column, value, in_words(db, column, value), who)
    if not records and not grouped:
        return plain
    found: dict[str | None, list[Who]] = {}
    for record in records:
        for side in ("kept", "lost"):
            if record["kind"] == conflicts.CELL or side == "lost" or cell is None:
                found.setdefault(record[side], []).append(_side(db, record, side))
    later = bool(found) and value not in found
    if value not in found:
        found[value] = [who] if who else []
    kept = {record["kept"] for record in records}
    first = in_words(db, column, next(iter(found)))
    choices = [
        Choice(v, _marked(in_words(db, column, v), first), _distinct(people), v == value, v in kept)
        for v, people in found.items()
    ]
    if len(choices) > 1:  # of the first, what differs is seen against the second
        against = in_words(db, column, choices[1].value)
        choices[0] = replace(choices[0], text=_marked(first, against))
    return replace(plain, choices=tuple(choices), group=grouped, later=later)


def in_words(db: Any, column: str, value: str | None) -> str:
    """A value as people read it; '' for none."""
    if not value:
        return ""
    if column == "phone":
        return formats.phone(value)
    return f"{case_view.place_name(db, value)}（{value}）" if column.endswith("village") else value


def _marked(text: str, other: str) -> Marked:
    """The text in three pieces: what both begin with, what differs (marked), what both end with."""
    if not text or not other or text == other:
        return ((text, False),)
    head = _same(text, other)
    tail = _same(text[head:][::-1], other[head:][::-1])
    pieces = (text[:head], False), (text[head : len(text) - tail], True), (text[len(text) - tail :], False)
    return tuple((piece, differs) for piece, differs in pieces if piece)


def _same(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _author(db: Any, cell: Cell) -> Who:
    by = conflicts.author_name(db, cell.site)
    said = written.known(db, (cell.table, cell.row_id, cell.column), by, cell.col_version)
    return _who(db, by, said.officer, said.at, said.received_at)


def _side(db: Any, record: Any, side: str) -> Who:
    return _who(db, *(record[f"{side}_{name}"] for name in ("by", "officer", "at", "received_at")))


def _who(db: Any, by: str, officer: str | None, at: str | None, received_at: str | None) -> Who:
    station = db.execute("SELECT name FROM station WHERE id = ?", (by,)).fetchone()
    person = db.execute("SELECT name FROM officer WHERE operator_no = ?", (officer or "",)).fetchone()
    named = f"{person['name']} {officer}" if person else officer or ""
    return Who(by, station["name"] if station else "", named, at, received_at if by != HUB else None)


def _distinct(people: Iterable[Who]) -> tuple[Who, ...]:
    return tuple(dict.fromkeys(people))


def _stand(cells: Iterable[Cell], items: Iterable[Any]) -> str:
    told = [(c.column, c.col_version, c.causal_length, c.value) for c in sorted(cells, key=lambda c: c.column)]
    return blake2b(repr((told, [bytes(i["id"]) for i in items])).encode(), digest_size=8).hexdigest()


