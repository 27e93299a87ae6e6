# SPDX-License-Identifier: Apache-2.0
"""The hub's server: pages and stations' API over TLS in one process.

TLS 1.2 is the oldest spoken; the certificate is the one that provisioning made under the county's own authority, and
renewed files are read at the next start.
"""

from __future__ import annotations

import ssl

from flask import Flask

from hub.context import Hub
from schema.errors import ConfigError
from schema.sheets import MIB, WEB
from schema.web.frame import BODY_MAX_BYTES
from schema.web.server import Lane, Server

# Stations and people do not take each other's threads. A frame at work holds the one writer's place in the queue, so
# more threads for stations would only wait; its places bound what their bodies may take of memory (600 KiB each).
LANES = (Lane("/s1/", threads=4, places=128), Lane("", threads=12, places=64))


def make_server(hub: Hub, app: Flask, host: str | None = None, port: int | None = None) -> Server:
    """The server, not yet listening. Raises ConfigError when the TLS files are missing or do not fit together."""
    return Server(
        app,
        host or hub.config.host,
        hub.config.port if port is None else port,
        _tls(hub),
        lanes=LANES,
        # A register sent for import is the largest; what is larger than a page may be, the pages refuse in words.
        body_max_bytes=max(BODY_MAX_BYTES, WEB.bytes_max) + 2 * MIB,
    )


def listen(server: Server) -> str:
    """Bind and listen; the address it answers at. Raises ConfigError when the port is taken or the host is not ours."""
    try:
        host, port = server.prepare()
    except OSError as error:
        host, port = server.address
        raise ConfigError(
            f"{host}:{port} 打不开：{error}。端口被占用，或主机名不是本机的。可用 --host、--port 另选",
            f"cannot listen on {host}:{port}: {error}. Taken, or not our host: choose another with --host, --port",
        ) from error
    return f"https://{host}:{port}"


def _tls(hub: Hub) -> ssl.SSLContext:
    certificate, key = hub.home.server_certificate, hub.home.server_key
    for path in (certificate, key):
        if not path.is_file():
            raise ConfigError(
                f"没有找到 {path}。请先用 township-provision init-hub 建中心",
                f"{path} not found: make the hub with township-provision init-hub first",
            )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(str(certificate), str(key))
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"TLS 证书和密钥打不开或不成对：{certificate}",
            f"the TLS certificate and key cannot be read or do not fit together: {certificate}",
        ) from error
    return context
