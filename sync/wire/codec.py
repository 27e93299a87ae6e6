# SPDX-License-Identifier: Apache-2.0
"""CBOR as it may arrive from a peer, and the columnar forms inside frames.

Columnar because it compresses twice as well as rows (a day's edits of a township fit into seconds of a 16 kbit/s line).

    cells := {table: {"id": 16-byte ids joined, "c": [column...]}}
    column := [name, rle(row steps), [values], rle(col_version), rle(causal length), rle(x)]
             x is the edit's base (push) or the index of its author in `sites` (pull)
    rows  := {table: {"c": [column...], "v": [[values of column]...]}}
    rle   := [value, count, value, count, ...]

Every function that reads raises BadFrame and nothing else, and spends memory in proportion to MAX_ITEMS.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import cbor2

from schema.errors import BadFrame
from sync.wire.words import words

MAX_CELLS = 5_000
# Thirteen per cell at worst (nothing repeats, so no run is longer than one), with room.
MAX_ITEMS = 70_000
MAX_DEPTH = 8


class WireCell(NamedTuple):
    """A cell on its way: `extra` is the base of a pushed edit, or the author's index in a pulled one."""

    table: str
    row_id: bytes
    column: str
    value: Any
    col_version: int
    causal_length: int
    extra: int


def bad(code: str, detail: str = "") -> BadFrame:
    """A BadFrame in words."""
    zh, en = words(code)
    return BadFrame(f"{zh}（{detail}）" if detail else zh, f"{en} ({detail})" if detail else en, code=code)


def dump(value: Any) -> bytes:
    """Deterministic CBOR."""
    return cbor2.dumps(value, canonical=True)


def load(data: bytes, code: str = "payload") -> Any:
    """CBOR from a peer: whole numbers, bytes, text, lists, maps, true, false, null. Raises BadFrame(code).

    The items are counted before anything is built: four million empty lists in 4 MiB would cost 250 MiB.
    """
    _scan(data, code)
    try:
        return cbor2.loads(data, max_depth=MAX_DEPTH + 1, allow_indefinite=False, allow_duplicate_keys=False)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError) as error:
        raise bad(code, "cbor") from error


def _scan(data: bytes, code: str) -> None:
    """Walk the heads: only plain types, bounded number, bounded depth, no rest."""
    position, end, open_containers, items = 0, len(data), [1], 0
    while open_containers:
        if open_containers[-1] == 0:
            open_containers.pop()
            continue
        open_containers[-1] -= 1
        items += 1
        if position >= end or items > MAX_ITEMS or len(open_containers) > MAX_DEPTH:
            raise bad(code, "bounds")
        major, low = data[position] >> 5, data[position] & 31
        position += 1
        width = {24: 1, 25: 2, 26: 4, 27: 8}.get(low, 0)
        if low > 27 or position + width > end:
            raise bad(code, "cbor")
        argument = int.from_bytes(data[position : position + width], "big") if width else low
        position += width
        if major in (2, 3):
            position += argument
        elif major in (4, 5):
            open_containers.append(argument * (major - 3))
        elif major == 6 or (major == 7 and low not in (20, 21, 22)):
            raise bad(code, "type")
        if position > end:
            raise bad(code, "cbor")
    if position != end:
        raise bad(code, "rest")


def weight(values: Iterable[Any]) -> int:
    """An upper bound of the bytes these values take in a frame, before compression."""
    total = 0
    for value in values:
        if isinstance(value, str):
            total += 5 + (len(value) if value.isascii() else 4 * len(value))
        elif isinstance(value, bytes):
            total += 5 + len(value)
        else:
            total += 9
    return total


def rle(values: Sequence[int]) -> list[int]:
    """[value, count, ...]."""
    out: list[int] = []
    for value in values:
        if out and out[-2] == value:
            out[-1] += 1
        else:
            out += [value, 1]
    return out


def unrle(data: Any, count: int) -> list[int]:
    """The `count` whole numbers of a run-length list."""
    _require(type(data) is list and len(data) % 2 == 0 and all(type(x) is int for x in data))
    _require(all(n > 0 for n in data[1::2]) and sum(data[1::2]) == count)
    return [value for value, n in zip(data[::2], data[1::2], strict=True) for _ in range(n)]


