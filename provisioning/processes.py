# SPDX-License-Identifier: Apache-2.0
"""Our programs as child processes: run to the end, or kept running until they are told to stop."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from schema.errors import TownshipError
from schema.home import UNLOCK_ENV

PROGRAMS = Path(sys.executable).parent
START_LIMIT_S = 90
STOP_LIMIT_S = 20
LOG_TAIL = 2000


class ProgramFailed(TownshipError):
    """One of our programs ended when it should not have, or not as it should have."""

    code = "program"


@dataclass
class Programs:
    """Runs programs with one unlock file, logs beside each other in `logs`."""

    unlock_file: Path
    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self, program: str, *words: object, quiet: bool = True) -> str:
        """Run a program to its end; returns what it printed. Raises ProgramFailed with its last words.

        Not `quiet`: it speaks for itself, with its progress bar.
        """
        done = subprocess.run(
            self._command(program, words), env=self._environment(), stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE if quiet else None, stderr=subprocess.PIPE if quiet else None,
        )  # fmt: skip
        if done.returncode:
            said = ((done.stderr or "") + (done.stdout or ""))[-LOG_TAIL:]
            raise ProgramFailed(f"{program} {words[0]} 没有成功：{said}", f"{program} {words[0]} failed: {said}")
        return done.stdout or ""

    def start(self, name: str, program: str, *words: object) -> None:
        """Start a program that stays. It gets a session of its own: Ctrl-C is ours to pass on, in order."""
        self.logs.mkdir(exist_ok=True)
        with self._log(name).open("ab") as log:
            self.running[name] = self._popen(program, words, log)

    def wait_for(self, name: str, url: str, ca_file: Path | None = None) -> None:
        """Until the address answers. Raises ProgramFailed when the program ends or stays silent."""
        context = ssl.create_default_context(cafile=str(ca_file)) if ca_file else None
        # Without proxies: nobody else should be asked for an address of this machine.
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.running[name].poll() is None:
            try:
                direct.open(url, timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        said = self.last_words(name)
        raise ProgramFailed(f"{name} 没有应答：{said}", f"{name} does not answer: {said}")

    def watch(self) -> None:
        """Return only by an error: ProgramFailed as soon as one of them ends by itself."""
        while True:
            for name, process in self.running.items():
                if process.poll() is not None:
                    said = self.last_words(name)
                    raise ProgramFailed(f"{name} 停了：{said}", f"{name} has stopped: {said}")
            time.sleep(0.5)

    def stop(self) -> None:
        """Ask all to stop, the last started first, and wait; kill what does not."""
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()

    def last_words(self, name: str) -> str:
        """The end of a program's log."""
        return self._log(name).read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _popen(self, program: str, words: tuple[object, ...], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(program, words), env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip

    def _command(self, program: str, words: tuple[object, ...]) -> list[str]:
        return [str(PROGRAMS / program), *map(str, words)]

    def _environment(self) -> dict[str, str]:
        return os.environ | {UNLOCK_ENV: str(self.unlock_file), "PYTHONUNBUFFERED": "1"}


def free_port(wanted: int) -> int:
    """The wanted port when nobody has it, else one that is free now."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            # As servers do: a port that only lingers from an earlier run counts as free, one that is listened on not.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ProgramFailed("没有空闲的端口", "no port is free")


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    return free_port(port) == port
