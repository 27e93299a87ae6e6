# SPDX-License-Identifier: Apache-2.0
"""Station: own facts and own cells become frames, kept byte for byte until the hub's signed receipt is here.

Frames are built at the start of a session, so after weeks offline an often changed cell travels once. Where the next
frame begins is `max(upto)` of the frames built: numbers read from rows, never the extension's counter (P2).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, database, events, ids, migrations, tables
from schema.clock import Clock, stamp
from schema.events import GENESIS, HUB, Fact
from sync.hub.inbox import write_refusal
from sync.merging import conflicts, merge
from sync.wire import codec, frame, receipt, written
from sync.wire.certificate import Certificate
from sync.wire.codec import WireCell
from sync.wire.receipt import Receipt, Refused

REGISTRY_NAMES = tuple(t.name for t in tables.REGISTRY)
PUSHED = frame.PUSHED


@dataclass(frozen=True)
class Unsent:
    """What the hub has not signed for: facts and changed cells, since when, about how many bytes on the line."""

    count: int
    oldest_at: str | None
    bytes_estimate: int


@dataclass(frozen=True)
class Pending:
    """A frame without receipt."""

    channel: str
    n: int
    hash: bytes
    upto: int
    items: int
    data: bytes


def unsent(db: Any) -> Unsent:
    """Everything without a receipt: frames built, and work not yet in a frame."""
    frames = db.execute(
        "SELECT coalesce(sum(items) FILTER (WHERE channel <> 'ctl'), 0), min(built_at), "
        "coalesce(sum(length(bytes)), 0) FROM outbox_frame WHERE acked_at IS NULL"
    ).fetchone()
    origin, epoch = identity(db)
    own = "FROM fact WHERE origin = ? AND epoch = ? AND seq > ?"
    new_facts = db.execute(
        f"SELECT count(*), coalesce(sum(length(body)), 0) {own}", (origin, epoch, framed(db, "evt"))
    ).fetchone()
    oldest_fact = db.execute(f"SELECT min(stated_at) {own}", (origin, epoch, acked(db, "evt"))).fetchone()[0]
    rows, oldest_edit = 0, None
    for table in REGISTRY_NAMES:
        rows += count_own(db, table, framed(db, "reg"))
        oldest_edit = min(filter(None, (oldest_edit, _oldest_edit(db, table))), default=None)
    rows += db.execute("SELECT count(*) FROM conflict WHERE rev = 0").fetchone()[0]
    # Kept through a new life of this database and not in a frame yet.
    rows += db.execute("SELECT count(*) FROM reoffer WHERE frame_n IS NULL").fetchone()[0]
    rows += db.execute("SELECT count(*) FROM journal_cell").fetchone()[0]
    dates = [at for at in (frames[1], oldest_fact, oldest_edit) if at]
    estimate = frames[2] + new_facts[1] // 2 + 150 * new_facts[0] + 60 * rows
    return Unsent(frames[0] + new_facts[0] + rows, min(dates, default=None), estimate)


def _oldest_edit(db: Any, table: str) -> str | None:
    """When the oldest cell without receipt was written here, as far as the pages noted it."""
    found = db.execute(
        f"SELECT min(e.changed_at) FROM ({crsqlite.cells_sql(table)}) c JOIN local_edit e "
        "ON e.tbl = ? AND e.row_id = c.id AND e.col = c.col WHERE c.own AND c.db_version > ?",
        (table, acked(db, "reg")),
    ).fetchone()
    return found[0] if found else None


def framed(db: Any, channel: str) -> int:
    """Up to which fact number or cell version frames were built."""
    return int(
        db.execute("SELECT coalesce(max(upto), 0) FROM outbox_frame WHERE channel = ?", (channel,)).fetchone()[0]
    )


def acked(db: Any, channel: str) -> int:
    """Up to which fact number or cell version the hub has signed."""
    sql = "SELECT coalesce(max(upto), 0) FROM outbox_frame WHERE channel = ? AND acked_at IS NOT NULL"
    return int(db.execute(sql, (channel,)).fetchone()[0])


def count_own(db: Any, table: str, after: int) -> int:
    """Rows with cells written here with a version above `after`."""
    sql = f"SELECT count(DISTINCT id) FROM ({crsqlite.cells_sql(table)}) WHERE db_version > ? AND own"
    return int(db.execute(sql, (after,)).fetchone()[0])


def last(db: Any, channel: str) -> tuple[int, bytes]:
    """(n, hash) of the newest frame, acknowledged or not."""
    row = db.execute(
        "SELECT n, hash FROM outbox_frame WHERE channel = ? ORDER BY n DESC LIMIT 1", (channel,)
    ).fetchone()
    return (row[0], bytes(row[1])) if row else (0, GENESIS)


def build(
    db: Any, channel: str, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock,
    bases: Mapping[tuple[str, bytes, str], int] | None = None, strays: Iterable[WireCell] = (),
    raw_bytes: int = frame.RAW_BUDGET,
) -> int:  # fmt: skip
    """Put all new work of a channel into frames, in the caller's write transaction. Returns the number of frames.

    `raw_bytes`: about how much goes into one frame, before compression; what the line suggests.

    All frames of one build share the span; only the last one carries its end in `upto`, so that a receipt for the
    first never covers what is in the second. `bases`: cells (table, row, column) based on an older hub state than the
    marks say, because they were written before this database was loaded anew; `strays`: such cells of rows that are not
    here any more.
    """
    if channel == "evt":
        parts = [*_former_facts(db, raw_bytes), *_facts(db, raw_bytes)]
    else:
        parts = [*_conflicts(db), *_cells(db, bases or {}, strays, raw_bytes)]
    for part in parts:
        add(db, channel, part, certificate, key, clock)
    if channel == "reg":
        _forget_marks(db)
    return len(parts)


def add(db: Any, channel: str, part: Part, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock) -> None:
    """Append one signed frame to the channel's chain."""
    n, prev = last(db, channel)
    header = frame.Header(
        certificate.node, HUB, certificate.epoch, channel, "", frame.PUSH, n + 1, prev, framed(db, channel),
        part.upto, False, migrations.SCHEMA_VERSION, part.items, stamp(clock.now()),
    )  # fmt: skip
    data = frame.build(header, part.content, key)
    database.insert(db, "outbox_frame", {
        "channel": channel, "n": n + 1, "hash": frame.hash_of(data), "upto": part.upto, "items": part.items,
        "bytes": data, "built_at": header.made_at,
    })  # fmt: skip
    db.executemany("UPDATE reoffer SET frame_n = ? WHERE fact_id = ?", [(n + 1, i) for i in part.former])


