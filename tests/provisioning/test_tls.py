# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from provisioning import tls
from schema.clock import SystemClock


def _serve_once(folder: Path, name: str) -> tuple[int, threading.Thread]:
    today = SystemClock().today()
    key, authority = tls.new_authority(name, today)
    server_key, server = tls.new_server(key, authority, ("127.0.0.1",), today)
    (folder / f"{name}-ca.pem").write_bytes(authority)
    (folder / f"{name}.pem").write_bytes(server)
    tls.write_private(folder / f"{name}.key", server_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listener, listener.accept()[0] as raw:
            try:
                with context.wrap_socket(raw, server_side=True) as wrapped:
                    wrapped.sendall(b"hub")
            except (ssl.SSLError, OSError):
                return  # the client refused us, which is what one test wants

    thread = threading.Thread(target=answer)
    thread.start()
    return listener.getsockname()[1], thread


def _read(port: int, ca_file: Path) -> bytes:
    context = ssl.create_default_context(cafile=str(ca_file))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as wrapped,
    ):
        return wrapped.recv(10)


def test_a_client_that_trusts_the_authority_reaches_the_server(tmp_path: Path) -> None:
    port, thread = _serve_once(tmp_path, "one")
    assert _read(port, tmp_path / "one-ca.pem") == b"hub"
    thread.join()


def test_a_client_with_another_countys_authority_refuses_the_server(tmp_path: Path) -> None:
    port, thread = _serve_once(tmp_path, "one")
    (tmp_path / "two-ca.pem").write_bytes(tls.new_authority("two", SystemClock().today())[1])
    with pytest.raises(ssl.SSLCertVerificationError):
        _read(port, tmp_path / "two-ca.pem")
    thread.join()


def test_a_private_file_is_never_overwritten(tmp_path: Path) -> None:
    tls.write_private(tmp_path / "key", b"first")
    with pytest.raises(FileExistsError):
        tls.write_private(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"
