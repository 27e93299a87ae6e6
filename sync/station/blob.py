# SPDX-License-Identifier: Apache-2.0
"""Scans and photos: bytes named by their hash, about one case, moved in ranges and last in line.

The station keeps what it scanned in its encrypted database until the hub has all of it: the hub says how much it has,
so a cut costs at most the range under way. What a hash does not fit is refused whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from schema import database
from schema.clock import stamp
from schema.errors import Refusal
from schema.events import HUB
from sync.hub.inbox import write_refusal
from sync.station.conversation import Conversation
from sync.station.report import Answered
from sync.wire import codec
from sync.wire.receipt import Refused
from sync.wire.words import words

MAX_BYTES = 10 * 1024 * 1024
# What a station may keep waiting for the line, and what the hub keeps of one station.
WAITING_QUOTA = 512 * 1024 * 1024
HUB_QUOTA = 4 * 1024 * 1024 * 1024
PART_BYTES = 240 * 1024
# media type -> what such a file begins with
MEDIA: dict[str, bytes] = {
    "image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "application/pdf": b"%PDF-",
}  # fmt: skip
THIS = "WHERE about = ? AND sha256 = ?"
# In place of how far a scan is: the hub may have lost what it had of it.
ASK_HUB = -1
# Answers that say that this blob will never be taken as it is.
_NEVER = ("size", "blob_type", "blob_hash", "blob_quota")
# Of these, what a line does to bytes as well: with what is whole here it is tried again from the beginning.
_SPOILED = ("blob_type", "blob_hash")


@dataclass(frozen=True)
class Offered:
    """A blob as its sender describes it."""

    about: bytes
    sha256: bytes
    size: int
    media_type: str

    @property
    def key(self) -> tuple[bytes, bytes]:
        return self.about, self.sha256


def unfit(size: int, media_type: str, beginning: bytes) -> str:
    """Why such a blob is not taken; '' when it is. `beginning`: its first bytes, as many as are there."""
    if not 0 < size <= MAX_BYTES:
        return "size"
    magic = MEDIA.get(media_type)
    return "" if magic and beginning[: len(magic)] == magic[: len(beginning)] else "blob_type"


def keep(db: Any, data: bytes, media_type: str, about: bytes, at: str) -> bytes:
    """Queue a scan of the case `about` for the hub; returns its SHA-256. The same bytes twice are one.

    `at`: the instant. Raises Refusal: size, blob_type, blob_quota.
    """
    if code := unfit(len(data), media_type, data):
        raise refused(code)
    waiting = db.execute("SELECT coalesce(sum(size), 0) FROM blob WHERE done_at IS NULL").fetchone()[0]
    if waiting + len(data) > WAITING_QUOTA:
        raise refused("blob_quota")
    hash_ = sha256(data).digest()
    if db.execute(f"SELECT 1 FROM blob {THIS}", (about, hash_)).fetchone() is None:
        start(db, Offered(about, hash_, len(data), media_type), "", at)
        for first in range(0, len(data), PART_BYTES):
            add(db, (about, hash_), first, data[first : first + PART_BYTES])
    return hash_


def push(talk: Conversation, allowance: int, range_bytes: int) -> int:
    """Send what waits, oldest first, at most `allowance` bytes, in ranges of at most `range_bytes`, within the hour's
    budget; returns how many went.

    Raises like `Conversation.ask`. What the hub will never take is kept as refused; what it does not take yet, because
    it has not heard of the case, waits.
    """
    with talk.store.read() as db:
        offers = waiting(db)
    used = 0
    for row in offers:
        if not talk.may("blob"):
            break
        offered = Offered(bytes(row["about"]), bytes(row["sha256"]), row["size"], row["media_type"])
        used += _push_one(talk, offered, row["moved"], allowance - used, range_bytes)
        if used >= allowance:
            break
    return used


def doubt(db: Any) -> None:
    """The hub came back from an older copy: what it said it has of this station's scans counts no more."""
    db.execute("UPDATE blob SET done_at = NULL, moved = ? WHERE holder = '' AND refused_at IS NULL", (ASK_HUB,))


