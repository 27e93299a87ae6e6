# SPDX-License-Identifier: Apache-2.0
"""Station: where the digests differ, put what the hub holds in place of what lies here, bucket by bucket.

A page of the hub holds whole buckets: what is on it is written as it is, what is not on it goes. Nothing unsent may be
lost, and nothing newer: a page is written only while the cursors stand where they stood when the digests were
compared, and a row with an own edit that the hub has not signed for is left alone until the next time. A value that has
to give way in a registry row is kept as a refusal, so that the clerk finds it among the lost edits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schema import crsqlite, crsqlite_rows, database, ids
from schema.clock import stamp
from schema.crsqlite import ROW_SENTINEL
from schema.crsqlite_rows import InstalledRow
from schema.events import GENESIS, HUB
from schema.table import Table
from sync import slices
from sync.equality import digest, incidents
from sync.equality.buckets import Kept
from sync.equality.digest import DIGEST_BYTES, Scope
from sync.hub.difference import BUCKETS_ASKED, GROUPS_ASKED, SLICE_PREFIX
from sync.hub.inbox import write_refusal
from sync.station import outbox, pull
from sync.station.conversation import Conversation
from sync.station.report import Answered
from sync.wire import codec, frame, validator
from sync.wire.codec import WireCell
from sync.wire.receipt import Refused

PAGES_IN_A_SESSION = 32
_GROUP_BYTES = DIGEST_BYTES * digest.BUCKETS_IN_GROUP


@dataclass(frozen=True)
class Standing:
    """Where the cursors of the slices held stood: the lowest, and the highest of all."""

    at: int
    furthest: int

    @staticmethod
    def of(db: Any, held: tuple[str, ...]) -> Standing:
        lowest = min(pull.cursor(db, slice_, channel) for slice_ in held for channel in pull.ORDER)
        return Standing(lowest, pull.furthest(db))


class Repair:
    """Repairs families within one session: all of them together may cost PAGES_IN_A_SESSION pages."""

    def __init__(self, talk: Conversation, standing: Standing) -> None:
        self._talk, self._standing = talk, standing
        self._pages = 0

    def run(self, held: tuple[str, ...], mine: Kept) -> bool:
        """Whether all buckets that differ were written; False: the rest is for another session.

        `held`: the slices of one family. Raises what a conversation raises, and BadFrame for a page that may not be
        used: the buckets of the pages before it stay repaired.
        """
        path = ",".join(held)
        try:
            wanted = self._differing(path, mine.groups)
            while wanted and self._pages < PAGES_IN_A_SESSION:
                done = self._page(path, held, wanted[:BUCKETS_ASKED])
                wanted = [bucket for bucket in wanted if bucket not in done]
                self._talk.tell("repair", self._pages)
        except Answered as error:
            if error.code != "moved":
                raise
            return False
        return not wanted

    def _differing(self, path: str, mine: tuple[bytes, ...]) -> list[int]:
        theirs = _parts(self._hashes(path, {}, digest.GROUPS * DIGEST_BYTES))
        groups = [n for n, hash_ in enumerate(theirs) if digest.hash_of(mine[n]) != hash_]
        out: list[int] = []
        for start in range(0, len(groups), GROUPS_ASKED):
            asked = groups[start : start + GROUPS_ASKED]
            joined = self._hashes(path, {"groups": ",".join(map(str, asked))}, len(asked) * _GROUP_BYTES)
            for place, number in enumerate(asked):
                have = digest.ungroup(mine[number], number)
                right = digest.ungroup(joined[place * _GROUP_BYTES : (place + 1) * _GROUP_BYTES], number)
                out += [bucket for bucket in have if have[bucket] != right[bucket]]
        return out

    def _hashes(self, path: str, query: dict[str, str], size: int) -> bytes:
        answer = self._talk.ask("GET", f"/s1/buckets/{path}", {"at": str(self._standing.at), **query}, b"", "ref")
        if len(answer) != size:
            raise codec.bad("payload", "hashes")
        return answer

    def _page(self, path: str, held: tuple[str, ...], asked: list[int]) -> set[int]:
        """Fetch and write one page; returns the buckets that were on it."""
        talk, at = self._talk, self._standing.at
        query = {"at": str(at), "buckets": ",".join(map(str, asked))}
        opened = frame.open_frame(talk.ask("GET", f"/s1/rows/{path}", query, b"", "ref"), talk.hub_public)
        family = slices.family(held[0])
        h, own = opened.header, talk.certificate
        expected = (HUB, own.node, own.epoch, "ref", SLICE_PREFIX + family, frame.PULL, 0, GENESIS, at, at)
        if (h.node, h.to, h.epoch, h.chan, h.slice, h.dir, h.n, h.prev, h.first, h.upto) != expected:
            raise codec.bad("address")
        page = read(opened.content, family, asked)
        self._pages += 1
        try:
            with talk.store.merging() as db:
                if Standing.of(db, own.slices) == self._standing:
                    _write(db, family, page, stamp(talk.clock.now()))
        except (ValueError, database.IntegrityError) as error:
            raise codec.bad("intake_failed") from error
        return set(page.buckets)


@dataclass(frozen=True)
class Page:
    """What belongs into some buckets. `cells`: by table and row id."""

    buckets: list[int]
    rows: dict[str, list[dict[str, Any]]]
    cells: dict[tuple[str, bytes], list[WireCell]]
    sites: list[bytes]


def read(content: Any, family: str, asked: list[int]) -> Page:
    """A page's content, checked: nothing but rows of this family that lie in the first of the buckets asked for.

    Raises BadFrame.
    """
    if type(content) is not dict or set(content) != {"buckets", "rows", "cells", "sites"}:
        raise codec.bad("payload", "form")
    taken, sites = content["buckets"], content["sites"]
    if type(taken) is not list or not taken or taken != asked[: len(taken)] or type(sites) is not list:
        raise codec.bad("payload", "form")
    if any(type(site) is not bytes or len(site) != 16 for site in sites):
        raise codec.bad("payload", "sites")
    rows, cells = codec.unpack_rows(content["rows"]), codec.unpack_cells(content["cells"])
    known = {table.name: table for table in Scope(family).tables}
    for name, listed in rows.items():
        for row in listed:
            code = validator.bad_reference_row(name, row) or ("" if name in known else "table")
            if code or set(row) != set(known[name].names) or digest.bucket_of_row(known[name], row) not in taken:
                raise codec.bad(code or "column", name[:40])
    grouped: dict[tuple[str, bytes], list[WireCell]] = {}
    for cell in cells:
        code = validator.bad_cell(cell, from_node=False) or ("" if 0 <= cell.extra < len(sites) else "range")
        if code or cell.table not in known or digest.bucket_of(cell.row_id) not in taken:
            raise codec.bad(code or "table", cell.table[:40])
        grouped.setdefault((cell.table, cell.row_id), []).append(cell)
    return Page(taken, rows, grouped, sites)


@dataclass
class _Changed:
    """What a page changed, for the incident."""

    named: list[str] = field(default_factory=list)

    def add(self, table: Table, key: Any, columns: Any = ()) -> None:
        shown = "/".join(k.hex() if isinstance(k, bytes) else str(k) for k in key)
        self.named.append(" ".join((table.name, shown, *columns)))


def _write(db: Any, family: str, page: Page, at: str) -> None:
    changed = _Changed()
    scope = Scope(family)
    for table in scope.tables:
        mine = [row.values for row in digest.rows(db, scope, table, page.buckets)]
        if table.kind == "reference":
            _write_rows(db, table, mine, page.rows.get(table.name, []), changed)
        else:
            _write_cells(db, table, mine, page, changed, at)
    incidents.describe(db, "digest", HUB, changed.named)


def _write_rows(
    db: Any, table: Table, mine: list[tuple[Any, ...]], theirs: list[dict[str, Any]], changed: _Changed
) -> None:
    have = {
        tuple(row[table.names.index(c)] for c in table.key): dict(zip(table.names, row, strict=True)) for row in mine
    }
    right = {tuple(row[c] for c in table.key): row for row in theirs}
    where = " AND ".join(f"{c} = ?" for c in table.key)
    for key in have.keys() - right.keys():
        db.execute(f"DELETE FROM {table.name} WHERE {where}", key)
        changed.add(table, key)
    for key, row in right.items():
        if have.get(key) != row:
            database.upsert(db, table.name, row)
            changed.add(table, key)


def _write_cells(db: Any, table: Table, mine: list[tuple[Any, ...]], page: Page, changed: _Changed, at: str) -> None:
    names = [c for c in table.names if c not in table.key]
    have = {bytes(row[0]): row for row in mine}
    right = {row_id: cells for (name, row_id), cells in page.cells.items() if name == table.name}
    install: list[InstalledRow] = []
    gone: list[bytes] = []
    for row_id in sorted(have.keys() | right.keys()):
        values = {cell.column: cell for cell in right.get(row_id, ())}
        before = have.get(row_id)
        if (before is not None and before[1:] == _as_counted(names, values)) or _unsent(db, table, row_id):
            continue
        lost = _lost(names, before, values)
        if lost:
            _keep_lost(db, table, row_id, lost, at)
        changed.add(table, (row_id,), lost)
        if values:
            install.append(_installed(row_id, names, values, page.sites))
        else:
            gone.append(row_id)
    crsqlite_rows.evict(db, table.name, gone)
    crsqlite_rows.install(db, table.name, install, own_version=outbox.framed(db, "reg"))


def _as_counted(names: list[str], cells: Mapping[str, WireCell]) -> tuple[Any, ...]:
    """A row's values and versions as a digest counts them."""
    values = (cells[name].value if name in cells else None for name in names)
    places = {ROW_SENTINEL: -1} | {name: place for place, name in enumerate(names)}
    return (*values, " ".join(f"{places[name]}:{cells[name].col_version}" for name in sorted(cells)))