def pending(db: Any, channel: str) -> list[int]:
    """Numbers of the frames without receipt, oldest first."""
    sql = "SELECT n FROM outbox_frame WHERE channel = ? AND acked_at IS NULL ORDER BY n"
    return [row[0] for row in db.execute(sql, (channel,))]


def frame_at(db: Any, channel: str, n: int) -> Pending | None:
    """The stored frame while its bytes are kept."""
    row = db.execute("SELECT * FROM outbox_frame WHERE channel = ? AND n = ?", (channel, n)).fetchone()
    if row is None or row["bytes"] is None:
        return None
    return Pending(channel, n, bytes(row["hash"]), row["upto"], row["items"], bytes(row["bytes"]))


def acked_n(db: Any, channel: str) -> int:
    """Number of the newest frame the hub has signed for."""
    sql = "SELECT coalesce(max(n), 0) FROM outbox_frame WHERE channel = ? AND acked_at IS NOT NULL"
    return int(db.execute(sql, (channel,)).fetchone()[0])


def hash_at(db: Any, channel: str, n: int) -> bytes | None:
    """Hash of frame n, None when this database never built it."""
    row = db.execute("SELECT hash FROM outbox_frame WHERE channel = ? AND n = ?", (channel, n)).fetchone()
    return bytes(row[0]) if row else None


def mark_sent(db: Any, sent: Pending, clock: Clock) -> None:
    """Note that the frame leaves now."""
    key = {"channel": sent.channel, "n": sent.n}
    database.update(db, "outbox_frame", key, {"sent_at": stamp(clock.now())})


