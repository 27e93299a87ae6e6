# SPDX-License-Identifier: Apache-2.0
"""A sealed file for one reader: what a stick or a relay carries, and neither can read, change or shorten.

    file     := "S1B" | u8 version | u16 header length | header | segment ... | signature
    header   := deterministic CBOR {"from": text, "to": text, "key": the sender's one-time X25519 key (32 bytes)}
    segment  := ChaCha20-Poly1305 of 64 KiB of content, the last of 0 to 64 KiB; nonce = number (11 bytes) | last (1)
    signature:= Ed25519 by the sender over "S1B" | SHA-256 of all before

The names are all that is readable from outside: a courier must know whom it is for. The key of the segments comes
from X25519 and HKDF-SHA256 over the header, so a changed header opens nothing. The number in the nonce and its last
byte make segments that are missing, repeated, moved or cut off fail to open.

Every party has one Ed25519 key; for the box it is used as the X25519 key on the same curve (RFC 7748 §4.1), so whoever
can check a signature can also be written to: no second key to make, to hand out, to lose.

Reading takes two passes over a file that can be sought: signature first, content second; 64 KiB are in memory at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import IO

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.wire import codec, signed

MAGIC = b"S1B"
VERSION = 1
SEGMENT_BYTES = 64 * 1024
TAG_BYTES = 16
MAX_FILE = 1024 * 1024 * 1024
MAX_HEADER = 256
_INFO = b"S1 bundle"
_FIELD = 2**255 - 19
_SHAPE: dict[str, type | tuple[type, ...]] = {"from": str, "to": str, "key": bytes}


@dataclass(frozen=True)
class Address:
    """What is readable from outside. `start`, `end`: where the segments lie in the file."""

    sender: str
    recipient: str
    key: bytes
    prefix: bytes
    end: int

    @property
    def start(self) -> int:
        return len(self.prefix)


def public_of(ed25519_public: bytes) -> bytes:
    """The X25519 key of whoever has this Ed25519 key: u = (1 + y) / (1 - y)."""
    y = int.from_bytes(ed25519_public, "little") % 2**255
    return ((1 + y) * pow(1 - y, -1, _FIELD) % _FIELD).to_bytes(32, "little")


def private_of(key: Ed25519PrivateKey) -> X25519PrivateKey:
    """The private half of `public_of`."""
    return X25519PrivateKey.from_private_bytes(sha512(key.private_bytes_raw()).digest()[:32])


class Sealer:
    """Writes one file."""

    def __init__(
        self, sink: IO[bytes], *, sender: str, key: Ed25519PrivateKey, recipient: str, recipient_public: bytes,
        one_time: X25519PrivateKey | None = None,
    ) -> None:  # fmt: skip
        one_time = one_time or X25519PrivateKey.generate()
        public = one_time.public_key().public_bytes_raw()
        header = codec.dump({"from": sender, "to": recipient, "key": public})
        prefix = MAGIC + bytes((VERSION,)) + len(header).to_bytes(2, "big") + header
        reader = public_of(recipient_public)
        self._sink, self._key, self._hash, self._written = sink, key, sha256(), 0
        self._cipher = _cipher(one_time.exchange(X25519PublicKey.from_public_bytes(reader)), public + reader, prefix)
        self._waiting, self._number = bytearray(), 0
        self._out(prefix)

    @property
    def size(self) -> int:
        """Bytes so far, with those that wait for their segment to be full."""
        return self._written + len(self._waiting)

    def write(self, data: bytes) -> None:
        """Add content. A full segment waits for the next byte: only then is it known not to be the last."""
        self._waiting += data
        while len(self._waiting) > SEGMENT_BYTES:
            self._segment(bytes(self._waiting[:SEGMENT_BYTES]), last=False)
            del self._waiting[:SEGMENT_BYTES]

    def close(self) -> None:
        """Write the last segment and the signature."""
        self._segment(bytes(self._waiting), last=True)
        self._waiting.clear()
        self._out(self._key.sign(MAGIC + self._hash.digest()))

    def _segment(self, content: bytes, *, last: bool) -> None:
        self._out(self._cipher.encrypt(_nonce(self._number, last), content, None))
        self._number += 1

    def _out(self, data: bytes) -> None:
        self._hash.update(data)
        self._sink.write(data)
        self._written += len(data)


def address(source: IO[bytes]) -> Address:
    """Who wrote a file for whom, unproven. Raises BadFrame: bundle, size."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    if size > MAX_FILE:
        raise codec.bad("size")
    head = source.read(6)
    length = int.from_bytes(head[4:], "big")
    if head[:4] != MAGIC + bytes((VERSION,)) or not 0 < length <= MAX_HEADER:
        raise codec.bad("bundle", "magic")
    raw = source.read(length)
    content = codec.load(raw, "bundle")
    if type(content) is not dict or codec.dump(content) != raw:
        raise codec.bad("bundle", "header")
    fields = signed.fields(content, _SHAPE, "bundle")
    end = size - signed.SIGNATURE_BYTES
    if len(fields["key"]) != 32 or max(len(fields["from"]), len(fields["to"])) > 40 or end < 6 + length + TAG_BYTES:
        raise codec.bad("bundle", "header")
    return Address(fields["from"], fields["to"], fields["key"], head + raw, end)


def check(source: IO[bytes], stated: Address, sender_public: bytes) -> None:
    """Raises BadFrame(bundle) unless the sender signed this file, whole."""
    digest = sha256()
    source.seek(0)
    left = stated.end
    while left:
        part = source.read(min(left, SEGMENT_BYTES))
        if not part:
            raise codec.bad("bundle", "length")
        digest.update(part)
        left -= len(part)
    try:
        Ed25519PublicKey.from_public_bytes(sender_public).verify(
            source.read(signed.SIGNATURE_BYTES), MAGIC + digest.digest()
        )
    except (InvalidSignature, ValueError) as error:
        raise codec.bad("bundle", "signature") from error


def content(source: IO[bytes], stated: Address, key: Ed25519PrivateKey) -> Iterator[bytes]:
    """The content, segment by segment. Raises BadFrame(bundle) when it is not for this key, or not whole."""
    own = private_of(key)
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(stated.key))
    except ValueError as error:
        raise codec.bad("bundle", "key") from error
    cipher = _cipher(shared, stated.key + own.public_key().public_bytes_raw(), stated.prefix)
    position, number = stated.start, 0
    source.seek(position)
    while position < stated.end:
        length = min(SEGMENT_BYTES + TAG_BYTES, stated.end - position)
        position += length
        try:
            yield cipher.decrypt(_nonce(number, position == stated.end), source.read(length), None)
        except InvalidTag as error:
            raise codec.bad("bundle", f"segment {number}") from error
        number += 1


def _cipher(shared: bytes, salt: bytes, prefix: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt, _INFO + prefix).derive(shared))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((last,))
