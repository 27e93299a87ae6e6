# SPDX-License-Identifier: Apache-2.0
"""Hub: first loads. One snapshot for each set of slices of a family, made when asked for, kept for all who hold them.

A snapshot stands at one feed number: whoever installs it goes on with the feed from there. It is kept in the encrypted
database, so a station on a slow line finishes the one it began even when the hub was restarted meanwhile. Nothing is
made where the feed itself is short.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database, migrations
from schema.clock import Clock, parse_stamp, stamp
from schema.database import Store
from schema.errors import RefusedByPeer
from sync import slices
from sync.equality import digest
from sync.hub import publish
from sync.snapshot import file as snapshot_file
from sync.wire import codec, signed
from sync.wire.words import words

MAX_BYTES = 64 * 1024 * 1024
PART_BYTES = 240 * 1024
# Fewer entries than this come by the feed about as fast.
LEAST_ENTRIES = 2_000
# A kept one serves until a twentieth of its rows has changed: the rest of it is still worth not making again.
STALE_PART = 20
KEPT_FOR = timedelta(hours=48)
KEPT_OF_A_SET = 3
WAIT_S = 20.0
# What a snapshot holds. Facts are never among them: their chain is their proof, and no township's slice has any.
CHANNELS = ("ref", "reg")

MANIFEST: dict[str, type | tuple[type, ...]] = {
    "slices": list, "head": int, "size": int, "sha256": bytes, "counts": dict, "digest": bytes, "schema": int,
    "made_at": str,
}  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """What a snapshot is. `digest`: the family's (`digest.of_node`) when it stands installed, at feed number `head`."""

    slices: tuple[str, ...]
    head: int
    size: int
    sha256: bytes
    counts: dict[str, int]
    digest: bytes
    schema: int
    made_at: str

    @property
    def name(self) -> str:
        """The set of slices as addresses and tables write it."""
        return ",".join(self.slices)


def read_manifest(data: bytes, hub_public: bytes) -> Manifest:
    """Raises BadFrame or BadSignature."""
    content = signed.fields(signed.open_(signed.MANIFEST, data, hub_public), MANIFEST, "header")
    numbers = (content["head"], content["size"], content["schema"], *content["counts"].values())
    good = (
        all(type(s) is str for s in content["slices"])
        and all(type(n) is int and 0 <= n < 2**53 for n in numbers)
        and (len(content["sha256"]), len(content["digest"])) == (32, digest.DIGEST_BYTES)
    )
    if not good:
        raise codec.bad("header", "manifest")
    if content["size"] > MAX_BYTES:
        raise codec.bad("size")
    return Manifest(**content | {"slices": tuple(content["slices"])})


