# SPDX-License-Identifier: Apache-2.0
"""The hub over TLS: real sockets, the county's own authority, words when it cannot start."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import httpx
import pytest

from hub.app import create_app
from hub.context import Hub
from hub.server import LANES, listen, make_server
from provisioning import tls
from schema.clock import SystemClock
from schema.errors import ConfigError
from tests.hostile.peer import OCTETS, Peer
from tests.hub.county import CHEAP, County


@pytest.fixture
def certified(hub: Hub) -> Hub:
    """The hub with TLS files for this machine, in force now."""
    today = SystemClock().today()
    key, authority = tls.new_authority("test", today)
    server_key, certificate = tls.new_server(key, authority, ("127.0.0.1",), today)
    hub.home.tls.mkdir()
    for path, content in (
        (hub.home.ca_file, authority),
        (hub.home.server_certificate, certificate),
        (hub.home.server_key, server_key),
    ):
        path.write_bytes(content)
    return hub


@pytest.fixture
def address(certified: Hub) -> Iterator[str]:
    """A running server's address."""
    server = make_server(certified, create_app(certified, cost=CHEAP), port=0)
    url = listen(server)
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield url
    server.stop()
    thread.join(10)


def test_pages_and_api_are_served_over_tls_with_secure_cookies(county: County, certified: Hub, address: str) -> None:
    trusted = ssl.create_default_context(cafile=str(certified.home.ca_file))
    with httpx.Client(base_url=address, verify=trusted, trust_env=False) as client:
        page = client.get("/login")
        assert page.status_code == 200
        assert "secure" in page.headers["set-cookie"].lower()
        assert "strict-transport-security" in page.headers
        assert client.post("/s1/hello", content=b"x").json()["code"]


def test_pages_open_while_stations_wait_for_a_long_merge(county: County, certified: Hub, address: str) -> None:
    """More greetings than the stations' lane has threads, all behind one writer; a page needs none of them."""
    peer = Peer(county, create_app(certified, cost=CHEAP).test_client())
    trusted = ssl.create_default_context(cafile=str(certified.home.ca_file))
    answers: list[int] = []

    def greet() -> None:
        with httpx.Client(base_url=address, verify=trusted, trust_env=False, timeout=60) as line:
            said = line.post("/s1/hello", content=peer.hello_body(), headers={"content-type": OCTETS})
        answers.append(said.status_code)

    with httpx.Client(base_url=address, verify=trusted, trust_env=False, timeout=20) as client:
        with certified.store.merging():
            stations = [threading.Thread(target=greet) for _ in range(3 * LANES[0].threads)]
            for station in stations:
                station.start()
            for _ in range(5):
                assert client.get("/login").status_code == 200
            assert answers == []
        for station in stations:
            station.join()
    assert answers == [200] * len(stations)


def test_a_client_that_does_not_trust_the_county_is_not_served(county: County, address: str) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/login", trust_env=False)


def test_nothing_older_than_tls_1_2_is_spoken(certified: Hub) -> None:
    server = make_server(certified, create_app(certified, cost=CHEAP), port=0)
    assert server.context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_missing_tls_files_are_said_with_the_remedy(hub: Hub) -> None:
    with pytest.raises(ConfigError, match="init-hub"):
        make_server(hub, create_app(hub, cost=CHEAP))


def test_a_key_that_does_not_fit_its_certificate_is_said(certified: Hub) -> None:
    key, authority = tls.new_authority("other", certified.clock.today())
    other, _ = tls.new_server(key, authority, ("127.0.0.1",), certified.clock.today())
    certified.home.server_key.write_bytes(other)
    with pytest.raises(ConfigError, match="do not fit together"):
        make_server(certified, create_app(certified, cost=CHEAP))


def test_a_port_in_use_is_said(certified: Hub) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = make_server(certified, create_app(certified, cost=CHEAP), port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="cannot listen"):
            listen(server)
