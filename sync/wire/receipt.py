# SPDX-License-Identifier: Apache-2.0
"""The hub's signed word that it has a frame, and what of it it refused. Only this makes a station forget the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.wire import codec, signed
from sync.wire.words import words

# A receipt must fit its column (64 KiB). No frame holds more facts than this, so every refused fact is named; of cells
# the first rows are named and all are counted.
MAX_LISTED = 100
_TEXT_BYTES, _NAME_BYTES = 240, 100

_SHAPE: dict[str, type | tuple[type, ...]] = {
    "node": str, "epoch": bytes, "chan": str, "n": int, "hash": bytes, "applied": int, "lost": int, "conflicts": int,
    "refused": list, "refused_count": int, "received_at": str,
}  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """One item that was not taken: a fact's id in hex, or `table/row id in hex`."""

    item: str
    code: str
    zh: str
    en: str

    @staticmethod
    def of(item: str, code: str) -> Refused:
        """With the words of the code."""
        return Refused(item, code, *words(code))


@dataclass(frozen=True)
class Receipt:
    """What came of one frame. `applied` cells or facts taken, `lost` cells that a newer value beat."""

    node: str
    epoch: bytes
    chan: str
    n: int
    hash: bytes
    applied: int
    lost: int
    conflicts: int
    refused: tuple[Refused, ...]
    received_at: str
    refused_count: int = 0


def write(receipt: Receipt, hub_key: Ed25519PrivateKey) -> bytes:
    """The receipt as it travels and is stored."""
    listed = [
        [_cut(r.item, _NAME_BYTES), _cut(r.code, _NAME_BYTES), _cut(r.zh, _TEXT_BYTES), _cut(r.en, _TEXT_BYTES)]
        for r in receipt.refused[:MAX_LISTED]
    ]
    content = vars(receipt) | {"refused": listed, "refused_count": len(receipt.refused)}
    return signed.seal(signed.RECEIPT, content, hub_key)


def read(data: bytes, hub_public: bytes) -> Receipt:
    """A receipt the hub signed. Raises BadSignature or BadFrame, both with code receipt."""
    content = signed.fields(signed.open_(signed.RECEIPT, data, hub_public, "receipt"), _SHAPE, "receipt")
    return Receipt(**(content | {"refused": tuple(_refused(item) for item in content["refused"])}))


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")


def _refused(item: Any) -> Refused:
    if type(item) is not list or len(item) != 4 or any(type(part) is not str for part in item):
        raise codec.bad("receipt", "form")
    return Refused(*item)
