# SPDX-License-Identifier: Apache-2.0
"""A sealed file opens whole, for its reader, as its sender wrote it; or not at all."""

from __future__ import annotations

from io import BytesIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from schema.errors import BadFrame
from sync.courier import box

ALICE, BOB, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
SEGMENT = box.SEGMENT_BYTES


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def seal(content: bytes, *, key: Ed25519PrivateKey = ALICE, to: Ed25519PrivateKey = BOB) -> bytes:
    sink = BytesIO()
    sealer = box.Sealer(sink, sender="0100-1", key=key, recipient="hub", recipient_public=public(to))
    for start in range(0, len(content), 10_000):
        sealer.write(content[start : start + 10_000])
    sealer.close()
    assert sealer.size == len(sink.getvalue())
    return sink.getvalue()


def opened(data: bytes, key: Ed25519PrivateKey = BOB) -> bytes:
    source = BytesIO(data)
    stated = box.address(source)
    box.check(source, stated, public(ALICE))
    return b"".join(box.content(source, stated, key))


def unchecked(data: bytes) -> bytes:
    """What opens without a look at the signature: the segments alone must hold."""
    source = BytesIO(data)
    return b"".join(box.content(source, box.address(source), BOB))


@pytest.mark.parametrize("length", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT])
def test_what_was_sealed_opens(length: int) -> None:
    content = bytes(range(251)) * (length // 251 + 1)
    assert opened(seal(content[:length])) == content[:length]


def test_names_are_readable_from_outside_and_nothing_else() -> None:
    data = seal("王丽萍 13900000001".encode())
    stated = box.address(BytesIO(data))

    assert (stated.sender, stated.recipient) == ("0100-1", "hub")
    assert "王丽萍".encode() not in data and b"13900000001" not in data


def test_the_same_content_is_never_sealed_the_same_way() -> None:
    assert seal(b"x" * 100)[60:] != seal(b"x" * 100)[60:]


@pytest.mark.parametrize("n", range(1, 6))
def test_the_box_key_belongs_to_the_signing_key(n: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)
    assert box.private_of(key).public_key().public_bytes_raw() == box.public_of(public(key))


def test_another_reader_opens_nothing() -> None:
    with pytest.raises(BadFrame) as caught:
        opened(seal(b"content"), EVE)
    assert caught.value.code == "bundle"


def test_another_sender_is_not_believed() -> None:
    with pytest.raises(BadFrame) as caught:
        opened(seal(b"content", key=EVE))
    assert caught.value.code == "bundle"


@pytest.mark.parametrize("place", range(0, 400, 3))
def test_a_bit_that_flips_is_noticed(place: int) -> None:
    data = bytearray(seal(b"content" * 30))
    data[place % len(data)] ^= 1 << place % 8
    with pytest.raises(BadFrame):
        opened(bytes(data))


LONG = bytes(range(256)) * 800  # three segments and a bit
STARTS = [box.address(BytesIO(seal(LONG))).start + n * (SEGMENT + box.TAG_BYTES) for n in range(4)]


@pytest.mark.parametrize("length", [0, 3, 6, 40, *STARTS, *(s + 1 for s in STARTS), *(s + 5000 for s in STARTS)])
def test_a_file_cut_anywhere_opens_as_nothing(length: int) -> None:
    data = seal(LONG)
    with pytest.raises(BadFrame):
        opened(data[:length])


class TestSegmentsAlone:
    """The sender's own signature over a file changed by a thief of its key would hold: the segments must not open."""

    @pytest.mark.parametrize("kept", [1, 2, 3])
    def test_segments_left_out_at_the_end(self, kept: int) -> None:
        data = seal(LONG)
        with pytest.raises(BadFrame):
            unchecked(data[: STARTS[kept]] + data[-64:])

    def test_segments_that_changed_places(self) -> None:
        data = seal(LONG)
        first, second = data[STARTS[0] : STARTS[1]], data[STARTS[1] : STARTS[2]]
        with pytest.raises(BadFrame):
            unchecked(data[: STARTS[0]] + second + first + data[STARTS[2] :])

    def test_a_segment_that_comes_twice(self) -> None:
        data = seal(LONG)
        with pytest.raises(BadFrame):
            unchecked(data[: STARTS[1]] + data[STARTS[0] : STARTS[1]] + data[STARTS[1] :])

    def test_another_name_on_the_outside(self) -> None:
        with pytest.raises(BadFrame):
            unchecked(seal(LONG).replace(b"0100-1", b"0100-2", 1))


def test_a_key_of_no_order_is_refused() -> None:
    """X25519 with such a key gives everybody the same secret."""
    data = seal(b"content")
    forged = data.replace(box.address(BytesIO(data)).key, bytes(32), 1)
    with pytest.raises(BadFrame) as caught:
        unchecked(forged)
    assert caught.value.code == "bundle"


def test_a_file_past_the_limit_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box, "MAX_FILE", 1000)
    with pytest.raises(BadFrame) as caught:
        opened(seal(bytes(2000)))
    assert caught.value.code == "size"


def test_one_segment_is_read_at_a_time() -> None:
    class Measured(BytesIO):
        most = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None and size >= 0
            Measured.most = max(Measured.most, size)
            return super().read(size)

    source = Measured(seal(LONG))
    stated = box.address(source)
    box.check(source, stated, public(ALICE))
    for _ in box.content(source, stated, BOB):
        pass
    assert Measured.most <= SEGMENT + box.TAG_BYTES


def test_a_given_one_time_key_makes_the_same_bytes() -> None:
    def once() -> bytes:
        sink = BytesIO()
        one_time = X25519PrivateKey.from_private_bytes(bytes([9]) * 32)
        box.Sealer(
            sink, sender="a", key=ALICE, recipient="b", recipient_public=public(BOB), one_time=one_time
        ).close()
        return sink.getvalue()

    assert once() == once()
