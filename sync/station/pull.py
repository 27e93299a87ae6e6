# SPDX-License-Identifier: Apache-2.0
"""Station: apply one pulled page. Data, conflict check, mark and cursor in one transaction, so a cut costs nothing.

The page was signed by the hub; its content is checked all the same, because a fault of the hub must not corrupt every
station. A page that fails is not applied at all, its cursor stays, the reason is kept; other slices and channels go on.

Rule N: a pulled cell that beats an edit made here and not yet in a frame would make that edit vanish before the hub
ever saw it. The loser is kept as a conflict row (rev 0: the hub is to be told) in the same transaction. An edit that
beats the pulled cell is framed in this transaction, before the mark moves: if the clerk changed the cell once more
first, the change would be based on a value that nobody here ever saw, and the hub would hear of no conflict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, crsqlite_rows, database, events, tables
from schema.clock import Clock, stamp
from schema.crsqlite import Cell
from schema.database import Store
from schema.errors import BadFrame
from schema.events import GENESIS, HUB, Fact
from sync import slices
from sync.hub.inbox import write_refusal
from sync.merging import conflicts, merge
from sync.station import evict, given_way, outbox, rebase
from sync.wire import codec, facts, frame, validator
from sync.wire.certificate import Certificate
from sync.wire.codec import WireCell
from sync.wire.frame import PULL, Frame
from sync.wire.receipt import Refused

Receive = Callable[[Any, Fact], None]
_CUT = "cut:"
ORDER = frame.PULLED


def cursor(db: Any, slice_: str, channel: str) -> int:
    """The feed position up to which this slice's channel was applied."""
    row = db.execute('SELECT "after" FROM cursor WHERE slice = ? AND channel = ?', (slice_, channel)).fetchone()
    return int(row[0]) if row else 0


def complete(db: Any, slice_: str) -> int:
    """Up to where this station has every cell of a slice.

    Behind the cursor while a fetch of several pages is under way: a row that changes again moves to the feed's end,
    so what it was at its old place is on no page yet. Fetched cells and the base of edits count from here.
    """
    row = db.execute("SELECT value FROM link WHERE name = ?", (_CUT + slice_,)).fetchone()
    return int(row[0]) if row and row[0] else cursor(db, slice_, "reg")


def furthest(db: Any) -> int:
    """The highest feed position this station has seen."""
    return int(db.execute('SELECT coalesce(max("after"), 0) FROM cursor').fetchone()[0])


def move_cursor(db: Any, slice_: str, channel: str, after: int) -> None:
    """Never back."""
    if after > cursor(db, slice_, channel):
        database.upsert(db, "cursor", {"slice": slice_, "channel": channel, "after": after})


def check_header(opened: Frame, certificate: Certificate, slice_: str, channel: str, after: int) -> None:
    """Raises BadFrame unless this is the page that was asked for."""
    h = opened.header
    expected = (HUB, certificate.node, certificate.epoch, channel, slice_, PULL, 0, GENESIS, after)
    if (h.node, h.to, h.epoch, h.chan, h.slice, h.dir, h.n, h.prev, h.first) != expected or (
        h.more and h.upto == after
    ):
        raise codec.bad("address")


def apply(
    store: Store, opened: Frame, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock, receive: Receive
) -> int:
    """Apply a page; returns how many items it held. Raises BadFrame when the content may not be used.

    A page that begins before the cursor and ends behind it is applied whole: what was applied already changes nothing,
    and what changed since stands further on in the feed. So a page that waited on a stick joins one that came by wire.
    """
    header = opened.header
    content = opened.content
    if type(content) is not dict:
        raise codec.bad("payload", "form")
    gone, made_at = evict.read(content, header.chan, header.slice)
    take: Callable[[Any], int] = {
        "evt": lambda db: _take_facts(db, content, receive),
        "ref": lambda db: _take_rows(db, content),
        "reg": lambda db: _take_cells(db, content, certificate, key, clock),
    }[header.chan]
    with store.merging() if header.chan == "reg" or gone else store.write() as db:
        at = cursor(db, header.slice, header.chan)
        if at != header.first and not header.first < at < header.upto:
            return 0  # another session of this station was quicker
        if evict.is_outdated(db, header.slice, header.chan, made_at):
            return 0  # likewise; the page is asked for anew
        items = take(db) + len(gone)
        evict.take(db, gone, lambda: outbox.build(db, "reg", certificate, key, clock))
        if header.chan == "reg":
            begun = str(complete(db, header.slice)) if header.more else ""
            database.upsert(db, "link", {"name": _CUT + header.slice, "value": begun})
        move_cursor(db, header.slice, header.chan, header.upto)
        if header.chan == "reg":
            mark(db, certificate.slices)
    return items


def mark(db: Any, slices_held: tuple[str, ...]) -> None:
    """Note which hub state edits from now on are based on (rule H)."""
    seen = min((complete(db, s) for s in slices_held if slices.family(s) == "township"), default=0)
    version = crsqlite.max_version(db, outbox.REGISTRY_NAMES)
    database.upsert(db, "pull_mark", {"local_version": version, "hub_seq": seen})


def keep_refusal(store: Store, slice_: str, channel: str, error: BadFrame, clock: Clock) -> None:
    """A page was refused: keep the reason once, not once per session."""
    item = f"{slice_}/{channel}"
    with store.write() as db:
        known = db.execute(
            "SELECT 1 FROM refusal WHERE direction = 'in' AND peer = ? AND item = ? AND code = ? "
            "AND handled_at IS NULL",
            (HUB, item, error.code),
        ).fetchone()
        if known is None:
            refused = Refused(item, error.code, error.zh, error.en)
            write_refusal(db, "in", HUB, channel, 0, refused, None, stamp(clock.now()))


