# SPDX-License-Identifier: Apache-2.0
"""Station: a first load by snapshot, range after range, then all of it installed in one transaction.

Each range is stored with its place before the next one is asked for, in the encrypted database: after a cut, a kill or
a week the fetch goes on where it stopped. Nothing of it counts until the whole has the hash that the hub signed, every
row has passed the checks of pulled rows and the family's digest is the one signed. If anything is off nothing was
installed, the reason is an incident, and the feed does the work.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from operator import attrgetter, itemgetter
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite_rows, database, migrations
from schema.clock import Clock, stamp
from schema.crsqlite import ROW_SENTINEL
from schema.crsqlite_rows import InstalledRow
from schema.database import Store
from schema.errors import BadFrame
from schema.events import HUB
from schema.table import Table
from sync import slices
from sync.equality import buckets, digest, incidents
from sync.faults import told
from sync.snapshot import file as snapshot_file
from sync.snapshot import making as snapshot
from sync.snapshot.making import Manifest
from sync.station import outbox, pull
from sync.station.conversation import Conversation
from sync.station.report import Answered
from sync.wire import codec
from sync.wire.certificate import Certificate
from sync.wire.codec import WireCell

log = logging.getLogger(__name__)
_THIS = "WHERE slices = ? AND sha256 = ?"
_ROWS_AT_ONCE = 500
# How often one session begins anew because the hub has dropped what was half here.
_ATTEMPTS = 2
# With the small page cache of the pages every index page is encrypted and decrypted again and again.
_CACHE_KIB = 48 * 1024


def first_load(talk: Conversation, family: str, range_bytes: int) -> None:
    """Load a family of slices of which this station has nothing yet, if the hub offers a snapshot of it.

    `range_bytes`: how much to ask for at a time, at most; the line may suggest less. Raises like `Conversation.ask`;
    BadFrame for a bad manifest.
    """
    wanted = digest.families(talk.certificate.slices).get(family, ())
    with talk.store.read() as db:
        if not wanted or not is_empty(db, wanted):
            return
    for _ in range(_ATTEMPTS):
        manifest = _begin(talk, wanted)
        if manifest is None:
            return
        if _fetch(talk, manifest, range_bytes):
            try:
                install(talk.store, manifest, talk.certificate, talk.key, talk.clock)
            except BadFrame as error:
                _give_up(talk, manifest, error)
            return


def is_empty(db: Any, wanted: tuple[str, ...]) -> bool:
    """Whether nothing of these slices was ever pulled."""
    return not any(pull.cursor(db, slice_, channel) for slice_ in wanted for channel in snapshot.CHANNELS)


def _begin(talk: Conversation, wanted: tuple[str, ...]) -> Manifest | None:
    """The snapshot begun earlier, else the one the hub offers now; None: use the feed."""
    with talk.store.read() as db:
        kept = db.execute(
            "SELECT manifest FROM snapshot WHERE slices = ? AND refused_at IS NULL", (",".join(wanted),)
        ).fetchone()
    if kept is not None:
        return snapshot.read_manifest(bytes(kept[0]), talk.hub_public)
    try:
        data = talk.ask("GET", f"/s1/snapshot/{','.join(wanted)}", {}, b"")
    except Answered as error:
        if error.status == 404:
            return None
        raise
    manifest = snapshot.read_manifest(data, talk.hub_public)
    if manifest.slices != wanted or manifest.schema != migrations.SCHEMA_VERSION:
        return None
    with talk.store.write() as db:
        known = db.execute(f"SELECT 1 FROM snapshot {_THIS}", (manifest.name, manifest.sha256)).fetchone()
        if known is not None:
            return None  # refused before: these very bytes
        database.insert(db, "snapshot", {
            "sha256": manifest.sha256, "slices": manifest.name, "head": manifest.head, "size": manifest.size,
            "manifest": data, "made_at": manifest.made_at,
        })  # fmt: skip
    return manifest


def _fetch(talk: Conversation, manifest: Manifest, range_bytes: int) -> bool:
    """Get what is missing. False: the hub no longer has it."""
    path = f"/s1/snapshot/{manifest.name}/{manifest.sha256.hex()}"
    while (have := _stored(talk.store, manifest)) < manifest.size:
        talk.tell("snapshot", have)
        try:
            size = min(range_bytes, talk.line.down.size)
            data = talk.ask("GET", path, {"from": str(have), "max": str(size)}, b"", "ref")
        except Answered as error:
            if error.status != 404:
                raise
            with talk.store.write() as db:
                snapshot.forget(db, manifest.name, manifest.sha256)
            return False
        if not 0 < len(data) <= manifest.size - have:
            raise codec.bad("payload", "range")
        with talk.store.write() as db:
            # Another session of this station may have got it meanwhile.
            db.execute(
                "INSERT INTO snapshot_part (slices, sha256, first, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (manifest.name, manifest.sha256, have, data),
            )
        talk.count(pulled_frames=1)
    talk.tell("snapshot", manifest.size)
    return True


def _stored(store: Store, manifest: Manifest) -> int:
    """How far the bytes are here without a gap: they are stored one behind the other."""
    with store.read() as db:
        sql = f"SELECT coalesce(sum(length(data)), 0) FROM snapshot_part {_THIS}"
        return int(db.execute(sql, (manifest.name, manifest.sha256)).fetchone()[0])


def _give_up(talk: Conversation, manifest: Manifest, error: BadFrame) -> None:
    """These bytes are of no use: never again, and people shall know."""
    log.error("snapshot of %s not installed: %s", manifest.name, told(error))
    now = stamp(talk.clock.now())
    with talk.store.write() as db:
        db.execute(f"DELETE FROM snapshot_part {_THIS}", (manifest.name, manifest.sha256))
        key = {"slices": manifest.name, "sha256": manifest.sha256}
        database.update(db, "snapshot", key, {"refused_at": now})
        incidents.record(db, "digest", HUB, f"snapshot {manifest.name} at {manifest.head}: {error.en}", now)


# --- installing ---------------------------------------------------------------------------------------------------


def install(
    store: Store, manifest: Manifest, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock
) -> bool:  # fmt: skip
    """Put the fetched snapshot into the register, cursors and all. False: another session of this station was quicker.

    Raises BadFrame when it is not what the hub signed; then nothing has changed.
    """
    try:
        with store.merging() as db:
            if not is_empty(db, manifest.slices):
                return False
            db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            _Installation(db, manifest, certificate, key, clock).run()
    except (database.IntegrityError, ValueError, LookupError, TypeError) as error:
        raise codec.bad("payload", "rows") from error
    return True


class _Installation:
    """One transaction. Rows with edits of this station are merged as pulled cells are (rule N), all others put as they
    are."""

    def __init__(
        self, db: Any, manifest: Manifest, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock
    ) -> None:
        self.db, self.manifest, self.certificate = db, manifest, certificate
        self.key, self.clock = key, clock
        self.family = slices.family(manifest.slices[0])
        self.data = self._bytes()
        registry = [t for t in snapshot_file.tables_of(self.family) if t.kind == "registry"]
        self.here = {t.name: set(crsqlite_rows.known_ids(db, t.name)) for t in registry}

    def run(self) -> None:
        if any(self.here.values()):
            with _taken_back(self.db):
                for table, row_ids in self.here.items():
                    crsqlite_rows.evict(self.db, table, row_ids)
                self._put(keep={})
                self._prove()
            self._put(keep=self.here)
            buckets.forget(self.db)
        else:
            self._put(keep={})
            self._prove()
        for slice_ in self.manifest.slices:
            for channel in snapshot.CHANNELS:
                pull.move_cursor(self.db, slice_, channel, self.manifest.head)
        pull.mark(self.db, self.certificate.slices)
        snapshot.forget(self.db, self.manifest.name, self.manifest.sha256)

    def _bytes(self) -> bytes:
        rows = self.db.execute(
            f"SELECT data FROM snapshot_part {_THIS} ORDER BY first", (self.manifest.name, self.manifest.sha256)
        ).fetchall()
        data = b"".join(bytes(row[0]) for row in rows)
        if len(data) != self.manifest.size or sha256(data).digest() != self.manifest.sha256:
            raise codec.bad("payload", "hash")
        return data

    def _put(self, keep: dict[str, set[bytes]]) -> None:
        with database.filling(self.db, [table.name for table in snapshot_file.tables_of(self.family)]):
            self._put_rows(keep)

    def _put_rows(self, keep: dict[str, set[bytes]]) -> None:
        counts: dict[str, int] = defaultdict(int)
        own_version = outbox.framed(self.db, "reg")
        for table, columns in snapshot_file.read(self.data, self.family):
            counts[table.name] += len(columns[table.key[0]])
            if table.kind == "reference":
                sql = pull.upsert_newer(table.name, list(table.names))
                self.db.executemany(sql, sorted(snapshot_file.rows_of(table, columns), key=_in_order(table)))
                continue
            met: list[InstalledRow] = []
            kept = keep.get(table.name, set())
            rows = _set_aside(sorted(snapshot_file.installed_rows(table, columns), key=_by_id), kept, met)
            crsqlite_rows.install(self.db, table.name, rows, own_version=own_version)
            for start in range(0, len(met), _ROWS_AT_ONCE):
                cells, sites = _as_cells(table, met[start : start + _ROWS_AT_ONCE])
                pull.merge_cells(self.db, cells, sites, self.certificate, self.key, self.clock)
        if counts != self.manifest.counts:
            raise codec.bad("payload", "counts")

    def _prove(self) -> None:
        # Kept as computed: the comparison at the end of this session need not read all rows once more.
        if buckets.of_node(self.db, self.family, self.clock.now(), full=True).root != self.manifest.digest:
            raise codec.bad("payload", "digest")


_by_id = attrgetter("row_id")


def _in_order(table: Table) -> Callable[[tuple[Any, ...]], Any]:
    """Whose row it is, then its key: what is written in this order lies, and is read for the digest, one behind the
    other."""
    return itemgetter(*(table.names.index(c) for c in dict.fromkeys((table.owner_column or table.key[0], *table.key))))


@contextmanager
def _taken_back(db: Any) -> Iterator[None]:
    """A part of a transaction that leaves nothing: what comes out of it is only whether it raised."""
    db.execute("SAVEPOINT trial")
    try:
        yield
    finally:
        db.execute("ROLLBACK TO trial")
        db.execute("RELEASE trial")


def _set_aside(rows: Iterable[InstalledRow], kept: set[bytes], met: list[InstalledRow]) -> Iterable[InstalledRow]:
    for row in rows:
        if row.row_id in kept:
            met.append(row)
        else:
            yield row


def _as_cells(table: Table, rows: list[InstalledRow]) -> tuple[list[WireCell], list[bytes]]:
    """The rows as a page would have brought them."""
    cells: list[WireCell] = []
    authors: dict[bytes, int] = {}

    def add(row: InstalledRow, column: str, value: Any, version: int, author: bytes | None) -> None:
        place = authors.setdefault(author or b"", len(authors))
        cells.append(WireCell(table.name, row.row_id, column, value, version, row.causal_length, place))

    for row in rows:
        if row.causal_length > 1:
            add(row, ROW_SENTINEL, None, row.causal_length, row.deleter)
        for name, value, version, site in zip(table.names[1:], row.values, row.versions, row.sites, strict=True):
            if version is not None:
                add(row, name, value, version, site)
    return cells, list(authors)
