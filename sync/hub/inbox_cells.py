# SPDX-License-Identifier: Apache-2.0
"""Hub: the cells of one pushed frame: validate, find conflicts, merge, feed what changed.

payload(reg) := {"cells": see `codec`, "conflicts": [see `conflicts.to_wire` ...], "written"?: see `written`}

`conflicts` are those the station found itself (rule N): its unpushed edit lost against a pulled cell, so the hub would
never see the loser otherwise. They travel as data of their own, never as cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from schema import crsqlite, ids
from schema.clock import Clock, parse_stamp, stamp
from schema.crsqlite import Cell
from sync.hub import late, publish
from sync.hub.publish import Publication
from sync.merging import conflicts, merge
from sync.merging.merge import Address, Outcome
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
    head, members = pub.seq, _members(pub.db, rows, node.slices)
    version_at = cache(partial(publish.version_at, pub.db))
    before = crsqlite.max_version(pub.db, publish.REGISTRY_NAMES)
    plain = merge.overwrite(
        pub.db, _promising(rows, members, head), lambda row: version_at(_oldest_base(row)), node.site_id
    )
    done = [row for row in rows if _place(row) in plain]
    outcome.applied = sum(map(len, done))
    rest = [row for row in rows if _place(row) not in plain] if len(done) < len(rows) else []
    careful = _Careful(pub, node, pushed, outcome, version_at, members)
    taken = careful.merge(rest, head, clock)
    _feed_changes(pub, before)
    careful.record()
    if said:
        cells = [cell for row in (*done, *taken) for cell in row]
        written.remember(pub.db, careful.without_losers(cells), said, node.id, pushed.at)
    for item in found_there:
        _take_conflict(pub, node, item, pushed, outcome)
    return outcome


class _Careful:
    """Row by row: what has to be refused, put before a reviewer, or recorded as a meeting of two edits."""

    def __init__(
        self, pub: Publication, node: Node, pushed: conflicts.Pushed, outcome: Outcome,
        version_at: Callable[[int], int], members: dict[bytes, int],
    ) -> None:  # fmt: skip
        self._pub, self._node, self._pushed, self._outcome = pub, node, pushed, outcome
        self._version_at, self._members = version_at, members
        self._clashes: dict[Address, list[merge.Clash]] = {}
        self._parallel: dict[Address, list[conflicts.Parallel]] = {}

    def merge(self, rows: list[list[WireCell]], head: int, clock: Clock) -> list[list[WireCell]]:
        """Merge what may be merged; returns the rows that were taken."""
        if not rows:
            return []
        node = self._node
        good: list[list[WireCell]] = []
        known = _stored(self._pub.db, rows, _oldest_seen(self._version_at, rows, self._members))
        for row in rows:
            place, stored = _place(row), known.get(_place(row), {})
            seen = partial(_version_seen, self._pub, node, self._version_at, place[1], self._members.get(place[1]))
            if self._refuse(row, stored, head, clock, seen):
                continue
            good.append(row)
            self._clashes[place] = merge.find_clashes(row, stored, node.site_id, seen)
            if found := conflicts.find_parallel(row, stored, node.site_id, seen):
                self._parallel[place] = found
        won = merge.merge_rows(self._pub.db, good, node.site_id, self._poisoned)
        self._outcome.applied += won
        self._outcome.lost += sum(map(len, rows)) - won - sum(len(item) for _, item in self._outcome.refused)
        return [row for row in good if _place(row) in self._clashes]

    def _refuse(
        self, row: list[WireCell], stored: dict[str, Cell], head: int, clock: Clock, seen: Callable[[int], int]
    ) -> bool:
        node, row_id = self._node, row[0].row_id
        code = validator.bad_pushed_row(row, stored, member=row_id in self._members, head=head)
        if not code:
            return False
        if code == "not_in_slice" and late.was_member(self._pub.db, row_id, node.slices, clock.now()):
            late.keep(self._pub, row, stored, self._pushed)
            code = late.CODE
        self._outcome.refused.append((Refused.of(_name(row[0]), code), row))
        if code == "tombstone" and validator.is_erased(stored):
            self._outcome.conflicts += conflicts.record_erased(self._pub, row, stored, self._pushed, seen)
        return True

    def _poisoned(self, row: list[WireCell]) -> None:
        self._outcome.refused.append((Refused.of(_name(row[0]), "database"), row))
        self._clashes.pop(_place(row))
        self._parallel.pop(_place(row), None)

    def record(self) -> None:
        """Write down, after the merge, which edits met."""
        for clash in (c for found in self._clashes.values() for c in found):
            conflicts.record_clash(self._pub, clash, self._pushed)
            self._outcome.conflicts += 1
        for met in self._parallel.values():
            conflicts.record_parallel(self._pub, met, self._pushed)

    def without_losers(self, cells: list[WireCell]) -> Iterable[WireCell]:
        """The cells that stand; a loser must not be named as the author of the value that beat it."""
        clashed = (clash.incoming for found in self._clashes.values() for clash in found)
        lost = {written.address(cell) for cell in clashed if not conflicts.stands(self._pub.db, cell)}
        return (cell for cell in cells if written.address(cell) not in lost) if lost else cells


def _promising(rows: list[list[WireCell]], members: dict[bytes, int], head: int) -> list[list[WireCell]]:
    """Rows of sound cells whose author was shown the row as a member of the slices."""
    sound = validator.sound_columns((cell for row in rows for cell in row), head=head)
    never = head + 1
    return [
        row
        for row in rows
        if all([(cell.table, cell.column) in sound for cell in row])
        and _oldest_base(row) >= members.get(row[0].row_id, never)
    ]


def _oldest_base(row: list[WireCell]) -> int:
    return min([cell.extra for cell in row])


def _place(row: list[WireCell]) -> Address:
    return row[0].table, row[0].row_id


def is_member(db: Any, person_id: bytes, wanted: tuple[str, ...]) -> bool:
    """Whether the person is in one of these slices."""
    marks = ", ".join("?" * len(wanted))
    sql = f"SELECT 1 FROM slice_member WHERE person_id = ? AND slice IN ({marks})"
    return db.execute(sql, (person_id, *wanted)).fetchone() is not None


def _members(db: Any, rows: list[list[WireCell]], wanted: tuple[str, ...]) -> dict[bytes, int]:
    """The persons among these rows that are in one of these slices, and since which feed number."""
    listed = crsqlite.listed(sorted({row[0].row_id for row in rows}))
    marks = ", ".join("?" * len(wanted))
    sql = (
        f"SELECT m.person_id, m.since_seq FROM ({crsqlite.WANTED}) w "
        f"CROSS JOIN slice_member m ON m.person_id = w.id WHERE m.slice IN ({marks}) ORDER BY m.since_seq DESC"
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
    code = ""
    if not conflicts.found_fits(item):
        code = "conflict_form"
    elif not is_member(pub.db, item[2], node.slices):
        known = late.was_member(pub.db, item[2], node.slices, parse_stamp(pushed.at))
        code = "" if known else "not_in_slice"
    if code:
        outcome.refused.append((Refused.of(f"conflict/{_hex(item)}", code), item))
    elif conflicts.take_found(pub, item, pushed):
        outcome.conflicts += 1


def _name(cell: WireCell) -> str:
    return f"{cell.table[:40]}/{ids.to_text(cell.row_id)}"


def _hex(item: Any) -> str:
    named = type(item) is list and item and type(item[0]) is bytes
    return str(item[0][:16].hex()) if named else "?"
