# SPDX-License-Identifier: Apache-2.0
"""What stands between a peer and the database: every cell and row is checked against `schema.tables` first.

For pushed cells in this order, cheapest and most dangerous first: table, numbers, sentinel, tombstone, column, value,
then slice and version jump against the hub's own data. The extension never sees what fails here: a malformed key kills
its process (P3), a huge version number stops a database for ever (P4), an even causal length deletes a row everywhere
and beats every edit (P8), a NULL where none may be leaves a connection deaf (P1).

A reason is a code of `sync.wire.words`; '' means good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schema import ids, tables
from schema.crsqlite import ROW_SENTINEL, Cell
from schema.table import Column
from sync.wire.codec import WireCell

MAX_COL_VERSION = 1_000_000
MAX_CAUSAL_LENGTH = 1_000
MAX_VERSION_JUMP = 10_000
# How far one frame may move a station's own counters (db_version, fact number) ahead.
MAX_STEP = 1_000_000

_PYTHON_TYPE: dict[str, type] = {"id": bytes, "blob": bytes, "text": str, "int": int}
_REGISTRY = {t.name: t for t in tables.REGISTRY}
_REFERENCE = {t.name: t for t in tables.REFERENCE}
# By name: a first load asks for a million columns.
_COLUMNS = {t.name: {c.name: c for c in t.columns} for t in (*tables.REGISTRY, *tables.REFERENCE)}
_MUST_BE_GIVEN = {t.name: {c.name for c in t.columns if c.required or c.name in t.key} for t in tables.REFERENCE}


def bad_cell(cell: WireCell, *, from_node: bool) -> str:
    """Why this cell may not reach the extension. `from_node`: a station sent it, so `nodes_write` and P8 bind."""
    table = _REGISTRY.get(cell.table)
    if table is None:
        return "table"
    if type(cell.row_id) is not bytes or len(cell.row_id) != 16:
        return "arity"
    if not (0 <= cell.col_version <= MAX_COL_VERSION and 1 <= cell.causal_length <= MAX_CAUSAL_LENGTH):
        return "range"
    if cell.column == ROW_SENTINEL:
        return "sentinel" if from_node or cell.value is not None or cell.col_version != cell.causal_length else ""
    if cell.causal_length % 2 == 0:
        return "tombstone"
    column = _COLUMNS[table.name].get(cell.column)
    if column is None or column.name in table.key or (from_node and not column.nodes_write):
        return "column"
    return column.accepts(cell.value) if from_node else _harmful(column, cell.value)


def _harmful(column: Column, value: object) -> str:
    """What of the hub's own data a station does not take: what would corrupt, not what merely looks wrong.

    An old register is full of telephone numbers no pattern foresees; refusing one would stop the whole slice for ever.
    """
    reason = column.accepts(value)
    return "" if reason == "format" or (reason == "length" and column.type != "id") else reason


def sound_columns(cells: Iterable[WireCell], *, head: int) -> set[tuple[str, str]]:
    """(table, column) of which every cell passes `bad_cell` and has a good base: asked column by column, because a
    frame has thousands of cells and hardly ever a bad one. Rows that were deleted once are left to the careful way.
    """
    found: dict[tuple[str, str], list[WireCell]] = {}
    for cell in cells:
        found.setdefault((cell.table, cell.column), []).append(cell)
    return {name for name, column in found.items() if _is_sound(*name, column, head)}


def _is_sound(table: str, name: str, cells: list[WireCell], head: int) -> bool:
    column = _COLUMNS[table].get(name) if table in _REGISTRY else None
    if column is None or not column.nodes_write or name in _REGISTRY[table].key:
        return False
    _, _, _, values, versions, lengths, bases = zip(*cells, strict=True)
    numbers_fit = 0 <= min(versions) <= max(versions) <= MAX_COL_VERSION and 0 <= min(bases) <= max(bases) <= head
    return numbers_fit and set(lengths) == {1} and column.accepts_all(values)


def bad_pushed_row(row: Sequence[WireCell], stored: Mapping[str, Cell], *, member: bool, head: int) -> str:
    """Why a pushed row is quarantined as a whole: a row half taken would be a row nobody wrote.

    `stored`: the hub's cells of that row by column. `member`: whether the row is in a slice of the sender. `head`: the
    feed's head, which no honest base can exceed.
    """
    for cell in row:
        if reason := bad_cell(cell, from_node=True):
            return reason
        if not 0 <= cell.extra <= head:
            return "range"
    if not member:
        return "not_in_slice"
    length = max((known.causal_length for known in stored.values()), default=1)
    if is_erased(stored):
        return "tombstone"
    for cell in row:
        known = stored.get(cell.column)
        if cell.col_version > (known.col_version if known else 0) + MAX_VERSION_JUMP or cell.causal_length > length:
            return "range"
    return ""


def is_erased(stored: Mapping[str, Cell]) -> bool:
    """Whether the hub has deleted the row: then its sentinel is all that is left of it."""
    return any(known.causal_length % 2 == 0 for known in stored.values())


def bad_column(table_name: str, name: str, values: Iterable[Any]) -> str:
    """Why a station does not take a whole column of a travelling table: `_harmful`, asked of all its values at once."""
    column, distinct = _COLUMNS[table_name][name], set(values)
    if name == "rev":
        return "" if all(type(v) is int and 0 <= v < 2**53 for v in distinct) else "range"
    if None in distinct and (column.required or name in tables.TABLES[table_name].key):
        return "null"
    given = distinct - {None}
    if set(map(type, given)) - {_PYTHON_TYPE[column.type]}:
        return "type"
    if column.type == "text":
        return column.accepts_characters("".join(given))
    if column.type == "int":
        return "" if not given or -(2**63) <= min(given) <= max(given) < 2**63 else "type"
    return "length" if column.type == "id" and set(map(len, given)) - {ids.ID_BYTES} else ""


def bad_reference_row(table_name: str, row: Mapping[str, Any]) -> str:
    """Why a station does not take a reference row: a fault of the hub must not corrupt the stations."""
    table = _REFERENCE.get(table_name)
    if table is None:
        return "table"
    if type(row.get("rev")) is not int or not 0 <= row["rev"] < 2**53:
        return "range"
    for name, value in row.items():
        column = _COLUMNS[table_name].get(name)
        if column is None:
            return "column"
        if name in table.key and value is None:
            return "null"
        if reason := _harmful(column, value):
            return reason
    return "" if _MUST_BE_GIVEN[table_name] <= row.keys() else "null"
