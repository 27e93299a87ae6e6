# SPDX-License-Identifier: Apache-2.0
"""Small signed maps: certificates, greetings, receipts, manifests. `magic(3) | deterministic CBOR | signature (64)`.

The magic is part of what is signed, so that a signed thing of one kind never passes as another kind.
"""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schema.errors import BadSignature
from sync.wire import codec
from sync.wire.words import words

CERTIFICATE = b"S1C"
HELLO = b"S1H"
WELCOME = b"S1W"
RECEIPT = b"S1R"
MANIFEST = b"S1M"
REBASE = b"S1B"
GRANT = b"S1G"
SIGNATURE_BYTES = 64
LIMIT = 256 * 1024


def seal(magic: bytes, content: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Sign a map."""
    body = magic + codec.dump(content)
    return body + key.sign(body)


def peek(magic: bytes, data: bytes, code: str) -> dict[str, Any]:
    """The map without its signature being checked. Raises BadFrame(code)."""
    if not len(magic) + SIGNATURE_BYTES < len(data) <= LIMIT or not data.startswith(magic):
        raise codec.bad(code)
    body = data[len(magic) : -SIGNATURE_BYTES]
    content = codec.load(body, code)
    if type(content) is not dict or codec.dump(content) != body:
        raise codec.bad(code)
    return content


def open_(magic: bytes, data: bytes, public_key: bytes, code: str = "signature") -> dict[str, Any]:
    """The map, signature checked. Raises BadSignature(code) or BadFrame(code)."""
    check(data, public_key, code)
    return peek(magic, data, code)


def check(data: bytes, public_key: bytes, code: str = "signature") -> None:
    """Raises BadSignature(code) unless the last 64 bytes sign all before them."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(data[-SIGNATURE_BYTES:], data[:-SIGNATURE_BYTES])
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(*words(code), code=code) from error


def fields(content: dict[str, Any], shape: dict[str, type | tuple[type, ...]], code: str) -> dict[str, Any]:
    """The map itself when it has exactly these keys with these exact types. Raises BadFrame(code)."""
    if set(content) != set(shape):
        raise codec.bad(code, "keys")
    for name, kinds in shape.items():
        if type(content[name]) not in (kinds if isinstance(kinds, tuple) else (kinds,)):
            raise codec.bad(code, name)
    return content
