# SPDX-License-Identifier: Apache-2.0
"""Hub: cells that a station wrote before it knew that the person had left its slices.

They are not merged: the row is another township's now. Nor are they thrown away: what differs from the register is kept
for a reviewer, who takes it over as the hub's own edit or refuses it; the station is told by its receipt at once
(`left_slice`), and of the decision by the row of `late_edit`. After KEPT the row is refused like any stranger's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from schema import database, ids, tables
from schema.clock import stamp
from schema.crsqlite import Cell
from sync.hub.publish import Publication
from sync.merging import merge
from sync.merging.conflicts import Pushed
from sync.wire import codec, written
from sync.wire.codec import WireCell

CODE = "left_slice"
KEPT = timedelta(days=30)
WAITING, ACCEPTED, REFUSED = "waiting", "accepted", "refused"


def was_member(db: Any, person_id: bytes, slices: tuple[str, ...], now: datetime) -> bool:
    """Whether the person left one of these slices so recently that an edit from there is a late one."""
    marks = ", ".join("?" * len(slices))
    sql = f"SELECT max(left_at) FROM slice_left WHERE person_id = ? AND slice IN ({marks})"
    left_at = db.execute(sql, (person_id, *slices)).fetchone()[0]
    return left_at is not None and left_at > stamp(now - KEPT)


def keep(pub: Publication, row: list[WireCell], stored: Mapping[str, Cell], pushed: Pushed) -> None:
    """Put what differs from the register before a reviewer: columns that make sense only together as one item."""
    together: dict[str, list[WireCell]] = {}
    for cell in row:
        known = stored.get(cell.column)
        if merge.never_written(cell) or (known is not None and known.value == cell.value):
            continue
        column = tables.TABLES[cell.table].column(cell.column)
        together.setdefault((column.group if column else "") or cell.column, []).append(cell)
    for cells in together.values():
        late_id = ids.new_id()
        pub.put("late_edit", {
            "id": late_id, "station": pushed.station, "tbl": cells[0].table, "row_id": cells[0].row_id,
            "cols": " ".join(c.column for c in cells), "state": WAITING, "received_at": pushed.at,
        })  # fmt: skip
        for cell in cells:
            who = pushed.said.get(written.address(cell), written.NOBODY)
            database.insert(pub.db, "late_value", {
                "late_id": late_id, "col": cell.column, "value": codec.dump(cell.value), "officer": who.officer,
                "written_at": who.at,
            })  # fmt: skip


def shown_at(db: Any, person_id: bytes, slices: tuple[str, ...], base: int) -> bool:
    """Whether one of these slices held the person at this feed number and no longer does, or again."""
    marks = ", ".join("?" * len(slices))
    sql = f"SELECT 1 FROM slice_left WHERE person_id = ? AND slice IN ({marks}) AND since_seq <= ? AND ? < left_seq"
    return db.execute(sql, (person_id, *slices, base, base)).fetchone() is not None
