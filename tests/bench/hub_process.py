# SPDX-License-Identifier: Apache-2.0
"""A hub in a process of its own behind TLS, every byte on its line counted and every request written down."""

from __future__ import annotations

import multiprocessing
import os
import socket
import ssl
import threading
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from provisioning import tls
from schema import database
from schema.clock import SystemClock
from schema.database import Store
from sync.wire.transport import Request, Response
from sync.wire.transport_http import Http
from tests.sync.county import HttpHub, World

# Fork: the child inherits the county with its keys. Databases are closed before, and opened again by each process.
FORK = multiprocessing.get_context("fork")


class Meter:
    """A port that forwards to another and counts the bytes of both directions: what a line would have to carry."""

    def __init__(self, port: int, counters: Any) -> None:
        self._target, self._counters = port, counters
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._socket.accept()
            hub = socket.create_connection(("127.0.0.1", self._target))
            for place, ends in enumerate(((client, hub), (hub, client))):
                for end in ends:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(place, *ends), daemon=True).start()

    def _pump(self, place: int, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                with self._counters.get_lock():
                    self._counters[place] += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            sink.close()


class Noted:
    """Hands requests on and notes each frame's address: a frame pushed or a page asked for."""

    def __init__(self, inner: Any, file: Path) -> None:
        self._inner, self._file = inner, file
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        after = "".join(request.query.get(name, "") for name in ("chan", "after", "from"))
        with self._lock, self._file.open("a") as out:
            out.write(f"{request.method} {request.path} {after}\n")
        return self._inner.handle(request)


class WithAPage:
    """The stations' API and one page: somebody looks at the stations and saves a setting."""

    def __init__(self, inner: Any, store: Store) -> None:
        self._inner, self._store = inner, store

    def handle(self, request: Request) -> Response:
        if request.path != "/page":
            return self._inner.handle(request)
        with self._store.read() as db:
            seen = db.execute("SELECT count(*) FROM node_record WHERE last_equal_at IS NOT NULL").fetchone()[0]
        with self._store.write() as db:
            database.set_setting(db, "page", request.body)
        return Response(200, {}, str(seen).encode())


def _is_range(line: str) -> bool:
    """Whether a noted request asks for bytes of a snapshot, not only what it is."""
    return "/snapshot/" in line and line.split(" ")[2] != ""


class HubProcess:
    """The county's hub, running until `stop`."""

    def __init__(self, world: World) -> None:
        self.folder = world.folder
        self.log = world.folder / "requests"
        self._counters = FORK.Array("Q", 2)
        self._files = self._tls_files()
        ours, theirs = FORK.Pipe()
        self._ended = FORK.Event()
        world.close()
        self._process = FORK.Process(target=self._serve, args=(world, theirs, self._ended), daemon=True)
        self._process.start()
        self.url = f"https://127.0.0.1:{ours.recv()}"

    def transport(self) -> Http:
        """A line of its own, TLS verified."""
        return Http(self.url, self._files[0])

    @property
    def ca_file(self) -> Path:
        """The authority that signed its certificate."""
        return self._files[0]

    def trust(self) -> ssl.SSLContext:
        """What a browser of the county trusts."""
        return ssl.create_default_context(cafile=str(self._files[0]))

    def peak_rss_mb(self) -> int:
        """The most memory the hub's process has held so far, in MiB, where the system tells."""
        status = Path(f"/proc/{self._process.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)

    def wire_bytes(self) -> int:
        """Bytes so far, both ways, TLS and HTTP included; TCP/IP headers not."""
        return sum(self._counters)

    def cpu_s(self) -> float:
        """CPU seconds of the hub's process so far, where the system tells."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        fields = stat.read_text().rpartition(")")[2].split() if stat.exists() else []
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def frames(self) -> list[str]:
        """Addresses of all frames pushed, pages and ranges of a snapshot asked for, in order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.startswith("PUT") or "/feed/" in line or _is_range(line)]

    def stop(self) -> None:
        """End the process."""
        self._ended.set()
        self._process.join()

    def _serve(self, world: World, pipe: Any, ended: Event) -> None:
        answering = WithAPage(Noted(world.server, self.log), world.hub)
        server = HttpHub(answering, (self._files[1], self._files[2]))  # type: ignore[arg-type]
        pipe.send(Meter(server.port, self._counters).port)
        ended.wait()
        server.stop()
        world.hub.close()

    def _tls_files(self) -> tuple[Path, Path, Path]:
        today = SystemClock().today()
        authority_key, authority = tls.new_authority("bench", today)
        files = tuple(self.folder / name for name in ("ca.pem", "server.pem", "server.key"))
        key, certificate = tls.new_server(authority_key, authority, ("127.0.0.1",), today)
        for path, content in zip(files, (authority, certificate, key), strict=True):
            path.write_bytes(content)
        return files[0], files[1], files[2]
