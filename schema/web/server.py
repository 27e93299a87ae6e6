# SPDX-License-Identifier: Apache-2.0
"""A server for many slow lines: a request takes a thread only when all of it is here, and gives it back before the
answer has left.

Hundreds of stations on 16 kbit/s need minutes for a frame, and a line that breaks in the middle of a TLS greeting says
nothing for a long time. With a thread per connection a few dozen of them would keep everybody else out; here they cost
a socket each. Connections are kept by uvicorn's event loop; the application is an ordinary WSGI one in a few threads.

A `Lane` keeps its own threads and places for the requests whose path begins with its prefix, so that neither stations
nor people at their pages can take what the others need. A lane that is full answers 503 with Retry-After, before the
body is read.
"""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import ssl
import sys
from asyncio import sslproto
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import uvicorn

log = logging.getLogger("township.server")
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Message = dict[str, Any]

# Silence, not slowness, ends the wait for a body: a lost segment on a bad line costs many seconds.
SILENCE_S = 120.0
KEEP_ALIVE_S = 75
SHUTDOWN_S = 5
TLS_BUFFER_BYTES = 32 * 1024
RETRY_AFTER_S = 30


@dataclass(frozen=True)
class Lane:
    """Requests whose path begins with `prefix`: how many are worked on, and how many are taken in, at once."""

    prefix: str
    threads: int
    places: int


class Server:
    """`prepare` binds, `serve` runs until `stop`, from whatever thread. Without a context it speaks plain HTTP."""

    def __init__(
        self,
        app: Wsgi,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        *,
        lanes: Sequence[Lane] = (Lane("", 8, 64),),
        body_max_bytes: int,
    ) -> None:
        self.context = context
        self.address = (host, port)
        self._buffered = _Buffered(app, lanes, body_max_bytes)
        config = uvicorn.Config(
            self._buffered, http="h11", loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, proxy_headers=False, timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )  # fmt: skip
        config.load()
        config.ssl = context
        # asyncio keeps this much for each TLS connection, whatever comes in: 256 KiB for each of hundreds of stations.
        sslproto.SSLProtocol.max_size = TLS_BUFFER_BYTES
        self._server = uvicorn.Server(config)
        self._socket: socket.socket | None = None

    def prepare(self) -> tuple[str, int]:
        """Bind and listen; the address it answers at. Raises OSError."""
        listening = socket.create_server(self.address, backlog=1024)
        # Head and body of an answer leave one after the other: without this the body waits until the other side has
        # acknowledged the head, 40 ms with most systems. Connections take it over from the socket they come in at.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = listening
        self.address = listening.getsockname()[:2]
        return self.address

    def serve(self) -> None:
        """Answer until `stop`, SIGINT or SIGTERM; what is being worked on is finished first."""
        try:
            self._server.run(sockets=[self._socket] if self._socket else None)
        finally:
            self._buffered.close()

    def stop(self) -> None:
        """Stop soon; `serve` returns when the last answers are out."""
        self._server.should_exit = True


class _Lane:
    """A lane at work."""

    def __init__(self, lane: Lane) -> None:
        self.prefix, self.free = lane.prefix, lane.places
        self.threads = ThreadPoolExecutor(lane.threads, thread_name_prefix=lane.prefix.strip("/") or "pages")


class _Refused(Exception):
    """An answer given without asking the application."""

    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


class _Buffered:
    """ASGI around WSGI: whole requests in, whole answers out."""

    def __init__(self, app: Wsgi, lanes: Sequence[Lane], body_max_bytes: int) -> None:
        self._app, self._body_max_bytes = app, body_max_bytes
        self._lanes = sorted(map(_Lane, lanes), key=lambda lane: -len(lane.prefix))

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        lane = next((lane for lane in self._lanes if scope["path"].startswith(lane.prefix)), None)
        if lane is None or lane.free <= 0:
            await _send(send, *_words(_Refused(503, "overload")))
            return
        lane.free -= 1
        try:
            body = await self._body(scope, receive)
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(lane.threads, _call, self._app, _environ(scope, body))
        except _Refused as refused:
            answer = _words(refused)
        except _Gone:
            return
        finally:
            lane.free += 1
        await _send(send, *answer)

    async def _body(self, scope: Message, receive: Any) -> bytes:
        """All of the body. Raises _Refused when it is too large, _Gone when the other side went silent or away."""
        stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if int(stated) > self._body_max_bytes:
            raise _Refused(413, "size")
        body = bytearray()
        more = True
        while more:
            try:
                message = await asyncio.wait_for(receive(), SILENCE_S)
            except TimeoutError as error:
                raise _Gone from error
            if message["type"] == "http.disconnect":
                raise _Gone
            body += message.get("body", b"")
            if len(body) > self._body_max_bytes:
                raise _Refused(413, "size")
            more = message.get("more_body", False)
        return bytes(body)

    def close(self) -> None:
        """End the threads when they have finished."""
        for lane in self._lanes:
            lane.threads.shutdown(wait=True)


class _Gone(Exception):
    """Nobody is there to be answered."""


Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


def _call(app: Wsgi, environ: dict[str, Any]) -> Answer:
    """Run the application to the end of its answer, in this thread."""
    said: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        said[:] = [int(status.split(" ", 1)[0]), headers]
        return body.extend

    body = bytearray()
    parts = app(environ, start)
    try:
        for part in parts:
            body += part
    finally:
        if close := getattr(parts, "close", None):
            close()
    status, headers = said
    return status, [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers], bytes(body)


def _environ(scope: Message, body: bytes) -> dict[str, Any]:
    """The request as PEP 3333 describes it."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": str((scope.get("server") or ("localhost", 0))[0]),
        "SERVER_PORT": str((scope.get("server") or ("localhost", 0))[1]),
        "REMOTE_ADDR": str((scope.get("client") or ("",))[0]),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        if key in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            continue  # the body is whole: its length is what came
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}" if key in environ else text
    return environ


def _words(refused: _Refused) -> Answer:
    """Said in the stations' form; a browser shows it as it is."""
    body = f'{{"code": "{refused.code}"}}'.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refused.status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    return refused.status, [*headers, (b"connection", b"close")], body


async def _send(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
