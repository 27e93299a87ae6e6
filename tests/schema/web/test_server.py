# SPDX-License-Identifier: Apache-2.0
"""The server for slow lines: who is silent or slow costs a socket, never somebody else's turn."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from asyncio import sslproto
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from provisioning import tls
from schema.web.server import Lane, Server

LIMIT = 100_000


class App:
    """Says what it was asked; `/hold…` waits until the test lets it go."""

    def __init__(self) -> None:
        self.go_on, self.held = threading.Event(), threading.Semaphore(0)
        self.seen: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        self.seen.append(environ)
        if "/hold" in environ["PATH_INFO"]:
            self.held.release()
            self.go_on.wait(20)
        start("200 OK", [("Content-Type", "text/plain"), ("X-Twice", "a"), ("X-Twice", "b")])
        return [environ["PATH_INFO"].encode("latin-1"), b" ", str(len(body)).encode()]


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def serve(app: App) -> Iterator[Callable[..., Server]]:
    running: list[tuple[Server, threading.Thread]] = []

    def start(context: ssl.SSLContext | None = None, *lanes: Lane) -> Server:
        lanes = lanes or (Lane("/s1/", 1, 2), Lane("", 2, 4))
        server = Server(app, "127.0.0.1", 0, context, lanes=lanes, body_max_bytes=LIMIT)
        server.prepare()
        thread = threading.Thread(target=server.serve)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    app.go_on.set()
    for server, thread in running:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def url(server: Server, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.address[1]}{path}"


def get(server: Server, path: str = "/", **more: Any) -> httpx.Response:
    return httpx.request(more.pop("method", "GET"), url(server, path), trust_env=False, timeout=20, **more)


def connect(server: Server, first_words: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", server.address[1]), timeout=20)
    made.sendall(first_words)
    return made


@pytest.fixture
def context(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """The server's side, and the authority's file for a client."""
    key, authority = tls.new_authority("test", date(2026, 11, 1))
    server_key, certificate = tls.new_server(key, authority, ("127.0.0.1",), date(2026, 11, 1))
    for name, content in (("ca", authority), ("crt", certificate), ("key", server_key)):
        (tmp_path / name).write_bytes(content)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(str(tmp_path / "crt"), str(tmp_path / "key"))
    return made, tmp_path / "ca"


def test_lines_that_are_silent_before_the_greeting_keep_nobody_out(
    serve: Callable[..., Server], context: tuple[ssl.SSLContext, Path]
) -> None:
    server = serve(context[0])
    silent = [connect(server) for _ in range(20)]
    trusted = ssl.create_default_context(cafile=str(context[1]))
    answer = httpx.get(url(server).replace("http:", "https:"), verify=trusted, trust_env=False, timeout=10)
    assert answer.status_code == 200
    for line in silent:
        line.close()


def test_bodies_that_trickle_in_take_no_thread(serve: Callable[..., Server], app: App) -> None:
    server = serve(None, Lane("", 1, 50))
    begun = b"POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc"
    trickling = [connect(server, begun) for _ in range(20)]
    assert get(server, "/quick").text == "/quick 0"
    assert [e["PATH_INFO"] for e in app.seen] == ["/quick"]
    for line in trickling:
        line.sendall(b"x" * 997)
        assert b"/slow 1000" in _all_of(line)


def test_a_lane_that_is_full_sheds_load_and_the_other_goes_on(serve: Callable[..., Server], app: App) -> None:
    server = serve()
    held = [connect(server, b"GET /s1/hold HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") for _ in range(2)]
    app.held.acquire(timeout=20)  # one at work, one in line: both places are taken
    refused = _until(lambda: get(server, "/s1/more"), lambda answer: answer.status_code == 503)
    assert refused.json() == {"code": "overload"} and int(refused.headers["retry-after"]) > 0
    assert get(server, "/page").status_code == 200
    app.go_on.set()
    assert all(b"200 OK" in _all_of(line) for line in held)
    assert get(server, "/s1/more").status_code == 200


@pytest.mark.parametrize("stated", [True, False])
def test_a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not(
    serve: Callable[..., Server], app: App, stated: bool
) -> None:
    server = serve()
    content: Any = b"x" * (LIMIT + 1) if stated else iter([b"x" * 1000] * (LIMIT // 1000 + 2))
    try:
        assert get(server, method="POST", content=content).status_code == 413
    except httpx.WriteError:
        assert not stated  # the answer came before the body was all out, and the line was closed
    assert not app.seen


def test_the_application_sees_the_request_as_it_was(serve: Callable[..., Server], app: App) -> None:
    server = serve()
    cookies = [("cookie", "a=1"), ("cookie", "b=2"), ("x-many", "1"), ("x-many", "2")]
    path = "/%E5%B5%8A%E5%B7%9E?q=%E5%B5%8A"
    answer = get(server, path, method="PUT", content=iter([b"12", b"345"]), headers=[*cookies, ("content-type", "t/x")])
    seen = app.seen[0]
    assert seen["PATH_INFO"].encode("latin-1").decode() == "/嵊州"
    assert seen["QUERY_STRING"] == "q=%E5%B5%8A"
    assert (seen["HTTP_COOKIE"], seen["HTTP_X_MANY"]) == ("a=1; b=2", "1,2")
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"]) == ("t/x", "5")
    assert seen["REMOTE_ADDR"] == "127.0.0.1" and seen["wsgi.url_scheme"] == "http"
    assert "HTTP_TRANSFER_ENCODING" not in seen
    assert answer.headers.get_list("x-twice") == ["a", "b"]
    assert "server" not in answer.headers


def test_rubbish_and_cut_requests_are_no_news_to_the_next_one(serve: Callable[..., Server]) -> None:
    server = serve()
    for words in (b"\x16\x03\x01rubbish\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nHost: h\r\n"):
        connect(server, words).close()
    cut = connect(server, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nab")
    cut.close()
    assert get(server, method="HEAD").content == b""
    assert get(server).status_code == 200


def test_what_is_being_worked_on_is_finished_before_the_server_ends(serve: Callable[..., Server], app: App) -> None:
    server = serve()
    line = connect(server, b"GET /hold HTTP/1.1\r\nHost: h\r\n\r\n")
    app.held.acquire(timeout=20)
    server.stop()
    threading.Timer(0.2, app.go_on.set).start()
    assert b"/hold 0" in _all_of(line)


def _all_of(line: socket.socket) -> bytes:
    """What comes until the body's end. Head and body come one by one, and " 0" may stand in the head's date."""
    data = b""
    while not data.partition(b"\r\n\r\n")[2].strip().endswith((b" 0", b" 1000", b"\r\n0")):
        part = line.recv(65536)
        if not part:
            break
        data += part
    line.close()
    return data


def _until(act: Callable[[], httpx.Response], good: Callable[[httpx.Response], bool]) -> httpx.Response:
    for _ in range(200):
        answer = act()
        if good(answer):
            return answer
    raise AssertionError(answer)


def test_a_connection_sends_the_body_without_waiting_until_the_head_is_acknowledged(app: App) -> None:
    server = Server(app, "127.0.0.1", 0, None, body_max_bytes=LIMIT)
    server.prepare()
    assert server._socket is not None
    with server._socket as listening, connect(server):
        came, _ = listening.accept()
        with came:
            assert came.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_tls_connection_keeps_little_memory(
    serve: Callable[..., Server], context: tuple[ssl.SSLContext, Path]
) -> None:
    """Hundreds of stations are connected at once after an outage."""
    server = serve(context[0])
    trusted = ssl.create_default_context(cafile=str(context[1]))
    with httpx.Client(verify=trusted, trust_env=False, timeout=20) as client:
        assert client.get(f"https://127.0.0.1:{server.address[1]}/").status_code == 200
        kept = [len(o._ssl_buffer) for o in gc.get_objects() if isinstance(o, sslproto.SSLProtocol)]
    assert kept
    assert max(kept) <= 64 * 1024
