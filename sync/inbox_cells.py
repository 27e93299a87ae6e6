# SPDX-License-Identifier: Apache-2.0
"""Hub: the cells of one pushed frame: validate, find conflicts, merge, feed what changed.

payload(reg) := {"cells": see `codec`, "conflicts": [[id, table, row id, column, kept, lost, author of kept] ...]}

`conflicts` are those the station found itself (rule N): its unpushed edit lost against a pulled cell, so the hub would
never see the loser otherwise. They travel as data of their own, never as cells.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from schema import crsqlite, ids, tables
from schema.clock import Clock, stamp
from schema.crsqlite import Cell
from sync import codec, merge, publish, validator
from sync.codec import WireCell
from sync.frame import Frame
from sync.merge import Outcome
from sync.publish import Publication
from sync.receipt import Refused

if TYPE_CHECKING:
    from sync.inbox import Node

Content = tuple[list[list[WireCell]], list[Any]]
_CONFLICT = ("id", "tbl", "row_id", "col", "kept", "lost")


def read(opened: Frame) -> Content:
    """(rows, conflicts) of a pushed frame. Raises BadFrame."""
    content = opened.content
    if type(content) is not dict or set(content) != {"cells", "conflicts"} or type(content["conflicts"]) is not list:
        raise codec.bad("payload", "form")
    cells = codec.unpack_cells(content["cells"])
    rows: dict[tuple[str, bytes], list[WireCell]] = {}
    for cell in cells:
        rows.setdefault((cell.table, cell.row_id), []).append(cell)
    if len(rows) + len(content["conflicts"]) != opened.header.items or opened.header.items > codec.MAX_CELLS:
        raise codec.bad("payload", "items")
    return list(rows.values()), content["conflicts"]


def take(pub: Publication, node: Node, content: Content, clock: Clock) -> Outcome:
    """Everything good is merged, everything bad is listed with its reason."""
    rows, conflicts = content
    outcome = Outcome()
    good: list[list[WireCell]] = []
    clashes: dict[bytes, list[merge.Clash]] = {}
    head, members, known = pub.seq, _members(pub.db, rows, node.slices), _stored(pub.db, rows)
    version_at = cache(partial(publish.version_at, pub.db))
    for row in rows:
        stored = known.get((row[0].table, row[0].row_id), {})
        if code := validator.bad_pushed_row(row, stored, member=row[0].row_id in members, head=head):
            outcome.refused.append((Refused.of(_name(row[0]), code), row))
            continue
        good.append(row)
        seen = partial(_version_seen, version_at, members[row[0].row_id])
        clashes[row[0].row_id] = merge.find_clashes(row, stored, node.site_id, seen)
    before = crsqlite.max_version(pub.db, publish.REGISTRY_NAMES)

    def poisoned(row: list[WireCell]) -> None:
        outcome.refused.append((Refused.of(_name(row[0]), "database"), row))
        clashes.pop(row[0].row_id)

    outcome.applied = merge.merge_rows(pub.db, good, node.site_id, poisoned)
    outcome.lost = sum(map(len, rows)) - outcome.applied - sum(len(item) for _, item in outcome.refused)
    _feed_changes(pub, before)
    for found in clashes.values():
        for clash in found:
            merge.record_clash(pub, clash, node.id, clock)
        outcome.conflicts += len(found)
    for item in conflicts:
        _take_conflict(pub, node, item, clock, outcome)
    return outcome


def is_member(db: Any, person_id: bytes, wanted: tuple[str, ...]) -> bool:
    """Whether the person is in one of these slices."""
    marks = ", ".join("?" * len(wanted))
    sql = f"SELECT 1 FROM slice_member WHERE person_id = ? AND slice IN ({marks})"
    return db.execute(sql, (person_id, *wanted)).fetchone() is not None


def _members(db: Any, rows: list[list[WireCell]], wanted: tuple[str, ...]) -> dict[bytes, int]:
    """The persons among these rows that are in one of these slices, and since which feed number."""
    listed = json.dumps([row[0].row_id.hex() for row in rows])
    marks = ", ".join("?" * len(wanted))
    sql = (
        "SELECT m.person_id, min(m.since_seq) FROM (SELECT unhex(value) AS id FROM json_each(?)) w "
        f"CROSS JOIN slice_member m ON m.person_id = w.id WHERE m.slice IN ({marks}) GROUP BY m.person_id"
    )
    return {bytes(found[0]): found[1] for found in db.execute(sql, (listed, *wanted))}


def _version_seen(version_at: Callable[[int], int], since: int, base: int) -> int:
    """The version a base stands for; 0 from before the person came into the slice: that feed did not show the row."""
    return version_at(base) if base >= since else 0


def _stored(db: Any, rows: list[list[WireCell]]) -> dict[tuple[str, bytes], dict[str, Cell]]:
    """The hub's cells of these rows, by column."""
    out = {}
    for table in publish.REGISTRY_NAMES:
        asked = [row[0].row_id for row in rows if row[0].table == table]
        for row_id, cells in crsqlite.cells_of_rows(db, table, asked).items():
            out[table, row_id] = {c.column: c for c in cells}
    return out


def _feed_changes(pub: Publication, before: int) -> None:
    for table in publish.REGISTRY_NAMES:
        pub.touch(table, crsqlite.rows_changed_since(pub.db, table, before))


def _take_conflict(pub: Publication, node: Node, item: Any, clock: Clock, outcome: Outcome) -> None:
    """A station's own finding. It may speak of its slice only, and never change a conflict that is known."""
    if not _conflict_fits(item) or not is_member(pub.db, item[2], node.slices):
        outcome.refused.append((Refused.of(f"conflict/{_hex(item)}", "conflict_form"), item))
        return
    row = dict(zip(_CONFLICT, item, strict=False))
    if pub.db.execute("SELECT 1 FROM conflict WHERE id = ?", (row["id"],)).fetchone() is None:
        author = merge.author_name(pub.db, item[6])
        pub.put("conflict", {**row, "kept_by": author, "lost_by": node.id, "found_at": stamp(clock.now())})
        outcome.conflicts += 1


def _conflict_fits(item: Any) -> bool:
    if type(item) is not list or len(item) != len(_CONFLICT) + 1 or type(item[6]) is not bytes or len(item[6]) != 16:
        return False
    declared = tables.TABLES["conflict"]
    columns = [declared.column(name) for name in _CONFLICT]
    if any(column is None or column.accepts(value) for column, value in zip(columns, item, strict=False)):
        return False
    table = tables.TABLES.get(item[1])
    return table is not None and table.kind == "registry" and table.column(item[3]) is not None


def _name(cell: WireCell) -> str:
    return f"{cell.table[:40]}/{ids.to_text(cell.row_id)}"


def _hex(item: Any) -> str:
    named = type(item) is list and item and type(item[0]) is bytes
    return str(item[0][:16].hex()) if named else "?"
