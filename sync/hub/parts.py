# SPDX-License-Identifier: Apache-2.0
"""Hub: a frame that comes in parts, because the line cannot carry it at once. Each part that arrived stays.

A frame is built once and keeps its bytes: others may follow it in the chain, and whether the hub saw it cannot be
known. So on a line that has turned bad it is not built anew but sent piece by piece, each piece acknowledged. The
pieces of one frame per station and channel are kept, nothing of them is read before all are there and the hash fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from schema import database
from schema.database import Store
from schema.errors import RefusedByPeer
from sync.hub.inbox import Node
from sync.wire import codec, frame
from sync.wire.words import words


@dataclass(frozen=True)
class Part:
    """Where a piece belongs: `at` its first byte in a frame of `of` bytes known by `hash`."""

    channel: str
    n: int
    at: int
    of: int
    hash: bytes


class OtherPart(RefusedByPeer):
    """Another piece is wanted; `have` says from which byte on."""

    def __init__(self, have: int) -> None:
        super().__init__(*words("part"), code="part")
        self.have = have


def take(store: Store, node: Node, part: Part, body: bytes) -> bytes | int:
    """The whole frame when this was the last piece, else how many bytes are here.

    Raises OtherPart when the piece does not continue what is here, BadFrame when it cannot belong to any frame.
    """
    if not part.at + len(body) <= part.of <= frame.MAX_FRAME or len(part.hash) != 32:
        raise codec.bad("size")
    with store.write() as db:
        have = _stored(db, node, part)
        if len(have) != part.of and len(have) != part.at:
            raise OtherPart(len(have))
        if len(have) != part.of:
            have += body
            row = {"node": node.id, "channel": part.channel, "epoch": node.epoch, "n": part.n, "hash": part.hash}
            database.upsert(db, "frame_part", row | {"bytes": have})
        if len(have) < part.of:
            return len(have)
        if sha256(have).digest() == part.hash:
            return have
        _drop(db, node, part.channel)
    raise codec.bad("payload", "hash")


def drop(store: Store, node: Node, channel: str) -> None:
    """The frame was taken or refused: its pieces are of no more use."""
    with store.write() as db:
        _drop(db, node, channel)


def _drop(db: Any, node: Node, channel: str) -> None:
    db.execute("DELETE FROM frame_part WHERE node = ? AND channel = ?", (node.id, channel))


def _stored(db: Any, node: Node, part: Part) -> bytes:
    row = db.execute(
        "SELECT bytes FROM frame_part WHERE node = ? AND channel = ? AND epoch = ? AND n = ? AND hash = ?",
        (node.id, part.channel, node.epoch, part.n, part.hash),
    ).fetchone()
    return bytes(row[0]) if row else b""