def accept_receipt(db: Any, sent: Pending, got: Receipt, data: bytes, clock: Clock) -> None:
    """The hub has signed: mark what it has as received, keep what it refused, forget the bytes."""
    if frame_at(db, sent.channel, sent.n) is None:
        return  # another session of this station was quicker
    now = stamp(clock.now())
    before = db.execute(
        "SELECT coalesce(max(upto), 0) FROM outbox_frame WHERE channel = ? AND n < ?", (sent.channel, sent.n)
    ).fetchone()[0]
    if sent.channel == "evt":
        refused = {r.item for r in got.refused}
        origin, epoch = identity(db)
        rows = db.execute(
            "SELECT id FROM fact WHERE origin = ? AND epoch = ? AND seq > ? AND seq <= ? AND received_at IS NULL",
            (origin, epoch, before, sent.upto),
        ).fetchall()
        rows += db.execute("SELECT fact_id FROM reoffer WHERE frame_n = ?", (sent.n,)).fetchall()
        taken = [(got.received_at, bytes(r[0])) for r in rows if bytes(r[0]).hex() not in refused]
        db.executemany("UPDATE fact SET received_at = ? WHERE id = ? AND received_at IS NULL", taken)
        db.execute("DELETE FROM reoffer WHERE frame_n = ?", (sent.n,))
    listed = list(got.refused) if sent.channel != "ctl" else []  # of a copy, the word in `evt` is the one that counts
    if sent.channel != "ctl" and got.refused_count > len(listed):
        zh, en = (
            f"还有 {got.refused_count - len(listed)} 条被拒收",
            f"{got.refused_count - len(listed)} more were refused",
        )
        listed.append(Refused("…", "more", zh, en))
    values = _values(sent) if listed and sent.channel == "reg" else {}
    for item in listed:
        write_refusal(db, "out", HUB, sent.channel, sent.n, item, values.get(item.item), now)
    database.update(
        db, "outbox_frame", {"channel": sent.channel, "n": sent.n}, {"acked_at": now, "receipt": data, "bytes": None}
    )


def _values(sent: Pending) -> dict[str, dict[str, Any]]:
    """The values of each row of a frame, by the row's name in a receipt: the row itself may be gone by now, and a
    clerk must see what was typed.
    """
    out: dict[str, dict[str, Any]] = {}
    for cell in codec.unpack_cells(frame.own_content(sent.data)["cells"]):
        if not merge.never_written(cell):
            out.setdefault(f"{cell.table}/{ids.to_text(cell.row_id)}", {})[cell.column] = cell.value
    return out


@dataclass(frozen=True)
class Part:
    """What goes into one frame. `former`: ids of facts in it that are offered once more."""

    content: dict[str, Any]
    items: int
    upto: int
    former: tuple[bytes, ...] = ()


def _former_facts(db: Any, raw_bytes: int) -> list[Part]:
    """Facts queued when this database began a new life: they go first, each under the epoch it was signed in."""
    rows = db.execute(
        "SELECT f.* FROM reoffer q JOIN fact f ON f.id = q.fact_id WHERE q.frame_n IS NULL ORDER BY q.place"
    )
    upto = framed(db, "evt")
    parts = batches(map(events.from_row, rows), raw_bytes)
    return [Part(_sent(facts), len(facts), upto, tuple(f.id for f in facts)) for facts in parts]


def _facts(db: Any, raw_bytes: int) -> list[Part]:
    origin, epoch = identity(db)
    rows = db.execute(
        "SELECT * FROM fact WHERE origin = ? AND epoch = ? AND seq > ? ORDER BY seq", (origin, epoch, framed(db, "evt"))
    )
    return [Part(_sent(facts), len(facts), facts[-1].seq) for facts in batches(map(events.from_row, rows), raw_bytes)]


def _sent(facts: list[Fact]) -> dict[str, Any]:
    return {"facts": [f.to_wire() for f in facts]}


