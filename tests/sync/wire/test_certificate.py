# SPDX-License-Identifier: Apache-2.0
"""Certificates: only the county's authority makes them, only their dates keep them in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.errors import BadSignature
from sync.wire import certificate, signed

AUTHORITY = Ed25519PrivateKey.generate()
PUBLIC = AUTHORITY.public_key().public_bytes_raw()
CERTIFICATE = certificate.Certificate(
    "0100-1", bytes(32), bytes(16), bytes(16), ("county", "330683100"), "station", "2026-01-01", "2026-12-31", 7
)


def test_it_says_what_was_issued() -> None:
    issued = certificate.issue(CERTIFICATE, AUTHORITY)

    assert certificate.open_certificate(issued, PUBLIC, date(2026, 6, 1)) == CERTIFICATE
    assert certificate.read(issued) == CERTIFICATE


@pytest.mark.parametrize(
    ("today", "code"),
    [
        ("2025-12-31", "certificate_not_yet"),
        ("2026-01-01", ""),
        ("2026-12-31", ""),
        ("2027-01-01", "certificate_expired"),
    ],
)
def test_both_dates_are_inclusive(today: str, code: str) -> None:
    issued = certificate.issue(CERTIFICATE, AUTHORITY)
    found = ""
    try:
        certificate.open_certificate(issued, PUBLIC, date.fromisoformat(today))
    except BadSignature as error:
        found = error.code
    assert found == code


def test_another_authority_is_refused() -> None:
    issued = certificate.issue(CERTIFICATE, Ed25519PrivateKey.generate())

    with pytest.raises(BadSignature) as refused:
        certificate.open_certificate(issued, PUBLIC, date(2026, 6, 1))

    assert refused.value.code == "certificate_signature"


@pytest.mark.parametrize(
    "change", [{"slices": ()}, {"public_key": b"x"}, {"epoch": b""}, {"serial": "7"}, {"node": ""}], ids=str
)
def test_a_malformed_one_is_refused_even_if_signed(change: dict[str, Any]) -> None:
    with pytest.raises(BadSignature) as refused:
        certificate.read(certificate.issue(replace(CERTIFICATE, **change), AUTHORITY))

    assert refused.value.code == "certificate_form"


def test_a_signed_thing_of_another_kind_is_no_certificate() -> None:
    content = signed.peek(signed.CERTIFICATE, certificate.issue(CERTIFICATE, AUTHORITY), "x")

    with pytest.raises(BadSignature):
        certificate.open_certificate(signed.seal(signed.HELLO, content, AUTHORITY), PUBLIC, date(2026, 6, 1))


@pytest.mark.parametrize("data", [b"", b"S1C", b"S1C" + bytes(64), b"S1C" + bytes(200), bytes(300_000)])
def test_rubbish_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(BadSignature) as refused:
        certificate.read(data)

    assert refused.value.text("zh") == "证书格式不对"
