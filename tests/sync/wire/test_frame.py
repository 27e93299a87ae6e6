# SPDX-License-Identifier: Apache-2.0
"""Frames: deterministic, bounded, and nothing a peer sends raises anything but BadFrame or BadSignature."""

from __future__ import annotations

import tracemalloc
import zlib
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.errors import BadFrame, BadSignature
from schema.events import GENESIS
from sync.wire import codec, frame

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
HEADER = frame.Header(
    "0100-1", "hub", bytes(16), "reg", "", frame.PUSH, 1, GENESIS, 0, 7, False, 1, 1, "2026-11-20T01:00:00.000Z"
)
VALID = frame.build(HEADER, {"cells": {}, "conflicts": []}, KEY)


def forge(head: Any = None, payload: bytes | None = None, raw: bytes | None = None, compression: int = 1) -> bytes:
    """A frame with a good signature and whatever else."""
    raw = codec.dump({"cells": {}, "conflicts": []}) if raw is None else raw
    payload = zlib.compress(raw) if payload is None else payload
    fields = {("from" if k == "first" else k): v for k, v in vars(HEADER).items()}
    fields |= {"raw_len": len(raw), "payload_sha256": sha256(payload).digest()}
    head = head(fields) if callable(head) else head if isinstance(head, bytes) else fields | (head or {})
    head = head if isinstance(head, bytes) else codec.dump(head)
    body = b"S1\x01" + bytes([compression]) + len(head).to_bytes(4, "big") + head + payload
    return body + KEY.sign(body)


def test_an_opened_frame_is_what_was_built() -> None:
    opened = frame.open_frame(VALID, PUBLIC)

    assert opened.header == HEADER
    assert opened.content == {"cells": {}, "conflicts": []}
    assert opened.hash == sha256(VALID).digest()


def test_the_same_content_gives_the_same_bytes() -> None:
    assert frame.build(HEADER, {"conflicts": [], "cells": {}}, KEY) == VALID


def test_another_key_does_not_open_it() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()

    with pytest.raises(BadSignature):
        frame.open_frame(VALID, other)


@settings(max_examples=400, derandomize=True)
@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    for candidate in (data, b"S1\x01\x01" + data, b"S1\x01\x00\x00\x00\x00\x10" + data):
        with pytest.raises((BadFrame, BadSignature)):
            frame.open_frame(candidate, PUBLIC)


@settings(max_examples=400, derandomize=True)
@given(st.integers(0, len(VALID) - 1), st.integers(1, 255))
def test_no_flipped_byte_goes_unnoticed(place: int, bits: int) -> None:
    data = bytearray(VALID)
    data[place] ^= bits

    with pytest.raises((BadFrame, BadSignature)):
        frame.open_frame(bytes(data), PUBLIC)


def test_no_cut_frame_opens() -> None:
    for length in range(len(VALID)):
        with pytest.raises((BadFrame, BadSignature)):
            frame.open_frame(VALID[:length], PUBLIC)


@settings(max_examples=300, derandomize=True)
@given(st.binary(min_size=1, max_size=300), st.binary(max_size=300))
def test_signed_rubbish_is_a_bad_frame(head: bytes, raw: bytes) -> None:
    for data in (forge(head), forge(payload=raw)):
        with pytest.raises(BadFrame):
            frame.open_frame(data, PUBLIC)
    try:
        opened = frame.open_frame(forge(raw=raw), PUBLIC)
    except BadFrame:
        return
    assert opened.content == codec.load(raw), "only well-formed content opens"


@pytest.mark.parametrize(
    "change",
    [
        {"n": -1}, {"n": True}, {"n": 2**60}, {"upto": -1}, {"from": 8}, {"epoch": b"short"}, {"prev": b""},
        {"chan": "all"}, {"dir": "up"}, {"node": "x" * 41}, {"more": 0}, {"made_at": None}, {"extra": 1},
        {"raw_len": 10**9}, {"payload_sha256": bytes(32)}, {"schema": "1"},
    ],
    ids=lambda change: "".join(f"{k}={str(v)[:12]}" for k, v in change.items()),
)  # fmt: skip
def test_a_header_out_of_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        frame.open_frame(forge(change), PUBLIC)


def test_a_header_that_lacks_a_field_is_refused() -> None:
    with pytest.raises(BadFrame):
        frame.open_frame(forge(lambda fields: {k: v for k, v in fields.items() if k != "made_at"}), PUBLIC)


def test_a_second_spelling_of_the_same_header_is_refused() -> None:
    """Two byte strings for one meaning would give one frame two hashes."""
    with pytest.raises(BadFrame):
        frame.open_frame(
            forge(lambda fields: b"\xb9" + len(fields).to_bytes(2, "big") + codec.dump(fields)[1:]), PUBLIC
        )


@pytest.mark.parametrize("claimed", [100, frame.MAX_RAW], ids=["lies", "at the limit"])
def test_a_compression_bomb_is_stopped_at_the_claimed_length(claimed: int) -> None:
    payload = zlib.compress(bytes(200_000_000), 9)
    assert len(payload) < frame.MAX_PAYLOAD
    data = forge({"raw_len": claimed, "payload_sha256": sha256(payload).digest()}, payload=payload)
    tracemalloc.start()

    with pytest.raises(BadFrame):
        frame.open_frame(data, PUBLIC)

    assert tracemalloc.get_traced_memory()[1] < 3 * frame.MAX_RAW
    tracemalloc.stop()


def test_bytes_after_the_compressed_content_are_refused() -> None:
    raw = codec.dump({})
    payload = zlib.compress(raw) + b"rest"

    with pytest.raises(BadFrame):
        frame.open_frame(forge({"payload_sha256": sha256(payload).digest()}, payload=payload, raw=raw), PUBLIC)


def test_a_frame_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(BadFrame) as refused:
        frame.open_frame(b"S1" + bytes(frame.MAX_FRAME), PUBLIC)

    assert refused.value.code == "size"


def test_content_that_does_not_fit_cannot_be_built() -> None:
    with pytest.raises(BadFrame):
        frame.build(replace(HEADER, n=2), {"x": bytes(frame.MAX_RAW)}, KEY)
