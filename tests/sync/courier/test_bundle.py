# SPDX-License-Identifier: Apache-2.0
"""The members of a bundle: in order, counted, bounded."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.errors import BadFrame
from sync.courier import box, bundle
from sync.wire import codec

KEY, HUB = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (3, 2))
HEADER = bundle.Header(bytes(16), "0100-1", "hub", bytes(16), "2026-11-20T01:00:00.000Z", b"", {}, "")
END: dict[str, Any] = {"members": 1, "frames": {}, "more": False, "head": 0, "digests": {}, "refused": []}


def sealed(write: Callable[[box.Sealer], None]) -> list[tuple[int, bytes]]:
    sink = BytesIO()
    public = HUB.public_key().public_bytes_raw()
    sealer = box.Sealer(sink, sender="0100-1", key=KEY, recipient="hub", recipient_public=public)
    write(sealer)
    return list(bundle.members(sink, box.address(sink), HUB))


def member(kind: int, data: bytes) -> bytes:
    return bytes((kind,)) + len(data).to_bytes(4, "big") + data


def raw(*members: bytes) -> Callable[[box.Sealer], None]:
    def write(sealer: box.Sealer) -> None:
        for data in members:
            sealer.write(data)
        sealer.close()

    return write


FIRST, LAST = member(bundle.HEADER, HEADER.dump()), member(bundle.END, codec.dump(END))


def test_members_come_back_as_they_went() -> None:
    def write(sealer: box.Sealer) -> None:
        writer = bundle.Writer(sealer, HEADER)
        writer.add(bundle.HELLO, b"hello")
        writer.add(bundle.FRAME, bytes(200_000))
        writer.close(frames={"evt": [1, 1, 1]})

    found = sealed(write)

    assert [kind for kind, _ in found] == [bundle.HEADER, bundle.HELLO, bundle.FRAME, bundle.END]
    assert bundle.Header.read(found[0][1]) == HEADER
    assert found[2][1] == bytes(200_000)
    assert bundle.end_of(found[3][1])["frames"] == {"evt": [1, 1, 1]}


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((LAST,), id="no header"),
        pytest.param((FIRST,), id="no end"),
        pytest.param((FIRST, FIRST, LAST), id="two headers"),
        pytest.param((FIRST, LAST, b"x"), id="rest"),
        pytest.param((FIRST, member(bundle.HELLO, b""), LAST), id="count"),
        pytest.param((FIRST, member(99, b""), LAST), id="unknown kind"),
        pytest.param((FIRST, bytes((bundle.FRAME,)) + b"\xff\xff\xff\xff", LAST), id="a length of 4 GiB"),
        pytest.param((FIRST, member(bundle.END, b"\xa0")), id="an empty end"),
        pytest.param((b"",), id="empty"),
    ],
)
def test_members_out_of_order_are_refused(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(BadFrame) as caught:
        sealed(raw(*parts))
    assert caught.value.code == "bundle"


def test_a_flood_of_tiny_members_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_MEMBERS", 50)
    with pytest.raises(BadFrame) as caught:
        sealed(raw(FIRST, *[member(bundle.HELLO, b"")] * 100, member(bundle.END, codec.dump(END | {"members": 101}))))
    assert caught.value.code == "bundle"


@pytest.mark.parametrize(
    "change",
    [{"id": b"short"}, {"epoch": b""}, {"answers": b"1"}, {"created": "x" * 41}, {"code": "x" * 41}, {"state": []},
     {"from": 1}, {"more": True}],
)  # fmt: skip
def test_a_header_out_of_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadFrame) as caught:
        bundle.Header.read(codec.dump(codec.load(HEADER.dump()) | change))
    assert caught.value.code == "bundle"