def waiting(db: Any) -> list[Any]:
    """What this station scanned and the hub does not have whole, oldest first.

    Not what belongs to a draft: the hub would not take it, at the price of the line.
    """
    return list(
        db.execute(
            "SELECT about, sha256, size, media_type, moved FROM blob "
            "WHERE holder = '' AND done_at IS NULL AND refused_at IS NULL AND NOT EXISTS "
            "(SELECT 1 FROM case_file c WHERE c.id = blob.about AND c.receipt_no IS NULL) ORDER BY made_at, sha256"
        )
    )


def _push_one(talk: Conversation, offered: Offered, moved: int, allowance: int, range_bytes: int) -> int:
    used = 0
    query = {"size": str(offered.size), "type": offered.media_type}
    while moved < offered.size and used < allowance and talk.may("blob"):
        first, size = (0, 0) if moved == ASK_HUB else (moved, min(range_bytes, allowance - used, talk.line.up.size))
        with talk.store.read() as db:
            data = piece(db, offered.key, first, size)
        try:
            answer = talk.ask("PUT", _path(offered.key), query | {"from": str(first)}, data, "blob")
        except Answered as error:
            if error.code in _SPOILED and _is_whole(talk, offered):
                with talk.store.write() as db:
                    database.update(db, "blob", _as_key(offered.key), {"moved": 0})
            elif error.code in _NEVER:
                _note_refused(talk, offered, error.code)
            elif error.code != "not_in_slice":
                raise
            return used + len(data)
        used += len(data)
        have = _number(answer, "have")
        if not 0 <= have <= offered.size or have == moved:
            raise codec.bad("payload", "have")
        moved = have
        with talk.store.write() as db:
            done = stamp(talk.clock.now()) if moved == offered.size else None
            database.update(db, "blob", _as_key(offered.key), {"moved": moved, "done_at": done})
        talk.tell("blob", moved)
    return used


def _is_whole(talk: Conversation, offered: Offered) -> bool:
    with talk.store.read() as db:
        data = piece(db, offered.key, 0, offered.size)
    return sha256(data).digest() == offered.sha256 and not unfit(*_described(offered), data)


def fetch(talk: Conversation, about: bytes, range_bytes: int) -> list[bytes]:
    """Get the scans of a case that the hub has; returns the hashes of all that are here now, whole and checked.

    Goes on where an earlier fetch stopped. Raises like `Conversation.ask`; BadFrame for an answer of the wrong form.
    """
    content = talk.ask_json(f"/s1/blob/{about.hex()}", {}).get("blobs")
    if type(content) is not list:
        raise codec.bad("payload", "blobs")
    return [hash_ for item in content if (hash_ := _fetch_one(talk, _offer(about, item), range_bytes))]


def _fetch_one(talk: Conversation, offered: Offered, range_bytes: int) -> bytes | None:
    with talk.store.write() as db:
        row = db.execute(f"SELECT done_at, refused_at, holder, moved FROM blob {THIS}", offered.key).fetchone()
        if row is None:
            start(db, offered, HUB, stamp(talk.clock.now()))
        elif row["done_at"] or not row["holder"]:
            return offered.sha256
        elif row["refused_at"]:
            return None
    moved = row["moved"] if row else 0
    while moved < offered.size:
        size = min(range_bytes, talk.line.down.size)
        data = talk.ask("GET", _path(offered.key), {"from": str(moved), "max": str(size)}, b"", "blob")
        if not 0 < len(data) <= offered.size - moved:
            raise codec.bad("payload", "range")
        with talk.store.write() as db:
            moved = add(db, offered.key, moved, data)
        talk.tell("blob", moved)
    with talk.store.write() as db:
        whole = piece(db, offered.key, 0, offered.size)
        code = "blob_hash" if sha256(whole).digest() != offered.sha256 else unfit(*_described(offered), whole)
        if not code:
            database.update(db, "blob", _as_key(offered.key), {"done_at": stamp(talk.clock.now())})
            return offered.sha256
    _note_refused(talk, offered, code)
    return None


