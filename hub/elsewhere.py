# SPDX-License-Identifier: Apache-2.0
"""The hub's side of the digest of who is registered where (`schema.elsewhere`): kept up with the register.

Triggers note whose entry is due. A run takes some thousands of them, rewrites the buckets they lie in and publishes
these: a new person costs every station one bucket, some 170 bytes in a county of half a million.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schema import database, elsewhere, ids
from schema.clock import Clock
from schema.database import Store
from schema.elsewhere import KEY_BUCKET, TOWNSHIP_CHARACTERS, UNNAMED
from sync.hub import publish

PERSONS_AT_ONCE = 50_000
TABLE = "elsewhere"


def refresh(store: Store, clock: Clock, limit: int = PERSONS_AT_ONCE) -> int:
    """Bring the digest up to the register, by at most `limit` persons in this transaction; how many were due."""
    with store.read() as db:
        if db.execute("SELECT 1 FROM elsewhere_due LIMIT 1").fetchone() is None:
            return 0
    with publish.transaction(store, clock=clock) as pub:
        db = pub.db
        due = db.execute(
            "SELECT d.person_id, p.id_number, p.village, e.bucket FROM elsewhere_due d "
            "LEFT JOIN person p ON p.id = d.person_id LEFT JOIN elsewhere_entry e ON e.person_id = d.person_id "
            "ORDER BY d.person_id LIMIT ?",
            (limit,),
        ).fetchall()
        key, townships = _key(pub, {row["village"][:TOWNSHIP_CHARACTERS] for row in due if row["id_number"]})
        touched = {row["bucket"] for row in due if row["bucket"] is not None}
        for row in due:
            if row["id_number"] is None:
                db.execute("DELETE FROM elsewhere_entry WHERE person_id = ?", (row["person_id"],))
                continue
            bucket, rest = elsewhere.place(key, row["id_number"])
            town = townships.get(row["village"][:TOWNSHIP_CHARACTERS], UNNAMED)
            entry = {"person_id": row["person_id"], "bucket": bucket, "rest": rest, "township": town}
            database.upsert(db, "elsewhere_entry", entry)
            touched.add(bucket)
        pub.put_many(TABLE, [{"bucket": b, "entries": _packed(db, b), "rev": 0} for b in sorted(touched)])
        db.executemany("DELETE FROM elsewhere_due WHERE person_id = ?", [(row["person_id"],) for row in due])
    return len(due)


def refresh_all(store: Store, clock: Clock) -> int:
    """`refresh` until nothing is due; how many were."""
    done = 0
    while (now := refresh(store, clock)) > 0:
        done += now
    return done


def _packed(db: Any, bucket: int) -> bytes:
    rows = db.execute("SELECT rest, township FROM elsewhere_entry WHERE bucket = ?", (bucket,))
    return elsewhere.pack((row["rest"], row["township"]) for row in rows)


def _key(pub: publish.Publication, seen: Iterable[str]) -> tuple[bytes, dict[str, int]]:
    """The county's key, made when first asked for, and the number of each township; new ones take the next number.

    The key is never changed: who holds two digests of one county under two keys can tell true entries from chance.
    """
    row = pub.db.execute("SELECT entries FROM elsewhere WHERE bucket = ?", (KEY_BUCKET,)).fetchone()
    stored = elsewhere.unpack_key(bytes(row["entries"])) if row else None
    key, codes = stored or (ids.new_id() + ids.new_id(), [])
    more = sorted(set(seen) - set(codes))
    codes = (codes + more)[:UNNAMED]
    if stored is None or more:
        pub.put(TABLE, {"bucket": KEY_BUCKET, "entries": elsewhere.pack_key(key, codes)})
    return key, {code: number for number, code in enumerate(codes)}
