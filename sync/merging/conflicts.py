# SPDX-License-Identifier: Apache-2.0
"""The record of edits that did not know of each other: both values whole, who and when, what stands and by which rule.

Four kinds. Two lose a value and travel to the stations (table `conflict`): `cell`, two people changed one cell (rules H
and N), and `row`, the hub erased what a station went on to change (rule R). Two lose nothing and stay at the hub (table
`parallel_edit`): `group`, different columns that make sense only together (a house number of one, a village of
another), and `disjoint`, different columns of one row. A record is never changed; what people decide is added
(`conflict_decision`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from schema import crsqlite, database, ids, tables
from schema.clock import parse_stamp
from schema.crsqlite import ROW_SENTINEL, Cell
from schema.events import HUB
from sync.hub.publish import Publication
from sync.merging.merge import Clash, never_written
from sync.wire import written
from sync.wire.codec import WireCell
from sync.wire.written import NOBODY, Address, Written

CELL, ROW = "cell", "row"
GROUP, DISJOINT = "group", "disjoint"


@dataclass(frozen=True)
class Side:
    """One of the two values: whose, which version of the cell, who wrote it when."""

    value: str | None
    by: str
    version: int
    who: Written = NOBODY


@dataclass(frozen=True)
class Parallel:
    """Two cells of one row, changed by two authors who had not seen each other's."""

    mine: WireCell
    theirs: Cell


@dataclass(frozen=True)
class Pushed:
    """A frame under way: from which station, what it says of its cells, when it arrived."""

    station: str
    said: dict[Address, Written]
    at: str

    def side(self, cell: WireCell) -> Side:
        """A pushed cell as one of two values."""
        who = self.said.get(written.address(cell), NOBODY)
        return Side(shown(cell.value), self.station, cell.col_version, Written(who.officer, who.at, self.at))


def shown(value: Any) -> str | None:
    """A cell's value as a record keeps it: whole (`WIDEST_VALUE` is the longest that a registry cell takes)."""
    return None if value is None else str(value)


def author_name(db: Any, site: bytes | None) -> str:
    """Which station an author id belongs to; the hub's own cells have none."""
    if site is None or site == crsqlite.site_id(db):
        return HUB
    named = "SELECT id FROM node_record WHERE site_id = ?1 UNION ALL SELECT node FROM former_epoch WHERE site_id = ?1"
    found = db.execute(named, (site,)).fetchone()
    return str(found[0]) if found else site.hex()


def side_of(db: Any, cell: Cell) -> Side:
    """A cell of the hub as one of two values."""
    by = author_name(db, cell.site)
    place = (cell.table, cell.row_id, cell.column)
    return Side(shown(cell.value), by, cell.col_version, written.known(db, place, by, cell.col_version))


# --- cell ---------------------------------------------------------------------------------------------------------


def record_clash(pub: Publication, clash: Clash, pushed: Pushed) -> None:
    """Rule H, after the merge: what stands now is kept, the other value is lost."""
    cell = clash.incoming
    mine, theirs = pushed.side(cell), side_of(pub.db, clash.stored)
    kept, lost = (mine, theirs) if stands(pub.db, cell) else (theirs, mine)
    rule = "R" if cell.causal_length < clash.stored.causal_length else "H"
    write(pub, cell, kept, lost, kind=CELL, rule=rule, base=cell.extra, at=pushed.at)


def stands(db: Any, cell: WireCell) -> bool:
    """Whether the row holds this value now."""
    return bool(_now(db, cell)[cell.column] == cell.value)


def record_erased(
    pub: Publication, row: Iterable[WireCell], stored: dict[str, Cell], pushed: Pushed,
    version_at: Callable[[int], int],
) -> int:  # fmt: skip
    """Rule R: the hub has erased the row, unseen by the station that changed it. Returns how many cells it was."""
    erased = stored[ROW_SENTINEL]
    edits = [c for c in row if not never_written(c) and erased.db_version > version_at(c.extra)]
    for cell in edits:
        kept = Side(None, author_name(pub.db, erased.site), erased.col_version)
        write(pub, cell, kept, pushed.side(cell), kind=ROW, rule="R", base=cell.extra, at=pushed.at)
    return len(edits)


def write(
    pub: Publication, cell: WireCell, kept: Side, lost: Side, *, kind: str, rule: str, base: int, at: str,
    id_: bytes | None = None,
) -> None:  # fmt: skip
    """Add one record and publish it to the slices of the row."""
    pub.put("conflict", {
        "id": id_ or ids.new_id(), "kind": kind, "rule": rule, "tbl": cell.table, "row_id": cell.row_id,
        "col": cell.column, "base": base, "found_at": at, **_columns("kept", kept), **_columns("lost", lost),
    })  # fmt: skip


def _columns(name: str, side: Side) -> dict[str, Any]:
    return {
        name: side.value, f"{name}_by": side.by, f"{name}_version": side.version, f"{name}_officer": side.who.officer,
        f"{name}_at": side.who.at, f"{name}_received_at": side.who.received_at,
    }  # fmt: skip


# --- rule N: found at a station ---------------------------------------------------------------------------------

# What travels of a finding, in this order, then the winner's author id.
_FOUND = ("id", "tbl", "row_id", "col", "kept", "lost")
_NUMBERS = ("kept_version", "lost_version", "base")
_WHO = ("lost_officer", "lost_at")
_FORM = (*_FOUND, "site", *_NUMBERS, *_WHO)