def read(db: Any, about: bytes, hash_: bytes) -> tuple[str, bytes] | None:
    """(media type, bytes) of a scan that is here whole, else None."""
    row = db.execute(f"SELECT size, media_type, holder, done_at FROM blob {THIS}", (about, hash_)).fetchone()
    if row is None or (row["holder"] and not row["done_at"]):
        return None
    return row["media_type"], piece(db, (about, hash_), 0, row["size"])


# --- the tables, the same on both sides ---------------------------------------------------------------------------


def start(db: Any, offered: Offered, holder: str, at: str) -> None:
    """A blob of which nothing is here yet. `holder`: who has it; '' at the station that scanned it."""
    row = {"size": offered.size, "media_type": offered.media_type, "holder": holder, "moved": 0, "made_at": at}
    database.insert(db, "blob", _as_key(offered.key) | row)


def add(db: Any, key: tuple[bytes, bytes], first: int, data: bytes) -> int:
    """Put the next bytes at their place; returns how far it is now. Bytes that are there already change nothing."""
    put = db.execute(
        "INSERT INTO blob_part (about, sha256, first, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (*key, first, data),
    )
    if put.rowcount:
        db.execute(f"UPDATE blob SET moved = ? {THIS} AND holder <> ''", (first + len(data), *key))
    return int(db.execute(f"SELECT sum(length(data)) FROM blob_part {THIS}", key).fetchone()[0])


def piece(db: Any, key: tuple[bytes, bytes], first: int, limit: int) -> bytes:
    """At most `limit` bytes from `first`."""
    found = db.execute(
        f"SELECT first, data FROM blob_part {THIS} AND first < ? AND first + length(data) > ? ORDER BY first",
        (*key, first + limit, first),
    ).fetchall()
    start = first - found[0]["first"] if found else 0
    return b"".join(bytes(row["data"]) for row in found)[start : start + limit]


def drop(db: Any, key: tuple[bytes, bytes]) -> None:
    """Forget the bytes."""
    db.execute(f"DELETE FROM blob_part {THIS}", key)


def refused(code: str) -> Refusal:
    """A refusal in words."""
    return Refusal(*words(code), code=code)


def _note_refused(talk: Conversation, offered: Offered, code: str) -> None:
    """Say it once, keep the station's own scan, drop what was fetched."""
    now = stamp(talk.clock.now())
    with talk.store.write() as db:
        database.update(db, "blob", _as_key(offered.key), {"refused_at": now})
        own = db.execute(f"SELECT holder = '' FROM blob {THIS}", offered.key).fetchone()[0]
        if not own:
            drop(db, offered.key)
        item = Refused(f"blob/{offered.about.hex()}/{offered.sha256.hex()}", code, *words(code))
        write_refusal(db, "out" if own else "in", HUB, "blob", 0, item, None, now)


def _offer(about: bytes, item: Any) -> Offered:
    try:
        hash_, size, media_type = item
        offered = Offered(about, bytes.fromhex(hash_), size, media_type)
    except (TypeError, ValueError) as error:
        raise codec.bad("payload", "blobs") from error
    if len(offered.sha256) != 32 or type(size) is not int or unfit(size, media_type, b""):
        raise codec.bad("payload", "blobs")
    return offered


def _number(answer: bytes, name: str) -> int:
    try:
        found = json.loads(answer)[name]
    except (ValueError, KeyError, TypeError) as error:
        raise codec.bad("payload", "json") from error
    if type(found) is not int:
        raise codec.bad("payload", "json")
    return found


def _described(offered: Offered) -> tuple[int, str]:
    return offered.size, offered.media_type


def _path(key: tuple[bytes, bytes]) -> str:
    return f"/s1/blob/{key[0].hex()}/{key[1].hex()}"


def _as_key(key: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"about": key[0], "sha256": key[1]}