def pack_cells(cells: Iterable[WireCell]) -> dict[str, Any]:
    """Cells in columnar form. Row order is the order of first appearance."""
    tables: dict[str, dict[str, list[WireCell]]] = {}
    order: dict[str, dict[bytes, int]] = {}
    for cell in cells:
        order.setdefault(cell.table, {}).setdefault(cell.row_id, len(order[cell.table]))
        tables.setdefault(cell.table, {}).setdefault(cell.column, []).append(cell)
    return {
        table: {
            "id": b"".join(order[table]),
            "c": [_pack_column(name, order[table], column) for name, column in sorted(columns.items())],
        }
        for table, columns in tables.items()
    }


def _pack_column(name: str, order: dict[bytes, int], cells: list[WireCell]) -> list[Any]:
    cells = sorted(cells, key=lambda c: order[c.row_id])
    places = [order[c.row_id] for c in cells]
    steps = [b - a for a, b in zip([-1, *places], places, strict=False)]
    return [
        name, rle(steps), [c.value for c in cells], rle([c.col_version for c in cells]),
        rle([c.causal_length for c in cells]), rle([c.extra for c in cells]),
    ]  # fmt: skip


def unpack_cells(data: Any) -> list[WireCell]:
    """Cells of a frame, row by row. Checks form only; what may stand in them is `validator`'s business."""
    _require(type(data) is dict)
    out: list[WireCell] = []
    for table, block in data.items():
        _require(type(table) is str and type(block) is dict and set(block) == {"id", "c"})
        _require(type(block["id"]) is bytes and len(block["id"]) % 16 == 0 and type(block["c"]) is list)
        ids = [block["id"][i : i + 16] for i in range(0, len(block["id"]), 16)]
        _require(len(set(ids)) == len(ids) and len(ids) <= MAX_CELLS)
        placed: list[tuple[int, WireCell]] = []
        for column in block["c"]:
            placed += _unpack_column(table, ids, column)
            _require(len(out) + len(placed) <= MAX_CELLS)
        _require(len({(place, cell.column) for place, cell in placed}) == len(placed))
        out += [cell for _, cell in sorted(placed, key=lambda p: p[0])]
    return out


def _unpack_column(table: str, ids: list[bytes], column: Any) -> list[tuple[int, WireCell]]:
    _require(type(column) is list and len(column) == 6)
    name, steps, values, versions, lengths, extras = column
    _require(type(name) is str and len(name) <= 64 and type(values) is list and 0 < len(values) <= len(ids))
    count = len(values)
    place, out = -1, []
    numbers = zip(
        unrle(steps, count), values, unrle(versions, count), unrle(lengths, count), unrle(extras, count), strict=True
    )
    for step, value, col_version, causal_length, extra in numbers:
        place += step
        _require(step > 0 and place < len(ids))
        out.append((place, WireCell(table, ids[place], name, value, col_version, causal_length, extra)))
    return out


def pack_rows(tables: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Whole rows in columnar form; all rows of a table have the same columns."""
    return {
        table: {"c": list(rows[0]), "v": [[row[c] for row in rows] for c in rows[0]]}
        for table, rows in tables.items()
        if rows
    }


def unpack_rows(data: Any) -> dict[str, list[dict[str, Any]]]:
    """Whole rows of a frame, by table."""
    _require(type(data) is dict)
    out: dict[str, list[dict[str, Any]]] = {}
    for table, block in data.items():
        _require(type(table) is str and type(block) is dict and set(block) == {"c", "v"})
        names, columns = block["c"], block["v"]
        _require(type(names) is list and type(columns) is list and 0 < len(names) == len(columns) <= 64)
        _require(all(type(n) is str for n in names) and len(set(names)) == len(names))
        _require(all(type(c) is list and len(c) == len(columns[0]) for c in columns))
        out[table] = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    return out


def _require(condition: bool) -> None:
    if not condition:
        raise bad("payload", "form")