class Snapshots:
    """Makes and keeps them. Several request threads may ask at once: one makes, the others wait for it."""

    def __init__(self, store: Store, key: Ed25519PrivateKey, clock: Clock) -> None:
        self._store, self._key, self._clock = store, key, clock
        self._making = threading.Lock()

    def manifest(self, wanted: tuple[str, ...], node: str) -> bytes | None:
        """The signed manifest of these slices of one family, for this station; None: busy making another, ask later.

        Raises RefusedByPeer(no_snapshot) where the feed is as good.
        """
        self._check_worth(wanted)
        if kept := self._fresh(wanted, node):
            return kept
        if not self._making.acquire(timeout=WAIT_S):
            return None
        try:
            return self._fresh(wanted, node) or self._make(wanted)
        finally:
            self._making.release()

    def part(self, wanted: tuple[str, ...], hash_: bytes, first: int, limit: int) -> bytes:
        """At most `limit` bytes from `first`. Raises RefusedByPeer(snapshot_gone)."""
        with self._store.read() as db:
            kept = db.execute(
                "SELECT head, size FROM snapshot WHERE sha256 = ? AND slices = ?", (hash_, ",".join(wanted))
            ).fetchone()
            if kept is None or first >= kept["size"] or _erased_since(db, wanted, kept["head"]):
                raise _refusal("snapshot_gone")
            rows = db.execute(
                "SELECT first, data FROM snapshot_part WHERE slices = ? AND sha256 = ? AND first > ? AND first < ? "
                "ORDER BY first",
                (",".join(wanted), hash_, first - PART_BYTES, first + limit),
            ).fetchall()
        start = first - rows[0]["first"]
        return b"".join(bytes(row["data"]) for row in rows)[start : start + limit]

    def _check_worth(self, wanted: tuple[str, ...]) -> None:
        with self._store.read() as db:
            if _entries(db, wanted, 0, LEAST_ENTRIES) < LEAST_ENTRIES:
                raise _refusal("no_snapshot")

    def _fresh(self, wanted: tuple[str, ...], node: str) -> bytes | None:
        with self._store.read() as db:
            kept = db.execute(
                "SELECT manifest, head, made_at FROM snapshot WHERE slices = ? ORDER BY head DESC LIMIT 1",
                (",".join(wanted),),
            ).fetchone()
            if kept is None or self._clock.now() - parse_stamp(kept["made_at"]) > KEPT_FOR:
                return None
            manifest = read_manifest(bytes(kept["manifest"]), self._key.public_key().public_bytes_raw())
            allowed = max(LEAST_ENTRIES, sum(manifest.counts.values()) // STALE_PART)
            current = manifest.schema == migrations.SCHEMA_VERSION
            # Who has left since must not be shown to a station that never held them.
            left = _gone_since(db, wanted, kept["head"], publish.LEAVE) or _erased_since(db, wanted, kept["head"])
            # What a station wrote itself the feed does not tell it again: it must be in the snapshot.
            wrote = "SELECT 1 FROM frame_ledger WHERE node = ? AND channel = 'reg' AND received_at >= ? LIMIT 1"
            left = left or db.execute(wrote, (node, kept["made_at"])).fetchone() is not None
            if not current or left or _entries(db, wanted, kept["head"], allowed) >= allowed:
                return None
            return bytes(kept["manifest"])

    def _make(self, wanted: tuple[str, ...]) -> bytes:
        with self._store.read() as db:
            head = publish.head(db)
            data, counts = snapshot_file.write(db, wanted)
            proof = digest.of_hub(db, wanted)
        if len(data) > MAX_BYTES:
            raise _refusal("no_snapshot")
        name, hash_, now = ",".join(wanted), sha256(data).digest(), stamp(self._clock.now())
        content = {
            "slices": list(wanted), "head": head, "size": len(data), "sha256": hash_, "counts": counts,
            "digest": proof, "schema": migrations.SCHEMA_VERSION, "made_at": now,
        }  # fmt: skip
        manifest = signed.seal(signed.MANIFEST, content, self._key)
        with self._store.write() as db:
            forget(db, name, hash_)  # the same bytes as before, at another head
            key = {"slices": name, "sha256": hash_}
            row = {"head": head, "size": len(data), "manifest": manifest, "made_at": now}
            database.insert(db, "snapshot", key | row)
            for first in range(0, len(data), PART_BYTES):
                part = {"first": first, "data": data[first : first + PART_BYTES]}
                database.insert(db, "snapshot_part", key | part)
            self._sweep(db)
        return manifest

    def _sweep(self, db: Any) -> None:
        """Two newer ones, or two days: long enough for the slowest line."""
        oldest = stamp(self._clock.now() - KEPT_FOR)
        rows = db.execute("SELECT sha256, slices, made_at FROM snapshot ORDER BY head DESC").fetchall()
        seen: dict[str, int] = {}
        for row in rows:
            seen[row["slices"]] = seen.get(row["slices"], 0) + 1
            if row["made_at"] < oldest or seen[row["slices"]] > KEPT_OF_A_SET:
                forget(db, row["slices"], bytes(row["sha256"]))


def forget(db: Any, name: str, hash_: bytes) -> None:
    """Drop a snapshot and its bytes."""
    for table in ("snapshot", "snapshot_part"):
        db.execute(f"DELETE FROM {table} WHERE slices = ? AND sha256 = ?", (name, hash_))


def is_set(wanted: tuple[str, ...], held: tuple[str, ...]) -> bool:
    """Whether these are all the slices of one family among those held: what a snapshot is made for."""
    return bool(wanted) and wanted == digest.families(held).get(slices.family(wanted[0]))


def _entries(db: Any, wanted: tuple[str, ...], after: int, limit: int) -> int:
    """Feed entries of these slices behind `after`, counted up to `limit`."""
    where, values = _behind(wanted, after)
    return int(db.execute(f"SELECT count(*) FROM (SELECT 1 {where} LIMIT ?)", (*values, limit)).fetchone()[0])


def _erased_since(db: Any, wanted: tuple[str, ...], after: int) -> bool:
    return _gone_since(db, wanted, after, publish.DELETED)


def _gone_since(db: Any, wanted: tuple[str, ...], after: int, op: int) -> bool:
    where, values = _behind(wanted, after)
    return db.execute(f"SELECT 1 {where} AND op = ? LIMIT 1", (*values, op)).fetchone() is not None


def _behind(wanted: tuple[str, ...], after: int) -> tuple[str, tuple[Any, ...]]:
    """Channels are named because the feed's index asks for them: without, each slice would be read whole."""
    channels = ", ".join(f"'{c}'" for c in CHANNELS)
    marks = ", ".join("?" * len(wanted))
    return f"FROM slice_feed WHERE slice IN ({marks}) AND channel IN ({channels}) AND seq > ?", (*wanted, after)


def _refusal(code: str) -> RefusedByPeer:
    return RefusedByPeer(*words(code), code=code)
