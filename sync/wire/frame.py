# SPDX-License-Identifier: Apache-2.0
"""The frame: the only unit of data that travels.

    frame   := "S1" | u8 version | u8 compression (0 none, 1 zlib) | u32 header length | header | payload | signature
    header  := deterministic CBOR map, see HEADER
    payload := CBOR (see `codec`), compressed; the signature (64 bytes) covers all before it

Pushed frames of one (node, epoch, channel) are numbered 1, 2, 3 ... and each names the SHA-256 of the one before.
Pulled frames are built from live data, so they have no number and no predecessor: `from`, `upto` are feed positions.

Opening checks cheapest first: size, form, signature; only then is anything decompressed, and never past the limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.events import GENESIS
from sync.wire import codec, signed

MAGIC = b"S1"
VERSION = 1
PLAIN, ZLIB = 0, 1
MAX_HEADER = 4096
MAX_PAYLOAD = 256 * 1024
MAX_RAW = 4 * 1024 * 1024
MAX_FRAME = 8 + MAX_HEADER + MAX_PAYLOAD + signed.SIGNATURE_BYTES
# What this side puts into one frame before compression, so that even what does not compress fits.
RAW_BUDGET = 240 * 1024

PUSH, PULL = "push", "pull"
PUSHED, PULLED = ("ctl", "evt", "reg"), ("evt", "ref", "reg")
CHANNELS = tuple(sorted({*PUSHED, *PULLED}))

HEADER: dict[str, type | tuple[type, ...]] = {
    "node": str, "to": str, "epoch": bytes, "chan": str, "slice": str, "dir": str, "n": int, "prev": bytes,
    "from": int, "upto": int, "more": bool, "schema": int, "items": int, "raw_len": int, "payload_sha256": bytes,
    "made_at": str,
}  # fmt: skip


def places(held: Iterable[str]) -> list[tuple[str, str]]:
    """(slice, channel) of all that a station of these slices pulls, in the order in which greetings count them."""
    return [(slice_, channel) for slice_ in sorted(held) for channel in PULLED]


@dataclass(frozen=True)
class Header:
    """Who sends what to whom. `first`/`upto`: local versions or fact numbers (push), feed positions (pull)."""

    node: str
    to: str
    epoch: bytes
    chan: str
    slice: str
    dir: str
    n: int
    prev: bytes
    first: int
    upto: int
    more: bool
    schema: int
    items: int
    made_at: str


@dataclass(frozen=True)
class Frame:
    """An opened frame: its header, its content, the hash it is known by."""

    header: Header
    content: Any
    hash: bytes


def build(header: Header, content: Any, key: Ed25519PrivateKey) -> bytes:
    """A signed frame."""
    raw = codec.dump(content)
    packed = zlib.compress(raw, 9)
    compression, payload = (ZLIB, packed) if len(packed) < len(raw) else (PLAIN, raw)
    if len(raw) > MAX_RAW or len(payload) > MAX_PAYLOAD:
        raise codec.bad("size")
    fields = {("from" if name == "first" else name): value for name, value in vars(header).items()}
    head = codec.dump(fields | {"raw_len": len(raw), "payload_sha256": sha256(payload).digest()})
    body = MAGIC + bytes((VERSION, compression)) + len(head).to_bytes(4, "big") + head + payload
    return body + key.sign(body)


def raw_len(data: bytes) -> int:
    """How long the payload of a frame of our own was before compression."""
    return int(codec.load(data[8 : 8 + int.from_bytes(data[4:8], "big")], "header")["raw_len"])


def open_frame(data: bytes, public_key: bytes) -> Frame:
    """Check and read a frame. Raises BadFrame or BadSignature, never anything else, whatever the bytes are."""
    if len(data) > MAX_FRAME:
        raise codec.bad("size")
    if (
        len(data) < 8 + signed.SIGNATURE_BYTES
        or data[:2] != MAGIC
        or data[2] != VERSION
        or data[3] not in (PLAIN, ZLIB)
    ):
        raise codec.bad("magic")
    head_end = 8 + int.from_bytes(data[4:8], "big")
    if head_end > min(8 + MAX_HEADER, len(data) - signed.SIGNATURE_BYTES):
        raise codec.bad("header", "length")
    signed.check(data, public_key)
    fields = _header(data[8:head_end])
    payload = data[head_end : -signed.SIGNATURE_BYTES]
    if len(payload) > MAX_PAYLOAD:
        raise codec.bad("size")
    if sha256(payload).digest() != fields.pop("payload_sha256"):
        raise codec.bad("payload", "hash")
    raw = _expand(payload, data[3], fields.pop("raw_len"))
    header = Header(**{("first" if name == "from" else name): value for name, value in fields.items()})
    return Frame(header, codec.load(raw), hash_of(data))


def own_content(data: bytes) -> Any:
    """The content of a frame that this side built itself and kept: nothing is proven."""
    head_end = 8 + int.from_bytes(data[4:8], "big")
    fields = _header(data[8:head_end])
    return codec.load(_expand(data[head_end : -signed.SIGNATURE_BYTES], data[3], fields["raw_len"]))


def peek(data: bytes) -> dict[str, Any]:
    """The header's fields, nothing proven: to see where a frame belongs. Raises BadFrame."""
    if len(data) < 8 or not 8 < (end := 8 + int.from_bytes(data[4:8], "big")) <= min(len(data), 8 + MAX_HEADER):
        raise codec.bad("header", "length")
    return _header(data[8:end])


def hash_of(data: bytes) -> bytes:
    """What a frame is known by in the chain and the ledger."""
    return sha256(data).digest()


def _header(data: bytes) -> dict[str, Any]:
    content = codec.load(data, "header")
    if type(content) is not dict or codec.dump(content) != data:
        raise codec.bad("header", "form")
    fields = signed.fields(content, HEADER, "header")
    numbers = (fields["n"], fields["from"], fields["upto"], fields["schema"], fields["items"], fields["raw_len"])
    fits = (
        all(0 <= n < 2**53 for n in numbers)
        and fields["from"] <= fields["upto"]
        and len(fields["prev"]) == len(GENESIS) == len(fields["payload_sha256"])
        and len(fields["epoch"]) == 16
        and fields["chan"] in CHANNELS
        and fields["dir"] in (PUSH, PULL)
        and all(len(fields[name]) <= 40 for name in ("node", "to", "slice", "made_at"))
    )
    if not fits:
        raise codec.bad("header", "value")
    return fields


def _expand(payload: bytes, compression: int, raw_len: int) -> bytes:
    """Decompress at most `raw_len` bytes: a bomb is recognised by the first byte too many."""
    if raw_len > MAX_RAW:
        raise codec.bad("size")
    if compression == PLAIN:
        raw, whole = payload, True
    else:
        stream = zlib.decompressobj()
        try:
            raw = stream.decompress(payload, raw_len + 1)
        except zlib.error as error:
            raise codec.bad("payload", "zlib") from error
        whole = stream.eof and not stream.unused_data and not stream.unconsumed_tail
    if not whole or len(raw) != raw_len:
        raise codec.bad("payload", "length")
    return raw
