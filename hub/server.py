# SPDX-License-Identifier: Apache-2.0
"""The hub's server: pages and stations' API over TLS in one process.

TLS 1.2 is the oldest spoken; the certificate is the one that provisioning made under the county's own authority, and
renewed files are read at the next start.
"""

from __future__ import annotations

import logging
import ssl
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from flask import Flask

from hub.context import Hub
from hub.importing.reading import MIB, WEB
from schema.errors import ConfigError
from schema.web.frame import BODY_MAX_BYTES

log = logging.getLogger("township.hub")
THREADS = 16
REQUEST_TIMEOUT_S = 60
SHUTDOWN_TIMEOUT_S = 5


class _Server(Server):
    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """What the server says goes where everything goes, and loses what an exception quotes."""
        log.log(level, "%s", msg, exc_info=traceback)


def make_server(hub: Hub, app: Flask, host: str | None = None, port: int | None = None) -> Server:
    """The server, not yet listening. Raises ConfigError when the TLS files are missing or do not fit together."""
    bind = (host or hub.config.host, hub.config.port if port is None else port)
    server = _Server(
        bind,
        app,
        numthreads=THREADS,
        server_name=bind[0],
        timeout=REQUEST_TIMEOUT_S,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
    )
    # A register sent for import is the largest; what is larger than a page may be, the pages refuse in words.
    server.max_request_body_size = max(BODY_MAX_BYTES, WEB.bytes_max) + 2 * MIB
    server.ssl_adapter = _tls(hub)
    return server


def listen(server: Any) -> str:
    """Bind and listen; the address it answers at. Raises ConfigError when the port is taken or the host is not ours."""
    try:
        server.prepare()
    except OSError as error:
        host, port = server.bind_addr
        raise ConfigError(
            f"{host}:{port} 打不开：{error}。端口被占用，或主机名不是本机的。可用 --host、--port 另选",
            f"cannot listen on {host}:{port}: {error}. Taken, or not our host: choose another with --host, --port",
        ) from error
    host, port = server.bind_addr
    return f"https://{host}:{port}"


def _tls(hub: Hub) -> BuiltinSSLAdapter:
    certificate, key = hub.home.server_certificate, hub.home.server_key
    for path in (certificate, key):
        if not path.is_file():
            raise ConfigError(
                f"没有找到 {path}。请先用 township-provision init-hub 建中心",
                f"{path} not found: make the hub with township-provision init-hub first",
            )
    try:
        adapter = BuiltinSSLAdapter(str(certificate), str(key))
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"TLS 证书和密钥打不开或不成对：{certificate}",
            f"the TLS certificate and key cannot be read or do not fit together: {certificate}",
        ) from error
    adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
    return adapter