def _take_facts(db: Any, content: dict[str, Any], receive: Receive) -> int:
    items = content.get("facts")
    if set(content) != {"facts"} or type(items) is not list:
        raise codec.bad("payload", "form")
    for item in items:
        try:
            fact = events.from_wire(item)
        except ValueError as error:
            raise codec.bad("fact_form") from error
        if db.execute("SELECT 1 FROM fact WHERE id = ?", (fact.id,)).fetchone():
            rebase.note_known(db, fact)
            continue
        side = rebase.side_of(db, fact)
        if code := facts.bad_kind(fact, side) or facts.bad_signature_if_known(db, fact):
            raise codec.bad(code)
        events.store(db, fact, fork=events.free_fork(db, fact) if side == "node" else 0)
        receive(db, fact)
    return len(items)


def _take_rows(db: Any, content: dict[str, Any]) -> int:
    if set(content) != {"rows"}:
        raise codec.bad("payload", "form")
    found = codec.unpack_rows(content["rows"])
    for table, rows in found.items():
        for row in rows:
            if code := validator.bad_reference_row(table, row):
                raise codec.bad(code, table)
    evict.are_back(db, [row["id"] for row in found.get("person", ())])
    for table, rows in found.items():
        if rows:
            db.executemany(upsert_newer(table, list(rows[0])), [tuple(row.values()) for row in rows])
    return sum(map(len, found.values()))


def upsert_newer(table: str, columns: list[str]) -> str:
    """SQL that takes a reference row unless a newer one stands."""
    key = tables.TABLES[table].key
    sets = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in key)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets} WHERE excluded.rev > {table}.rev"
    )


def _take_cells(
    db: Any, content: dict[str, Any], certificate: Certificate, key: Ed25519PrivateKey, clock: Clock
) -> int:
    sites = content.get("sites")
    if set(content) != {"cells", "sites"} or type(sites) is not list:
        raise codec.bad("payload", "form")
    if any(type(site) is not bytes or len(site) != 16 for site in sites):
        raise codec.bad("payload", "sites")
    cells = codec.unpack_cells(content["cells"])
    for cell in cells:
        if code := validator.bad_cell(cell, from_node=False) or ("" if 0 <= cell.extra < len(sites) else "range"):
            raise codec.bad(code, cell.table[:40])
    merge_cells(db, cells, sites, certificate, key, clock)
    return len({(c.table, c.row_id) for c in cells})


def merge_cells(
    db: Any, cells: list[WireCell], sites: list[bytes], certificate: Certificate, key: Ed25519PrivateKey, clock: Clock
) -> None:
    """Merge checked cells of the hub under rule N; `extra` of each is its author's place in `sites`."""
    given_way.give_way(db, cells, sites)
    at_stake = _unframed(db, cells)
    crsqlite.apply(db, (merge.as_cell(c, sites[c.extra]) for c in cells), sites[0] if sites else b"")
    _know_own(db, [c for c in cells if sites[c.extra] == certificate.site_id])
    kept = [_keep_loser(db, cell, mine, sites[cell.extra], certificate, clock) for cell, mine in at_stake]
    if not all(kept):
        outbox.build(db, "reg", certificate, key, clock)


def _know_own(db: Any, cells: list[WireCell]) -> None:
    """What this station wrote itself and gets back with a returning row was sent once. Taken for new work it would be
    sent again, and a value that somebody has replaced since would meet the new one as if it had not been seen.
    """
    rows: dict[tuple[str, bytes], list[WireCell]] = {}
    for cell in cells:
        rows.setdefault((cell.table, cell.row_id), []).append(cell)
    for (table, row_id), mine in rows.items():
        now = {c.column: c.value for c in crsqlite.cells_of(db, table, row_id)}
        same = [(row_id, c.column, c.col_version) for c in mine if now.get(c.column) == c.value]
        crsqlite_rows.restamp_own(db, table, same, outbox.framed(db, "reg"))


def _unframed(db: Any, cells: list[WireCell]) -> list[tuple[WireCell, Cell]]:
    """Pulled cells that meet another value written here and not yet in a frame."""
    done = outbox.framed(db, "reg")
    stored: dict[tuple[str, bytes], dict[str, Cell]] = {}
    for table in {cell.table for cell in cells}:
        rows = crsqlite.cells_of_rows(db, table, [c.row_id for c in cells if c.table == table])
        stored |= {(table, row_id): {c.column: c for c in found} for row_id, found in rows.items()}
    out = []
    for cell in cells:
        mine = stored[cell.table, cell.row_id].get(cell.column)
        if mine is None or mine.site is not None or mine.db_version <= done or mine.value == cell.value:
            continue
        if not merge.never_written(mine):
            out.append((cell, mine))
    return out


def _keep_loser(db: Any, cell: WireCell, mine: Cell, author: bytes, certificate: Certificate, clock: Clock) -> bool:
    """Keep our edit if it lost, and say so; where it won the hub finds the pair itself (rule H)."""
    now = db.execute(f'SELECT "{cell.column}" FROM {cell.table} WHERE id = ?', (cell.row_id,)).fetchone()
    if now is not None and now[0] == mine.value:
        return False
    base = outbox.base_of(db, mine.db_version)
    conflicts.keep_found(db, cell, mine, author, certificate.node, base, stamp(clock.now()))
    return True
