# SPDX-License-Identifier: Apache-2.0
"""Who wrote a pushed cell and when, as the station says: a conflict must name people, not only stations.

It travels beside the cells and never decides a merge. Cells that no page wrote (nobody is known) say nothing.

    written := {"by": [officer...], "at": {table: {column: [rle(officer's place, -1 unknown), [time step...]]}}}
               in the order of the column's cells; time in Unix seconds, each as the distance from the one before
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from schema.clock import parse_stamp, stamp
from schema.crsqlite import Cell
from schema.table import Column
from sync.wire.codec import WireCell, bad, rle, unrle

Address = tuple[str, bytes, str]
_OFFICER = Column("officer", limit=20, required=True)
_MAX_OFFICERS = 1_000
_LATEST_S = 2**33


@dataclass(frozen=True)
class Written:
    """An officer's number, the station's clock at the edit, and (at the hub) when the edit arrived."""

    officer: str | None = None
    at: str | None = None
    received_at: str | None = None


NOBODY = Written()


def address(cell: WireCell) -> Address:
    """The place of a cell."""
    return cell.table, cell.row_id, cell.column


# --- station ------------------------------------------------------------------------------------------------------


def noted(db: Any, cells: Iterable[WireCell]) -> dict[Address, Written]:
    """What this station noted of these cells when they were edited."""
    rows = {(cell.table, cell.row_id) for cell in cells}
    out = {}
    for table in {table for table, _ in rows}:
        listed = json.dumps([row_id.hex() for name, row_id in rows if name == table])
        for row in db.execute(_NOTED, (listed, table)).fetchall():
            out[table, bytes(row[0]), row[1]] = Written(row[2], row[3])
    return out


_NOTED = (
    "SELECT e.row_id, e.col, e.operator_no, e.changed_at FROM (SELECT unhex(value) AS id FROM json_each(?)) w "
    "CROSS JOIN local_edit e ON e.tbl = ? AND e.row_id = w.id"
)


def pack(cells: dict[str, Any], noted: dict[Address, Written]) -> dict[str, Any]:
    """`written` for packed cells; {} when nothing is known."""
    officers = sorted({w.officer for w in noted.values() if w.officer})
    places = {officer: i for i, officer in enumerate(officers)}
    out: dict[str, dict[str, Any]] = {}
    for table, column, row_ids in _columns(cells):
        known = [noted.get((table, row_id, column), NOBODY) for row_id in row_ids]
        if any(w.officer for w in known):
            steps, last = [], 0
            for w in known:
                now = int(parse_stamp(w.at).timestamp()) if w.at else last
                steps.append(now - last)
                last = now
            out.setdefault(table, {})[column] = [rle([places.get(w.officer or "", -1) for w in known]), steps]
    return {"by": officers, "at": out} if out else {}


# --- hub ----------------------------------------------------------------------------------------------------------


def unpack(cells: dict[str, Any], written: Any) -> dict[Address, Written]:
    """What a frame says of its cells (already unpacked once, so well formed). Raises BadFrame."""
    if written is None:
        return {}
    _require(type(written) is dict and set(written) == {"by", "at"} and type(written["at"]) is dict)
    officers = written["by"]
    _require(type(officers) is list and 0 < len(officers) <= _MAX_OFFICERS)
    _require(all(o and not _OFFICER.accepts(o) for o in officers))
    said: dict[str, Any] = written["at"]
    out: dict[Address, Written] = {}
    known = _Known(officers)
    _require(all(type(columns) is dict for columns in said.values()))
    left = {(table, column) for table, columns in said.items() for column in columns}
    for table, column, row_ids in _columns(cells):
        if (table, column) not in left:
            continue
        left.remove((table, column))
        pair = said[table][column]
        _require(type(pair) is list and len(pair) == 2)
        places = unrle(pair[0], len(row_ids))
        _require(type(pair[1]) is list and len(pair[1]) == len(row_ids) and set(map(type, pair[1])) == {int})
        times = list(accumulate(pair[1]))
        _require(min(places) >= -1 and max(places) < len(officers) and min(times) >= 0 and max(times) < _LATEST_S)
        for row_id, place, now in zip(row_ids, places, times, strict=True):
            if place >= 0:
                out[table, row_id, column] = known[place, now]
    _require(not left)
    return out


class _Known(dict[tuple[int, int], Written]):
    """(officer's place, Unix seconds) -> who and when, made once: a page saves several cells at a time."""

    def __init__(self, officers: list[str]) -> None:
        super().__init__()
        self._officers = officers

    def __missing__(self, key: tuple[int, int]) -> Written:
        place, now = key
        self[key] = Written(self._officers[place], stamp(datetime.fromtimestamp(now, UTC)))
        return self[key]


def remember(db: Any, cells: Iterable[WireCell], said: dict[Address, Written], station: str, at: str) -> None:
    """Keep who wrote these cells, now the hub's and received at `at`, for the conflict that may come."""
    rows = [
        (*place, cell.col_version, station, w.officer, w.at, at)
        for cell in cells
        if (w := said.get(place := (cell.table, cell.row_id, cell.column))) is not None
    ]
    if rows:
        db.executemany(_REMEMBER, sorted(rows))  # in the order of the table: not to and fro through the file


def remember_cell(db: Any, cell: Cell, station: str, who: Written) -> None:
    """The same for a cell of this database."""
    place = (cell.table, cell.row_id, cell.column)
    db.execute(_REMEMBER, (*place, cell.col_version, station, who.officer, who.at, who.received_at))


_REMEMBER = (
    "INSERT INTO cell_edit (tbl, row_id, col, col_version, station, officer, written_at, received_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tbl, row_id, col) DO UPDATE SET col_version = excluded.col_version, "
    "station = excluded.station, officer = excluded.officer, written_at = excluded.written_at, "
    "received_at = excluded.received_at WHERE excluded.col_version >= cell_edit.col_version"
)


def known(db: Any, place: Address, station: str, col_version: int) -> Written:
    """Who wrote this version of a cell; NOBODY when it was not said."""
    row = db.execute(
        "SELECT officer, written_at, received_at FROM cell_edit "
        "WHERE tbl = ? AND row_id = ? AND col = ? AND station = ? AND col_version = ?",
        (*place, station, col_version),
    ).fetchone()
    return Written(*row) if row else NOBODY


def _columns(cells: dict[str, Any]) -> Iterator[tuple[str, str, list[bytes]]]:
    """(table, column, row ids in order) of packed cells."""
    for table, block in cells.items():
        for column in block["c"]:
            place, row_ids = -1, []
            for step in unrle(column[1], len(column[2])):
                place += step
                row_ids.append(block["id"][16 * place : 16 * place + 16])
            yield table, column[0], row_ids


def _require(condition: bool) -> None:
    if not condition:
        raise bad("payload", "written")
