# SPDX-License-Identifier: Apache-2.0
"""A line of bytes that is cut, reset and delayed at any byte: it carries TLS and knows nothing of it."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

CHUNK = 2048
# Where in a connection it breaks: in the handshake, in a small answer, in a page.
FARTHEST = 30_000
MOODS = ("clean", "cut up", "cut down", "reset", "slow")


@dataclass
class Proxy:
    """Carries connections from `port` to the hub's port. `badness` 0..1: how many of them meet a fault."""

    target: int
    rng: random.Random
    badness: float = 0.0
    fired: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.threads: list[threading.Thread] = []
        self.spawn(self._accept)

    def spawn(self, work: Callable[..., None], *given: Any) -> None:
        """Run it in a thread that `close` waits for."""
        thread = threading.Thread(target=work, args=given, daemon=True)
        self.threads.append(thread)
        thread.start()

    def close(self) -> None:
        """No new connections; those under way end with the programs at their ends."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self.threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            with self.lock:
                mood = self.rng.choice(MOODS[1:]) if self.rng.random() < self.badness else MOODS[0]
                limit = self.rng.randrange(1, FARTHEST)
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                near.close()
                continue
            _Carried(self, near, far, mood, limit).start()


@dataclass
class _Carried:
    """One connection with its fate."""

    proxy: Proxy
    near: socket.socket
    far: socket.socket
    mood: str
    limit: int
    ways_open: int = 2

    def start(self) -> None:
        """Carry both ways, each in a thread."""
        for source, sink, way in ((self.near, self.far, "up"), (self.far, self.near, "down")):
            self.proxy.spawn(self._carry_and_close, source, sink, way)

    def _carry_and_close(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        self._carry(source, sink, way)
        with self.proxy.lock:
            self.ways_open -= 1
            last = self.ways_open == 0
        if last:
            self.near.close()
            self.far.close()

    def _carry(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        carried = 0
        with suppress(OSError):
            while data := source.recv(CHUNK):
                room = self.limit - carried
                if self._breaks(way) and len(data) >= room:
                    sink.sendall(data[:room])
                    self._break()
                    return
                if self.mood == "slow":
                    self.proxy.fired["slow"] += 1
                    time.sleep(0.02)
                sink.sendall(data)
                carried += len(data)
            sink.shutdown(socket.SHUT_WR)

    def _breaks(self, way: str) -> bool:
        return self.mood in (f"cut {way}", "reset")

    def _break(self) -> None:
        self.proxy.fired[self.mood] += 1
        for end in (self.near, self.far):
            with suppress(OSError):
                if self.mood == "reset":
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.close()
                else:
                    end.shutdown(socket.SHUT_RDWR)
