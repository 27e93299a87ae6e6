# SPDX-License-Identifier: Apache-2.0
"""A station's certificate: which key, database and slices belong to which station, signed by the county's authority.

Binding key, site id and epoch together is what lets the hub fill in the author of a cell by itself: an author is never
on the wire, so it cannot be forged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.errors import BadFrame, BadSignature
from sync.wire import signed
from sync.wire.words import words

_SHAPE: dict[str, type | tuple[type, ...]] = {
    "node": str, "public_key": bytes, "site_id": bytes, "epoch": bytes, "slices": list, "role": str,
    "not_before": str, "not_after": str, "serial": int,
}  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """`slices` e.g. ("county", "330683100", "node:0100-1"); dates `YYYY-MM-DD`, both inclusive."""

    node: str
    public_key: bytes
    site_id: bytes
    epoch: bytes
    slices: tuple[str, ...]
    role: str
    not_before: str
    not_after: str
    serial: int


def issue(certificate: Certificate, authority_key: Ed25519PrivateKey) -> bytes:
    """The certificate as a file."""
    return signed.seal(signed.CERTIFICATE, asdict(certificate) | {"slices": list(certificate.slices)}, authority_key)


def read(data: bytes) -> Certificate:
    """What a certificate says, unchecked: for the station's own one. Raises BadSignature(certificate_form)."""
    try:
        return _certificate(signed.peek(signed.CERTIFICATE, data, "certificate_form"))
    except BadFrame as error:
        raise _refused("certificate_form") from error


def open_certificate(data: bytes, authority_public: bytes, today: date) -> Certificate:
    """The certificate when the authority signed it and it is in force.

    Raises BadSignature with code certificate_form, certificate_signature, certificate_expired or certificate_not_yet.
    """
    certificate = read(data)
    signed.check(data, authority_public, "certificate_signature")
    if today.isoformat() > certificate.not_after:
        raise _refused("certificate_expired")
    if today.isoformat() < certificate.not_before:
        raise _refused("certificate_not_yet")
    return certificate


def _certificate(content: dict[str, Any]) -> Certificate:
    content = signed.fields(content, _SHAPE, "certificate_form")
    lengths = (len(content["public_key"]), len(content["site_id"]), len(content["epoch"]))
    texts_fit = all(type(s) is str and 0 < len(s) <= 40 for s in (*content["slices"], content["node"]))
    if lengths != (32, 16, 16) or not texts_fit or not 0 < len(content["slices"]) <= 64:
        raise _refused("certificate_form")
    return Certificate(**{**content, "slices": tuple(content["slices"])})


def _refused(code: str) -> BadSignature:
    return BadSignature(*words(code), code=code)
