# SPDX-License-Identifier: Apache-2.0
"""HTTPS to the county's own authority and no other; bounded answers; silence is not success."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from schema.errors import ConfigError, Unreachable
from sync.courier.bundle import CARRIED_MAX_BYTES
from sync.wire import frame, transport_http
from sync.wire.transport import Broken
from sync.wire.transport_http import Http
from tests.sync.county import HttpHub


class Raw:
    """A server that answers every connection with the same bytes, or with silence."""

    def __init__(self, answer: bytes | None) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.answer = answer
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        try:
            peer, _ = self.socket.accept()
        except OSError:
            return
        with peer:
            peer.recv(65536)
            if self.answer is None:
                self.done.wait(5)
            else:
                with contextlib.suppress(OSError):
                    peer.sendall(self.answer)

    def stop(self) -> None:
        self.done.set()
        self.socket.close()
        self.thread.join()


@pytest.fixture
def raw() -> Iterator[Any]:
    opened: list[Raw] = []

    def start(answer: bytes | None) -> Raw:
        opened.append(Raw(answer))
        return opened[-1]

    yield start
    for server in opened:
        server.stop()


def ask(http: Http) -> Any:
    try:
        return http.request("GET", "/s1/x", {}, {}, b"")
    finally:
        http.close()


def test_a_server_of_another_authority_is_not_spoken_to(
    world: Any, tls_files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    hub = HttpHub(world.server, (tls_files[1], tls_files[2]))
    try:
        with pytest.raises(Unreachable) as refused:
            ask(Http(hub.url, None))
    finally:
        hub.stop()
    assert refused.value.code == "tls"
    assert "证书" in refused.value.zh


def test_a_missing_authority_file_is_named() -> None:
    with pytest.raises(ConfigError) as refused:
        Http("https://127.0.0.1", "/nowhere/ca.pem")
    assert "/nowhere/ca.pem" in refused.value.en


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable) as refused:
        ask(Http(f"http://127.0.0.1:{port}", None))
    assert refused.value.code == "unreachable"


def test_silence_ends_in_a_time_out(raw: Any) -> None:
    with pytest.raises(Unreachable) as refused:
        ask(Http(raw(None).url, None, timeout=httpx.Timeout(0.1)))
    assert refused.value.code == "timeout"


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n"],
    ids=["closed", "cut body", "nonsense", "cut head"],
)
def test_a_broken_answer_is_no_answer(raw: Any, answer: bytes) -> None:
    with pytest.raises(Unreachable):
        ask(Http(raw(answer).url, None))


def test_an_endless_answer_is_not_swallowed(raw: Any) -> None:
    body = bytes(CARRIED_MAX_BYTES + 10)
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()

    with pytest.raises(Unreachable) as refused:
        ask(Http(raw(head + body).url, None))

    assert refused.value.code == "size"


def test_a_redirect_is_an_answer_and_not_followed(raw: Any) -> None:
    answer = ask(Http(raw(b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n").url, None))
    assert answer.status == 302


def test_a_body_past_the_limit_is_refused_by_the_server_unread(world: Any) -> None:
    hub = HttpHub(world.server)
    http = Http(hub.url, None)
    try:
        answer = http.request("POST", "/s1/hello", {}, {}, bytes(frame.MAX_FRAME + 1))
    finally:
        http.close()
        hub.stop()
    assert answer.status == 413


def test_a_bad_gateway_is_shown_as_such_and_may_pass(world: Any, raw: Any) -> None:
    http = Http(raw(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\n\r\n<html>").url, None)
    station = world.station()

    report = station.sync(http)
    http.close()

    assert (report.ok, report.error_code) == (False, "http_502")
    assert station.rows("SELECT value FROM link WHERE name = 'state'") == [("down",)]


def test_the_wait_is_what_was_allowed_in_seconds_of_the_line(raw: Any) -> None:
    http = Http(raw(None).url, None, speed=100.0)
    http.allow(10.0)
    with pytest.raises(Broken) as refused:
        ask(http)
    assert refused.value.code == "timeout"


def test_a_line_that_breaks_within_an_answer_says_how_much_had_come(raw: Any) -> None:
    with pytest.raises(Broken) as refused:
        ask(Http(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort").url, None))
    assert (refused.value.code, refused.value.received) == ("unreachable", 5)


def test_nobody_there_is_no_broken_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable) as refused:
        ask(Http(f"http://127.0.0.1:{port}", None))
    assert not isinstance(refused.value, Broken)


def test_an_answer_that_never_ends_is_given_up(raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_http, "LONGEST_S", -1.0)
    with pytest.raises(Broken) as refused:
        ask(Http(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ndrip").url, None))
    assert refused.value.code == "timeout"
