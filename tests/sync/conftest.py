# SPDX-License-Identifier: Apache-2.0
"""A county in miniature over each transport, and what stands between a station and its hub in the tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from schema.clock import SystemClock
from sync.hub.inbox import Inbox, Node
from sync.hub.server import SyncServer
from sync.wire.transport import InProcess
from sync.wire.transport_http import Http
from tests.sync.county import HttpHub, World
from tests.sync.forging import Hub
from tests.sync.moving import A, B, settled


@pytest.fixture
def tls_files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """(ca.pem, server.pem, server.key) of a throw-away authority."""
    now = SystemClock().now()

    def make(name: str, issuer: Any, issuer_key: Any, key: Any, *, is_ca: bool) -> Any:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        if is_ca:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = make("test authority", None, ca_key, ca_key, is_ca=True)
    server = make("hub", ca.subject, ca_key, key, is_ca=False)
    files = (tmp_path / "ca.pem", tmp_path / "server.pem", tmp_path / "server.key")
    files[0].write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(server.public_bytes(serialization.Encoding.PEM))
    files[2].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A county whose stations reach the hub in the same process."""
    made = World(tmp_path, InProcess)
    yield made
    made.close()


@pytest.fixture(params=["in_process", "http", "https"])
def carried_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same county over each transport."""
    if request.param == "in_process":
        made = World(tmp_path, InProcess)
        yield made
        made.close()
        return
    ca, certificate, key = request.getfixturevalue("tls_files")
    tls = (certificate, key) if request.param == "https" else None
    opened: list[Http] = []

    def carry(server: SyncServer) -> Http:
        opened.append(Http(hub.url, ca if tls else None))
        return opened[-1]

    made = World(tmp_path, carry)
    hub = HttpHub(made.server, tls)
    yield made
    for transport in opened:
        transport.close()
    hub.stop()
    made.close()


@pytest.fixture
def hub(world: Any) -> Hub:
    station = world.station()
    station.sync()
    box = Inbox(world.hub, world.hub_key, world.clock, lambda pub, fact: world.intake(pub, fact))
    public = station.key.public_key().public_bytes_raw()
    return world, station, box, Node(station.name, station.epoch, public, station.site, station.slices)


@pytest.fixture
def two(world: Any) -> tuple[Any, Any, Any, bytes]:
    """Two townships with a station each, and a person of the first that the station there has."""
    a, b = world.station("0100-1", (A,)), world.station("0101-1", (B,))
    person = settled(world)
    a.sync()
    b.sync()
    return world, a, b, person
