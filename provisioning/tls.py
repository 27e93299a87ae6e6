# SPDX-License-Identifier: Apache-2.0
"""TLS of the hub under its own authority: ECDSA P-256, which every client speaks and which keeps handshakes short.

The authority's key is sealed with the hub's other secrets; stations get the authority's certificate in their kit and
trust nothing else. The server's key lies in the hub's folder, readable by its owner alone, because the server needs it
at each start.
"""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.authority import TLS_AUTHORITY, TLS_SERVER

ALWAYS_SERVED = ("localhost", "127.0.0.1")


def new_authority(name: str, today: date) -> tuple[bytes, bytes]:
    """A fresh TLS authority as (private key DER, certificate PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"{name} TLS")
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = (
        _builder(subject, subject, key.public_key(), today, TLS_AUTHORITY.last_day(today))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _der(key), _pem(builder.sign(key, hashes.SHA256()))


def new_server(authority_key: bytes, authority_pem: bytes, hosts: tuple[str, ...], today: date) -> tuple[bytes, bytes]:
    """A server certificate for these host names and addresses, as (private key PEM, certificate PEM)."""
    signer = serialization.load_der_private_key(authority_key, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(authority_pem)
    key = ec.generate_private_key(ec.SECP256R1())
    served = dict.fromkeys((*hosts, *ALWAYS_SERVED))
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = (
        _builder(_name(hosts[0]), issuer.subject, key.public_key(), today, TLS_SERVER.last_day(today))
        .add_extension(x509.SubjectAlternativeName([_alternative(h) for h in served]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(purpose, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
    )
    return _private_pem(key), _pem(builder.sign(signer, hashes.SHA256()))


def last_day(certificate_pem: bytes) -> date:
    """The day a certificate runs out."""
    return x509.load_pem_x509_certificate(certificate_pem).not_valid_after_utc.date()


def write_private(path: Path, content: bytes) -> None:
    """Write a secret file that only its owner can read, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, today: date, until: date
) -> x509.CertificateBuilder:
    # Begins a day early: a station's clock that is some hours slow must still find it in force.
    begin = datetime.combine(today - timedelta(days=1), time_of_day(), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(datetime.combine(until, time_of_day(), UTC))
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
