# SPDX-License-Identifier: Apache-2.0
"""A reader service of our own with Debian's virtual reader, and cards that behave as badly as real ones.

The service is the real pcscd with a folder, a socket and a port that no other program knows: it is handed a listening
socket as systemd would do it, so that it neither needs root nor meets the machine's own service.
The virtual reader speaks over TCP: two bytes of length, then a control byte (0 off, 1 on, 2 reset, 4 ATR) or a command.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from node.card.simulator import ATR, SimulatedCard

PCSCD = "/usr/sbin/pcscd"
LIBRARY = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
POWER_OFF, POWER_ON, RESET, ASK_ATR = (b"\x00", b"\x01", b"\x02", b"\x04")
GIVE_UP_S = 5.0


class Service:
    """A pcscd of our own; its virtual reader has two slots, `ports[0]` and `ports[1]`."""

    def __init__(self, folder: Path) -> None:
        self.socket_name = str(folder / "comm")
        self._config = folder / "readers"
        self._config.mkdir()
        self.ports = _two_ports()
        self.plug_in()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Leads programs to this service."""
        return {"PCSCLITE_CSOCK_NAME": self.socket_name}

    def plug_in(self) -> None:
        (self._config / "reader").write_text(
            f'FRIENDLYNAME "Test Reader"\nDEVICENAME /dev/null:0x{self.ports[0]:X}\nLIBPATH {LIBRARY}\n'
            f"CHANNELID 0x{self.ports[0]:X}\n"
        )

    def unplug(self) -> None:
        """Take the reader away and tell the service to look, as the system does when a cable is pulled."""
        (self._config / "reader").unlink()

    def start(self) -> None:
        """Start it; whoever connects waits until it answers."""
        Path(self.socket_name).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self.socket_name)
            listening.listen(16)
            # The shell puts the socket where the service looks for it and takes its place, so that the number is right.
            command = f'LISTEN_PID=$$ LISTEN_FDS=1 exec {PCSCD} --foreground --config "{self._config}" 3<&0'
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", command], stdin=listening, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )

    def freeze(self, on: bool) -> None:
        """Let it hang, as a broken driver makes it do; and go on."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def stop(self) -> None:
        """End it as `systemctl stop` does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
        Path(self.socket_name).unlink(missing_ok=True)


def _two_ports() -> tuple[int, int]:
    """Two free ports beside each other: the driver takes the next one for its second slot."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port, port + 1


class OnReader:
    """A card on the virtual reader from `with` to its end. `log` has every command it was sent.

    `card` may be exchanged at any time: the reader does not notice. `before(n)` runs before the n-th command, counted
    from 1, and may raise `Pulled`. `hold`: while it is set, commands are not answered. `atr`: b"" is a mute card.
    """

    def __init__(
        self, port: int, card: SimulatedCard, *, atr: bytes = ATR, before: Callable[[int], None] = lambda n: None
    ) -> None:
        self.card, self.atr, self.before = card, atr, before
        self.log: list[bytes] = []
        self.hold = threading.Event()
        self.powered = 0
        self._port = port
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> OnReader:
        self._line = _connected(self._port)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()
        self._thread.join()

    def pull(self) -> None:
        """Take the card off."""
        if self._line:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        assert self._line
        with self._line:
            try:
                while True:
                    self._answer(self._message())
            except (Pulled, OSError):
                return

    def _answer(self, message: bytes) -> None:
        if message == ASK_ATR:
            self._send(self.atr)
        elif message in (POWER_OFF, POWER_ON, RESET):
            self.powered += message == POWER_ON
            self.card.reset()
        else:
            self.log.append(message)
            self.before(len(self.log))
            if self.hold.is_set():
                self._message()  # blocks until the card is pulled
            self._send(self.card.answer(message))

    def _message(self) -> bytes:
        (length,) = struct.unpack(">H", self._bytes(2))
        return self._bytes(length)

    def _bytes(self, count: int) -> bytes:
        assert self._line
        got = b""
        while len(got) < count:
            # The driver sends head and body apart and waits for the acknowledgement between them.
            self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            part = self._line.recv(count - len(got))
            if not part:
                raise Pulled
            got += part
        return got

    def _send(self, content: bytes) -> None:
        assert self._line
        self._line.sendall(struct.pack(">H", len(content)) + content)


class Pulled(Exception):
    """The card is gone."""


def _connected(port: int) -> socket.socket:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), GIVE_UP_S)
        except ConnectionRefusedError:
            threading.Event().wait(0.05)  # the service is still starting
    raise AssertionError("the virtual reader does not listen")