def batches(facts: Iterable[Fact], raw_bytes: int) -> list[list[Fact]]:
    """Facts in order, as many together as go into one frame."""
    parts: list[list[Fact]] = []
    size = 0
    for fact in facts:
        heavy = codec.weight(fact.to_wire())
        if not parts or size + heavy > raw_bytes or len(parts[-1]) == receipt.MAX_LISTED:
            parts.append([])
            size = 0
        parts[-1].append(fact)
        size += heavy
    return parts


def _cells(
    db: Any, bases: Mapping[tuple[str, bytes, str], int], strays: Iterable[WireCell], raw_bytes: int
) -> list[Part]:
    """All own cells not yet framed, never splitting a row: a row half there is a row nobody wrote."""
    after = end = framed(db, "reg")
    marks = [(r[0], r[1]) for r in db.execute(_MARKS)]
    rows: dict[tuple[str, bytes], list[WireCell]] = {}
    for stray in strays:
        rows.setdefault((stray.table, stray.row_id), []).append(stray)
    for table in REGISTRY_NAMES:
        for cell in crsqlite.changed_since(db, table, after, own_only=True):
            base = bases.get((table, cell.row_id, cell.column), _base(marks, cell.db_version))
            wire = WireCell(table, cell.row_id, cell.column, cell.value, cell.col_version, cell.causal_length, base)
            rows.setdefault((table, cell.row_id), []).append(wire)
            end = max(end, cell.db_version)
    parts: list[list[list[WireCell]]] = []
    size = count = 0
    for row in rows.values():
        heavy = codec.weight(c.value for c in row) + 40 * len(row) + 16
        if not parts or count + len(row) > codec.MAX_CELLS or size + heavy > raw_bytes:
            parts.append([])
            size = count = 0
        parts[-1].append(row)
        size, count = size + heavy, count + len(row)
    # Only the last part carries the end: a receipt for the first must not cover what is in the second.
    ends = [after] * (len(parts) - 1) + [end]
    return [Part(_content(db, part), len(part), upto) for part, upto in zip(parts, ends, strict=False)]


def _content(db: Any, rows: list[list[WireCell]]) -> dict[str, Any]:
    """The payload of these rows, with who wrote them where that was noted."""
    cells = [cell for row in rows for cell in row]
    packed = codec.pack_cells(cells)
    said = written.pack(packed, written.noted(db, cells))
    return {"cells": packed, "conflicts": []} | ({"written": said} if said else {})


def base_of(db: Any, version: int) -> int:
    """The hub position that the edit of this local version was made on."""
    return _base([(r[0], r[1]) for r in db.execute(_MARKS)], version)


_MARKS = "SELECT local_version, hub_seq FROM pull_mark ORDER BY local_version"


def _base(marks: list[tuple[int, int]], version: int) -> int:
    """The hub position an edit of this local version was made on: the last mark below it."""
    place = bisect_left(marks, (version, -1))
    return marks[place - 1][1] if place else 0


def _conflicts(db: Any) -> list[Part]:
    """Conflicts found here (rule N) that the hub has not been told: rev 0; told but not confirmed: rev -1.

    Their frames go before those of the cells: `upto` must not go back.
    """
    found = db.execute("SELECT * FROM conflict WHERE rev = 0 ORDER BY id").fetchall()
    db.execute("UPDATE conflict SET rev = -1 WHERE rev = 0")
    items = [conflicts.to_wire(row) for row in found]
    batches = [items[i : i + receipt.MAX_LISTED] for i in range(0, len(items), receipt.MAX_LISTED)]
    return [Part({"cells": {}, "conflicts": batch}, len(batch), framed(db, "reg")) for batch in batches]


def _forget_marks(db: Any) -> None:
    """Marks older than the last one that an edit not yet framed can refer to."""
    last_needed = "(SELECT max(local_version) FROM pull_mark WHERE local_version <= ?)"
    db.execute(f"DELETE FROM pull_mark WHERE local_version < {last_needed}", (framed(db, "reg"),))


def identity(db: Any) -> tuple[str, bytes]:
    """(node id, epoch) of this database."""
    return (database.setting(db, "node_id") or b"").decode(), database.setting(db, "epoch") or bytes(16)
