# SPDX-License-Identifier: Apache-2.0
"""A bad line in user space: a TCP proxy on loopback with a rate, a delay and what loss makes of a TCP stream.

A proxy of bytes cannot lose a segment: TCP would send it again, and the reader would see a pause. So that is what it
models. Each 1,400 bytes are a segment; with probability `loss` one is lost and the stream stands still for a
retransmission time-out, which doubles while the same segment is lost again. Now and then the connection is reset. All
times are divided by `speed`, so that a test need not wait; the transport is told the same factor.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from dataclasses import dataclass
from queue import SimpleQueue

SEGMENT_BYTES = 1_400
FIRST_TIMEOUT_S = 3.0  # RFC 6298 for a round trip of 2 s that varies little
LONGEST_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Shape:
    """16 kbit/s each way, 2 s there and back, one segment in five lost."""

    bytes_per_s: float = 2_000.0
    round_trip_s: float = 2.0
    loss: float = 0.2
    reset_chance: float = 0.002  # per segment


class BadLine:
    """Forwards a port to `target`; counts bytes, pauses and resets. Stops with `close`."""

    def __init__(self, target: int, shape: Shape, *, speed: float = 1.0, seed: int = 1) -> None:
        self._target, self._shape, self._speed = target, shape, speed
        self._rng, self._lock = random.Random(seed), threading.Lock()
        self._ends: list[socket.socket] = []
        self.carried = self.lost = self.resets = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections and drop those there are."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for end in self._ends:
            end.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            try:
                hub = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._ends += [client, hub]
            for source, sink in ((client, hub), (hub, client)):
                arrived: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
                threading.Thread(target=self._carry, args=(source, sink, arrived), daemon=True).start()
                threading.Thread(target=self._deliver, args=(source, sink, arrived), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, arrived: SimpleQueue[tuple[float, bytes]]) -> None:
        """Take segments off the sender as fast as the line takes them."""
        try:
            while data := source.recv(SEGMENT_BYTES):
                self._wait(len(data) / self._shape.bytes_per_s)
                self._stand_still()
                with self._lock:
                    self.carried += len(data)
                    broken = self._rng.random() < self._shape.reset_chance
                    self.resets += broken
                if broken:
                    break
                arrived.put((time.monotonic() + self._shape.round_trip_s / 2 / self._speed, data))
        except OSError:
            pass
        arrived.put((0.0, b""))

    def _deliver(self, source: socket.socket, sink: socket.socket, arrived: SimpleQueue[tuple[float, bytes]]) -> None:
        """Hand them on when they have been under way for half a round trip."""
        while True:
            at, data = arrived.get()
            time.sleep(max(0.0, at - time.monotonic()))
            try:
                if not data:
                    break
                sink.sendall(data)
            except OSError:
                break
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _stand_still(self) -> None:
        pause = FIRST_TIMEOUT_S
        while True:
            with self._lock:
                gone = self._rng.random() < self._shape.loss
                self.lost += gone
            if not gone:
                return
            self._wait(pause)
            pause = min(2 * pause, LONGEST_TIMEOUT_S)

    def _wait(self, seconds: float) -> None:
        time.sleep(seconds / self._speed)
