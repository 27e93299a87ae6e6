# SPDX-License-Identifier: Apache-2.0
"""Station: cells the hub put aside, because the person had left, give way when the person is back.

Such an edit is before a reviewer and not in the hub's register, but the row still shows it here, with a higher version
than the hub's own. A station that hears of the leaving loses the row; one that hears only of the return would keep its
value against the hub's for good, and only a repair would find it. That holds of a value that the reviewer took over,
too: it is the hub's edit now, with the hub's version.
"""

from __future__ import annotations

from typing import Any

from schema import crsqlite, crsqlite_rows, ids
from schema.crsqlite_rows import NewerRow
from sync.hub import late
from sync.station import outbox
from sync.wire import codec
from sync.wire.codec import WireCell

_PUT_ASIDE = (
    "SELECT item, content FROM refusal WHERE direction = 'out' AND channel = 'reg' AND code IN (?, ?) "
    "AND item NOT GLOB 'conflict/*'"
)
_CODES = (late.CODE, "not_in_slice")


def give_way(db: Any, cells: list[WireCell], sites: list[bytes]) -> None:
    """Before these pulled cells of the hub are merged: put them in the place of what the hub put aside."""
    put_aside = _put_aside(db)
    if not put_aside:
        return
    signed_for = outbox.acked(db, "reg")
    for cell in cells:
        refused = put_aside.get((cell.table, cell.row_id), {})
        if cell.column not in refused:
            continue
        mine = {c.column: c for c in crsqlite.cells_of(db, cell.table, cell.row_id)}.get(cell.column)
        if mine is None or mine.site is not None or mine.db_version > signed_for:
            continue  # evicted meanwhile, or written anew since
        if mine.value == refused[cell.column] and mine.causal_length == cell.causal_length:
            its = NewerRow(cell.row_id, 0, ((cell.value, cell.col_version),))
            crsqlite_rows.put_in_place(db, cell.table, cell.column, its, sites[cell.extra])


def _put_aside(db: Any) -> dict[tuple[str, bytes], dict[str, Any]]:
    """(table, row) -> the values that were put aside, by column."""
    found: dict[tuple[str, bytes], dict[str, Any]] = {}
    for item, content in db.execute(_PUT_ASIDE, _CODES):
        table, _, row_id = item.partition("/")
        if content is not None and row_id:
            found.setdefault((table, ids.from_text(row_id)), {}).update(codec.load(bytes(content)))
    return found