def keep_found(db: Any, cell: WireCell, mine: Cell, author: bytes, station: str, base: int, at: str) -> None:
    """Station: an own edit, in no frame yet, lost to a pulled cell. Rev 0: the hub is to be told."""
    who = written.noted(db, [cell]).get(written.address(cell), NOBODY)
    kept = Side(shown(cell.value), author.hex(), cell.col_version)
    lost = Side(shown(mine.value), station, mine.col_version, Written(who.officer, who.at))
    database.insert(db, "conflict", {
        "id": ids.new_id(), "kind": CELL, "rule": "N", "tbl": cell.table, "row_id": cell.row_id, "col": cell.column,
        "base": base, "found_at": at, "rev": 0, **_columns("kept", kept), **_columns("lost", lost),
    })  # fmt: skip


def to_wire(row: Any) -> list[Any]:
    """A finding as it travels to the hub."""
    found = {**dict(row), "site": bytes.fromhex(row["kept_by"])}
    return [bytes(found[c]) if c in ("id", "row_id") else found[c] for c in _FORM]


def take_found(pub: Publication, item: list[Any], pushed: Pushed) -> bool:
    """Hub: publish a station's finding once. It must fit (`found_fits`). True when it was not known."""
    found = dict(zip(_FORM, item, strict=True))
    if pub.db.execute("SELECT 1 FROM conflict WHERE id = ?", (found["id"],)).fetchone() is not None:
        return False
    by = author_name(pub.db, found["site"])
    cell = WireCell(found["tbl"], found["row_id"], found["col"], None, 0, 1, 0)
    theirs = written.known(pub.db, written.address(cell), by, found["kept_version"])
    kept = Side(found["kept"], by, found["kept_version"], theirs)
    mine = Written(found["lost_officer"], found["lost_at"], pushed.at)
    lost = Side(found["lost"], pushed.station, found["lost_version"], mine)
    write(pub, cell, kept, lost, kind=CELL, rule="N", base=found["base"], at=pushed.at, id_=found["id"])
    return True


def found_fits(item: Any) -> bool:
    """Whether a station's finding has the form of one, about a registry cell."""
    if type(item) is not list or len(item) != len(_FORM):
        return False
    found = dict(zip(_FORM, item, strict=True))
    if type(found["site"]) is not bytes or len(found["site"]) != 16:
        return False
    declared = tables.TABLES["conflict"]
    for name in (*_FOUND, *_NUMBERS, *_WHO):
        column = declared.column(name)
        if column is None or column.accepts(found[name]):
            return False
    if not all(0 <= found[name] < 2**53 for name in _NUMBERS) or not _is_time(found["lost_at"]):
        return False
    table = tables.TABLES.get(found["tbl"])
    return table is not None and table.kind == "registry" and table.column(found["col"]) is not None


def _is_time(text: str | None) -> bool:
    try:
        return text is None or bool(parse_stamp(text))
    except ValueError:
        return False


# --- group and disjoint -----------------------------------------------------------------------------------------


def find_parallel(
    row: list[WireCell], stored: dict[str, Cell], site: bytes, version_at: Callable[[int], int]
) -> list[Parallel]:
    """Before the merge: cells of this row that somebody else changed in another column, unseen by the sender."""
    least = min(version_at(cell.extra) for cell in row)
    newer = [c for c in stored.values() if c.db_version > least and c.site != site and _is_edit(c)]
    if not newer:
        return []
    return [
        Parallel(mine, theirs)
        for mine in row
        if _is_edit(mine) and (mine.column not in stored or stored[mine.column].value != mine.value)
        for theirs in newer
        if theirs.column != mine.column and theirs.db_version > version_at(mine.extra)
    ]


def record_parallel(pub: Publication, found: list[Parallel], pushed: Pushed) -> None:
    """After the merge: those of which both values stand, each pair of edits once."""
    now = _now(pub.db, found[0].mine)
    for one in found:
        if now[one.mine.column] != one.mine.value or now[one.theirs.column] != one.theirs.value:
            continue
        mine, theirs = pushed.side(one.mine), side_of(pub.db, one.theirs)
        pub.db.execute(_PARALLEL, {
            "id": ids.new_id(), "kind": GROUP if _grouped(one) else DISJOINT, "tbl": one.mine.table,
            "row_id": one.mine.row_id, "found_at": pushed.at, "col": one.mine.column, "value": mine.value,
            "version": mine.version, "station": mine.by, "officer": mine.who.officer, "written_at": mine.who.at,
            "other_col": one.theirs.column, "other_value": theirs.value, "other_version": theirs.version,
            "other_station": theirs.by, "other_officer": theirs.who.officer, "other_written_at": theirs.who.at,
        })  # fmt: skip


_NAMES = tables.TABLES["parallel_edit"].names
# One side goes on typing while the other is offline: that is one meeting of two people, not one per key stroke.
_PARALLEL = (
    f"INSERT INTO parallel_edit ({', '.join(_NAMES)}) SELECT {', '.join(':' + name for name in _NAMES)} "
    "WHERE NOT EXISTS (SELECT 1 FROM parallel_edit p WHERE p.row_id = :row_id AND p.tbl = :tbl AND ("
    "p.col = :col AND p.station = :station AND p.other_col = :other_col AND p.other_station = :other_station "
    "AND p.other_version = :other_version OR "
    "p.col = :other_col AND p.station = :other_station AND p.other_col = :col AND p.other_station = :station "
    "AND p.version = :other_version))"
)


def _is_edit(cell: Cell | WireCell) -> bool:
    return cell.column != ROW_SENTINEL and not never_written(cell)


def _grouped(one: Parallel) -> bool:
    table = tables.TABLES[one.mine.table]
    a, b = table.column(one.mine.column), table.column(one.theirs.column)
    return a is not None and b is not None and a.group != "" and a.group == b.group


def _now(db: Any, cell: WireCell) -> dict[str, Any]:
    """The row as it stands after the merge."""
    return dict(db.execute(f"SELECT * FROM {cell.table} WHERE id = ?", (cell.row_id,)).fetchone())
