# SPDX-License-Identifier: Apache-2.0
"""Hub: scans of cases, taken from the station that took the case, shown to those whose slices hold the person.

A blob is kept under its case: whoever knows a hash has no right to its bytes by that. It counts only when it is whole,
fits its hash and begins as its media type says.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

from schema import database
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import RefusedByPeer
from sync.hub.inbox import Node
from sync.station import blob
from sync.station.blob import THIS, Offered
from sync.wire.words import words

# An upload that nobody goes on with.
ABANDONED_AFTER = timedelta(days=30)


class Blobs:
    """Takes and gives ranges."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def take(self, node: Node, offered: Offered, first: int, data: bytes) -> int:
        """Take the bytes from `first`; returns how many there are now, so a sender that lost an answer goes on there.

        Raises RefusedByPeer: not_in_slice, size, blob_type, blob_quota, blob_hash.
        """
        with self._store.write() as db:
            if not _is_of(db, node, offered.about):
                raise _refusal("not_in_slice")
            row = db.execute(f"SELECT size, media_type, moved, done_at FROM blob {THIS}", offered.key).fetchone()
            if row is not None and (row["size"], row["media_type"]) != (offered.size, offered.media_type):
                raise _refusal("blob_type")
            have = row["moved"] if row else 0
            if have == offered.size or first != have or not data:
                return int(have)
            if code := blob.unfit(offered.size, offered.media_type, data if not have else b""):
                raise _refusal(code)
            if have + len(data) > offered.size:
                raise _refusal("size")
            if row is None:
                self._start(db, node, offered)
            have = blob.add(db, offered.key, have, data)
            if have < offered.size:
                return have
            good = sha256(blob.piece(db, offered.key, 0, have)).digest() == offered.sha256
            if good:
                database.update(
                    db, "blob", {"about": offered.about, "sha256": offered.sha256},
                    {"done_at": stamp(self._clock.now())},
                )  # fmt: skip
            else:
                _forget(db, offered.key)
        if not good:
            raise _refusal("blob_hash")
        return have

    def part(self, node: Node, about: bytes, hash_: bytes, first: int, limit: int) -> bytes:
        """At most `limit` bytes from `first` of a whole blob. Raises RefusedByPeer: not_in_slice."""
        with self._store.read() as db:
            done = db.execute(f"SELECT 1 FROM blob {THIS} AND done_at IS NOT NULL", (about, hash_)).fetchone()
            if done is None or not _may_see(db, node, about):
                raise _refusal("not_in_slice")
            return blob.piece(db, (about, hash_), first, limit)

    def listed(self, node: Node, about: bytes) -> list[list[Any]]:
        """[hash in hex, size, media type] of each whole blob of a case. Raises RefusedByPeer: not_in_slice."""
        with self._store.read() as db:
            if not _may_see(db, node, about):
                raise _refusal("not_in_slice")
            found = db.execute(
                "SELECT sha256, size, media_type FROM blob WHERE about = ? AND done_at IS NOT NULL ORDER BY made_at",
                (about,),
            )
            return [[bytes(row[0]).hex(), row[1], row[2]] for row in found]

    def _start(self, db: Any, node: Node, offered: Offered) -> None:
        now = self._clock.now()
        old = (node.id, stamp(now - ABANDONED_AFTER))
        sql = "SELECT about, sha256 FROM blob WHERE holder = ? AND done_at IS NULL AND made_at < ?"
        for row in db.execute(sql, old).fetchall():
            _forget(db, (bytes(row[0]), bytes(row[1])))
        kept = db.execute("SELECT coalesce(sum(size), 0) FROM blob WHERE holder = ?", (node.id,)).fetchone()[0]
        if kept + offered.size > blob.HUB_QUOTA:
            raise _refusal("blob_quota")
        blob.start(db, offered, node.id, stamp(now))


# What a scan may be about: a case, or a survival check with its photo.
_ABOUT = (
    "(SELECT case_id AS id, person_id, station FROM case_state UNION ALL "
    "SELECT id, person_id, station FROM eligibility_check)"
)


def _is_of(db: Any, node: Node, about: bytes) -> bool:
    """Whether the station took this case or made this check."""
    sql = f"SELECT 1 FROM {_ABOUT} WHERE id = ? AND station = ?"
    return db.execute(sql, (about, node.id)).fetchone() is not None


def _may_see(db: Any, node: Node, about: bytes) -> bool:
    """Whether the case or check is the station's, or of a person of its slices."""
    marks = ", ".join("?" * len(node.slices))
    sql = (
        f"SELECT 1 FROM {_ABOUT} c JOIN slice_member m ON m.person_id = c.person_id "
        f"WHERE c.id = ? AND m.slice IN ({marks})"
    )
    return _is_of(db, node, about) or db.execute(sql, (about, *node.slices)).fetchone() is not None


def _forget(db: Any, key: tuple[bytes, bytes]) -> None:
    blob.drop(db, key)
    db.execute(f"DELETE FROM blob {THIS}", key)


def _refusal(code: str) -> RefusedByPeer:
    return RefusedByPeer(*words(code), code=code)
