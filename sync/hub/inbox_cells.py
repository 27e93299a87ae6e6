# SPDX-License-Identifier: Apache-2.0
"""Hub: the cells of one pushed frame: validate, find conflicts, merge, feed what changed.

payload(reg) := {"cells": see `codec`, "conflicts": [see `conflicts.to_wire` ...], "written"?: see `written`}

`conflicts` are those the station found itself (rule N): its unpushed edit lost against a pulled cell, so the hub would
never see the loser otherwise. They travel as data of their own, never as cells.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from schema import crsqlite, ids
from schema.clock import Clock, parse_stamp, stamp
from schema.crsqlite import Cell
from sync.hub import late, publish
from sync.hub.publish import Publication
from sync.merging import conflicts, merge
from sync.merging.merge import Address, Clash, Outcome
from sync.wire import codec, validator, written
from sync.wire.codec import WireCell
from sync.wire.frame import Frame
from sync.wire.receipt import Refused
from sync.wire.written import Written

if TYPE_CHECKING:
    from sync.hub.inbox import Node

Content = tuple[list[list[WireCell]], list[Any], dict[written.Address, Written]]


def read(opened: Frame) -> Content:
    """(rows, conflicts, who wrote what) of a pushed frame. Raises BadFrame."""
    content = opened.content
    if type(content) is not dict or set(content) - {"written"} != {"cells", "conflicts"}:
        raise codec.bad("payload", "form")
    if type(content["conflicts"]) is not list:
        raise codec.bad("payload", "form")
    cells = codec.unpack_cells(content["cells"])
    rows: dict[tuple[str, bytes], list[WireCell]] = {}
    for cell in cells:
        rows.setdefault((cell.table, cell.row_id), []).append(cell)
    if len(rows) + len(content["conflicts"]) != opened.header.items or opened.header.items > codec.MAX_CELLS:
        raise codec.bad("payload", "items")
    return list(rows.values()), content["conflicts"], written.unpack(content["cells"], content.get("written"))


def take(pub: Publication, node: Node, content: Content, clock: Clock) -> Outcome:
    """Everything good is merged, everything bad is listed with its reason."""
    rows, found_there, said = content
    pushed = conflicts.Pushed(node.id, said, stamp(clock.now()))
    outcome = Outcome()
    good: list[list[WireCell]] = []
    clashes: dict[Address, list[Clash]] = {}
    parallel: dict[Address, list[conflicts.Parallel]] = {}
    head, members = pub.seq, _members(pub.db, rows, node.slices)
    version_at = cache(partial(publish.version_at, pub.db))
    known = _stored(pub.db, rows, _oldest_seen(version_at, rows, members))
    for row in rows:
        address = (row[0].table, row[0].row_id)
        row_id, stored = row[0].row_id, known.get(address, {})
        seen = partial(_version_seen, pub, node, version_at, row_id, members.get(row_id))
        if code := validator.bad_pushed_row(row, stored, member=row_id in members, head=head):
            if code == "not_in_slice" and late.was_member(pub.db, row_id, node.slices, clock.now()):
                late.keep(pub, row, stored, pushed)
                code = late.CODE
            outcome.refused.append((Refused.of(_name(row[0]), code), row))
            if code == "tombstone" and validator.is_erased(stored):
                outcome.conflicts += conflicts.record_erased(pub, row, stored, pushed, seen)
            continue
        good.append(row)
        clashes[address] = merge.find_clashes(row, stored, node.site_id, seen)
        if found := conflicts.find_parallel(row, stored, node.site_id, seen):
            parallel[address] = found
    before = crsqlite.max_version(pub.db, publish.REGISTRY_NAMES)

    def poisoned(row: list[WireCell]) -> None:
        outcome.refused.append((Refused.of(_name(row[0]), "database"), row))
        clashes.pop((row[0].table, row[0].row_id))
        parallel.pop((row[0].table, row[0].row_id), None)

    outcome.applied = merge.merge_rows(pub.db, good, known, node.site_id, poisoned)
    outcome.lost = sum(map(len, rows)) - outcome.applied - sum(len(item) for _, item in outcome.refused)
    _feed_changes(pub, before)
    for clash in (c for found in clashes.values() for c in found):
        conflicts.record_clash(pub, clash, pushed)
        outcome.conflicts += 1
    for met in parallel.values():
        conflicts.record_parallel(pub, met, pushed)
    if said:
        _remember(pub, good, clashes, pushed)
    for item in found_there:
        _take_conflict(pub, node, item, pushed, outcome)
    return outcome


def _remember(
    pub: Publication, rows: list[list[WireCell]], clashes: dict[Address, list[Clash]], pushed: conflicts.Pushed
) -> None:
    """Who wrote the cells that stand; a loser must not be named as the author of the value that beat it."""
    lost = {
        written.address(clash.incoming)
        for row in clashes.values()
        for clash in row
        if not conflicts.stands(pub.db, clash.incoming)
    }
    merged = (row for row in rows if (row[0].table, row[0].row_id) in clashes)
    taken = (cell for row in merged for cell in row if written.address(cell) not in lost)
    written.remember(pub.db, taken, pushed.said, pushed.station, pushed.at)


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


def _version_seen(
    pub: Publication, node: Node, version_at: Callable[[int], int], person_id: bytes, since: int | None, base: int
) -> int:
    """The version a base stands for; 0 where none of the slices had the person then: no feed showed the row."""
    shown = (since is not None and base >= since) or late.shown_at(pub.db, person_id, node.slices, base)
    return version_at(base) if shown else 0


def _oldest_seen(version_at: Callable[[int], int], rows: list[list[WireCell]], members: dict[bytes, int]) -> int:
    """The lowest version that any of these edits can be based on; 0 when one may be older than its row's membership."""
    if any(cell.extra < members.get(cell.row_id, 0) for row in rows for cell in row):
        return 0
    return min((version_at(base) for base in {cell.extra for row in rows for cell in row}), default=0)


def _stored(db: Any, rows: list[list[WireCell]], since: int) -> dict[tuple[str, bytes], dict[str, Cell]]:
    """The hub's cells of these rows, by column: those that are pushed, and all that are newer than `since`."""
    out = {}
    for table in publish.REGISTRY_NAMES:
        mine = [row for row in rows if row[0].table == table]
        columns = {cell.column for row in mine for cell in row}
        found = crsqlite.cells_of_rows(db, table, [row[0].row_id for row in mine], columns=columns, since=since)
        for row_id, cells in found.items():
            out[table, row_id] = {c.column: c for c in cells}
    return out


def _feed_changes(pub: Publication, before: int) -> None:
    for table in publish.REGISTRY_NAMES:
        pub.touch(table, crsqlite.rows_changed_since(pub.db, table, before))


def _take_conflict(pub: Publication, node: Node, item: Any, pushed: conflicts.Pushed, outcome: Outcome) -> None:
    """A station's own finding. It may speak of its slice only, and never change a conflict that is known."""
    known = conflicts.found_fits(item) and (
        is_member(pub.db, item[2], node.slices) or late.was_member(pub.db, item[2], node.slices, parse_stamp(pushed.at))
    )
    if not known:
        outcome.refused.append((Refused.of(f"conflict/{_hex(item)}", "conflict_form"), item))
    elif conflicts.take_found(pub, item, pushed):
        outcome.conflicts += 1


def _name(cell: WireCell) -> str:
    return f"{cell.table[:40]}/{ids.to_text(cell.row_id)}"


def _hex(item: Any) -> str:
    named = type(item) is list and item and type(item[0]) is bytes
    return str(item[0][:16].hex()) if named else "?"
