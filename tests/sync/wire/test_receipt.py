# SPDX-License-Identifier: Apache-2.0
"""Receipts: the hub's word, and nobody else's."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import tables
from schema.errors import BadFrame, BadSignature
from sync.wire import receipt, signed
from sync.wire.receipt import Receipt, Refused

HUB = Ed25519PrivateKey.generate()
PUBLIC = HUB.public_key().public_bytes_raw()


def make(refused: tuple[Refused, ...]) -> Receipt:
    return Receipt("0100-1", bytes(16), "evt", 3, bytes(32), 5, 0, 0, refused, "2026-11-20T01:00:00.000Z")


def test_it_says_what_was_taken_and_what_not() -> None:
    said = make((Refused.of("ab", "chain"),))

    read = receipt.read(receipt.write(said, HUB), PUBLIC)

    assert (read.n, read.applied, read.refused, read.refused_count) == (3, 5, said.refused, 1)


def test_another_signer_is_refused() -> None:
    with pytest.raises(BadSignature):
        receipt.read(receipt.write(make(()), Ed25519PrivateKey.generate()), PUBLIC)


def test_the_longest_receipt_fits_its_column_and_counts_what_it_does_not_name() -> None:
    long = tuple(Refused("字" * 200, "c" * 40, "字" * 500, "字" * 500) for _ in range(5000))

    data = receipt.write(make(long), HUB)

    column = tables.TABLES["outbox_frame"].column("receipt")
    assert column is not None and column.accepts(data) == ""
    assert receipt.read(data, PUBLIC).refused_count == 5000


def test_a_signed_map_of_another_form_is_refused() -> None:
    with pytest.raises(BadFrame):
        receipt.read(signed.seal(signed.RECEIPT, {"n": 1}, HUB), PUBLIC)
    content = signed.peek(signed.RECEIPT, receipt.write(make(()), HUB), "x")
    with pytest.raises(BadFrame):
        receipt.read(signed.seal(signed.RECEIPT, content | {"refused": [["a", "b"]]}, HUB), PUBLIC)