def _installed(row_id: bytes, names: list[str], cells: Mapping[str, WireCell], sites: list[bytes]) -> InstalledRow:
    found = [cells.get(name) for name in names]
    deleter = cells.get(ROW_SENTINEL)
    return InstalledRow(
        row_id,
        tuple(cell.value if cell else None for cell in found),
        tuple(cell.col_version if cell else None for cell in found),
        tuple(sites[cell.extra] if cell else None for cell in found),
        next(iter(cells.values())).causal_length,
        sites[deleter.extra] if deleter else None,
    )


def _unsent(db: Any, table: Table, row_id: bytes) -> bool:
    """Whether the row holds an own edit that the hub has not signed for."""
    done = outbox.acked(db, "reg")
    return any(cell.site is None and cell.db_version > done for cell in crsqlite.cells_of(db, table.name, row_id))


def _lost(names: list[str], before: tuple[Any, ...] | None, cells: Mapping[str, WireCell]) -> dict[str, Any]:
    """What stood here and gives way to another value, by column."""
    have = dict(zip(names, before[1:], strict=False)) if before else {}
    right = {name: cells[name].value if name in cells else None for name in names}
    return {name: value for name, value in have.items() if value is not None and value != right[name]}


def _keep_lost(db: Any, table: Table, row_id: bytes, lost: dict[str, Any], at: str) -> None:
    """Beside what the hub said when it refused the edit, where it did; else as an entry of its own."""
    item = f"{table.name}/{ids.to_text(row_id)}"
    told = db.execute(
        "SELECT id, content FROM refusal WHERE direction = 'out' AND item = ? AND handled_at IS NULL ORDER BY at DESC",
        (item,),
    ).fetchall()
    if any(row[1] is not None and lost.items() <= codec.load(bytes(row[1])).items() for row in told):
        return
    silent = next((row[0] for row in told if row[1] is None), None)
    if silent is None:
        write_refusal(db, "out", HUB, "reg", 0, Refused.of(item, "unequal"), lost, at)
    else:
        database.update(db, "refusal", {"id": bytes(silent)}, {"content": codec.dump(lost)})


def _parts(joined: bytes) -> Iterator[bytes]:
    return (joined[i : i + DIGEST_BYTES] for i in range(0, len(joined), DIGEST_BYTES))
