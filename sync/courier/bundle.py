# SPDX-License-Identifier: Apache-2.0
"""A bundle: what one side of a session has to say, as members of one sealed file (`box`).

    member := u8 kind | u32 length | bytes
    bundle := HEADER, then of a station: HELLO, FRAME ...; of the hub: WELCOME, RECEIPT ..., FRAME ...; at last END

HELLO, WELCOME, RECEIPT and FRAME are byte for byte what travels over the line. The frames are compressed already, so
the bundle is not: nothing in it can expand but a frame, whose bounds hold here as everywhere. One member is in memory
at a time; how many there may be is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.courier import box
from sync.wire import codec, frame, signed

HEADER, HELLO, WELCOME, RECEIPT, FRAME, END = range(1, 7)
MAX_MEMBERS = 100_000
LIMITS = {
    HEADER: frame.MAX_HEADER * 4, HELLO: signed.LIMIT, WELCOME: signed.LIMIT, RECEIPT: signed.LIMIT,
    FRAME: frame.MAX_FRAME, END: frame.MAX_HEADER * 4,
}  # fmt: skip
SUFFIX = ".s1b"
# Carried by a neighbour (`relay`): what a sender aims at, and what everybody accepts. A frame and the largest receipt
# fit between the two.
CARRIED_AIM_BYTES, CARRIED_MAX_BYTES = 192 * 1024, 576 * 1024

# `answers`: id of the bundle this is the answer to; its `state` comes back in the answer. `code`: why the hub took
# nothing, '' when it did.
HEADER_SHAPE: dict[str, type | tuple[type, ...]] = {
    "id": bytes, "from": str, "to": str, "epoch": bytes, "created": str, "answers": bytes, "state": dict, "code": str,
}  # fmt: skip
# `frames`: channel -> [first n, last n, count] of a station; `more`: there is more than fitted; `digests`: family ->
# [last feed number, digest] of the hub when its feed stood at `head`; `refused`: [item, code] of what it did not take.
END_SHAPE: dict[str, type | tuple[type, ...]] = {
    "members": int, "frames": dict, "more": bool, "head": int, "digests": dict, "refused": list,
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """Who says this to whom, when, in which life of the station's database, and how far the station is."""

    id: bytes
    sender: str
    recipient: str
    epoch: bytes
    created: str
    answers: bytes
    state: dict[str, Any]
    code: str

    @staticmethod
    def read(data: bytes) -> Header:
        """Raises BadFrame(bundle)."""
        fields = signed.fields(_map(data), HEADER_SHAPE, "bundle")
        if (len(fields["id"]), len(fields["epoch"])) != (16, 16) or len(fields["answers"]) not in (0, 16):
            raise codec.bad("bundle", "header")
        if max(len(fields["created"]), len(fields["code"])) > 40:
            raise codec.bad("bundle", "header")
        rest = (fields["epoch"], fields["created"], fields["answers"], fields["state"], fields["code"])
        return Header(fields["id"], fields["from"], fields["to"], *rest)

    def dump(self) -> bytes:
        """As a member."""
        named = {"from": self.sender, "to": self.recipient}
        return codec.dump({name: v for name, v in vars(self).items() if name not in ("sender", "recipient")} | named)


class Writer:
    """Writes the members of one bundle."""

    def __init__(self, sealer: box.Sealer, header: Header) -> None:
        self._sealer, self.members = sealer, 0
        self.add(HEADER, header.dump())

    @property
    def size(self) -> int:
        """Bytes written so far, about."""
        return self._sealer.size

    def add(self, kind: int, data: bytes) -> None:
        """One member."""
        self._sealer.write(bytes((kind,)) + len(data).to_bytes(4, "big") + data)
        self.members += 1

    def close(
        self, *, frames: dict[str, list[int]], more: bool = False, head: int = 0,
        digests: dict[str, Any] | None = None, refused: list[list[str]] | None = None,
    ) -> None:  # fmt: skip
        """The last member, segment and signature."""
        end = {
            "members": self.members, "frames": frames, "more": more, "head": head, "digests": digests or {},
            "refused": refused or [],
        }  # fmt: skip
        self.add(END, codec.dump(end))
        self._sealer.close()


def members(source: IO[bytes], stated: box.Address, key: Ed25519PrivateKey) -> Iterator[tuple[int, bytes]]:
    """The members of a file whose signature was checked, HEADER first, END last. Raises BadFrame(bundle)."""
    stream = _Stream(box.content(source, stated, key))
    count, kind = 0, 0
    while kind != END:
        head = stream.take(5)
        kind, length = head[0], int.from_bytes(head[1:], "big")
        if (kind == HEADER) != (count == 0) or length > LIMITS.get(kind, -1) or count >= MAX_MEMBERS:
            raise codec.bad("bundle", "member")
        data = stream.take(length)
        if kind == END and end_of(data)["members"] != count:
            raise codec.bad("bundle", "count")
        count += 1
        yield kind, data
    if not stream.is_empty():
        raise codec.bad("bundle", "rest")


def end_of(data: bytes) -> dict[str, Any]:
    """The END member. Raises BadFrame(bundle)."""
    return signed.fields(_map(data), END_SHAPE, "bundle")


class _Stream:
    """Takes exact lengths off a stream of segments."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._waiting = parts, bytearray()

    def take(self, length: int) -> bytes:
        while len(self._waiting) < length:
            part = next(self._parts, None)
            if part is None:
                raise codec.bad("bundle", "length")
            self._waiting += part
        data = bytes(self._waiting[:length])
        del self._waiting[:length]
        return data

    def is_empty(self) -> bool:
        return not self._waiting and not next(self._parts, b"")


def _map(data: bytes) -> dict[str, Any]:
    content = codec.load(data, "bundle")
    if type(content) is not dict or codec.dump(content) != data:
        raise codec.bad("bundle", "form")
    return content
