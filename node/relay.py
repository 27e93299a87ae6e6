# SPDX-License-Identifier: Apache-2.0
"""This station as a neighbour that carries others' bundles, and the listener for them: off unless switched on.

The listener speaks one route (`sync.courier.relay`), on a port of its own, never the pages'. It is given
sealed files: what lies in the folder `relay/` nobody here can read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from node import cases
from node.station import Station
from schema.errors import ConfigError
from schema.web.server import Lane, Server
from sync.courier.bundle import CARRIED_MAX_BYTES
from sync.courier.node import Node
from sync.courier.relay import Mailbox, RelayServer
from sync.wire.transport import Request

FOLDER = "relay"
THREADS, PLACES = 2, 16
STOP_S = 10.0


def courier_node(station: Station) -> Node:
    """What a station brings to an exchange without a line of its own."""
    return Node(
        station.store,
        station.secrets.signing,
        station.certificate,
        bytes.fromhex(station.config.hub_public),
        station.clock,
        cases.receive,
    )


def mailbox(station: Station) -> Mailbox:
    """Where neighbours' bundles wait."""
    authority = bytes.fromhex(station.config.authority_public)
    return Mailbox(station.home.path / FOLDER, authority, station.clock)


class Listener:
    """Takes neighbours' bundles while the station runs. `arrived` is told of each."""

    def __init__(self, station: Station, arrived: Callable[[], None]) -> None:
        """Raises ConfigError when the address in station.toml cannot be had."""
        host, _, port = station.config.relay_listen.rpartition(":")
        application = _application(RelayServer(mailbox(station), arrived))
        self._server = Server(
            application, host, int(port), None, lanes=(Lane("", THREADS, PLACES),), body_max_bytes=CARRIED_MAX_BYTES
        )
        try:
            _, self.port = self._server.prepare()
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"relay_listen {host}:{port} 打不开：{error}。请核对本机地址和端口",
                f"relay_listen {host}:{port} cannot be opened: {error}. Check address and port",
            ) from error
        self._thread = threading.Thread(target=self._server.serve, name="relay", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """No more."""
        self._server.stop()
        self._thread.join(STOP_S)


def _application(server: RelayServer) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        headers = {name[5:].replace("_", "-").lower(): v for name, v in environ.items() if name.startswith("HTTP_")}
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        body = environ["wsgi.input"].read(CARRIED_MAX_BYTES + 1)
        said = server.handle(Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, headers, body))
        start(f"{said.status} {HTTPStatus(said.status).phrase}", list(said.headers.items()))
        return [said.body]

    return answer
