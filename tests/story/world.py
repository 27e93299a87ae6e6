# SPDX-License-Identifier: Apache-2.0
"""A hub and stations as real processes in one folder: made, started, stopped and opened with their own programs.

Only the command lines are used, as a technician would; databases are opened at the end, by the keys in their folders,
to see what is really in them.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from schema.clock import SystemClock
from schema.database import Store
from schema.home import HubHome, StationHome

BIN = Path(sys.executable).parent
START_LIMIT_S = 60


@dataclass
class World:
    """One folder with a hub, its stations, their kits, and the passwords of everybody."""

    folder: Path
    passwords: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.unlock = self.folder / "unlock"
        self.unlock.write_text(secrets.token_urlsafe(24))
        self.unlock.chmod(0o600)
        self.hub = HubHome(self.folder / "hub")

    @staticmethod
    def today() -> date:
        return SystemClock().today()

    # --- making ---------------------------------------------------------------------------------------------------

    def make_hub(self, persons: int, seed: int) -> None:
        """A hub with a synthetic county."""
        self.ports["hub"] = free_port()
        self.run(
            "township-provision", "init-hub", self.hub.path, "--name", "嵊州市劳动保障中心",
            "--name-en", "Shengzhou centre", "--host", "127.0.0.1", "--port", self.ports["hub"],
        )  # fmt: skip
        self.run("township-provision", "county", self.hub.path, "--persons", persons, "--seed", seed)

    def add_officer(self, number: str, name: str, roles: str, station: str = "") -> None:
        """An officer with a random password that needs no change at first login."""
        self.passwords[number] = secrets.token_urlsafe(12)
        where = ["--station", station] if station else []
        self.run(
            "township-hub", "officer", "add", "--dir", self.hub.path, "--number", number, "--name", name,
            "--roles", roles, *where, "--password-file", self.password_file(number), "--no-change-needed",
        )  # fmt: skip

    def password_file(self, number: str) -> Path:
        """The officer's password in a file of its own, mode 0600."""
        path = self.folder / f"password-{number}"
        path.touch(mode=0o600)
        path.write_text(self.passwords[number])
        return path

    def new_station(self, station: str, name: str, township: str, name_en: str = "") -> None:
        """A kit made at the hub."""
        self.run(
            "township-provision", "new-station", self.hub.path, station, "--name", name,
            "--name-en", name_en or station,
            "--township", township, "--out", self.folder / "kits" / station,
        )  # fmt: skip

    def install_station(self, station: str) -> None:
        """Install a station from its kit; the hub must be running, as it signs the certificate."""
        kit = self.folder / "kits" / station
        self.run("township-provision", "install", kit, "--dir", self.station(station).path)

    def station(self, station: str) -> StationHome:
        return StationHome(self.folder / "stations" / station)

    # --- running --------------------------------------------------------------------------------------------------

    def start_hub(self, undo_s: int = 0) -> None:
        """Start the hub's pages and sync, and wait until they answer."""
        text = self.hub.config_file.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.startswith("undo_s")]
        self.hub.config_file.write_text("\n".join([*lines, f"undo_s = {undo_s}", ""]), encoding="utf-8")
        self._start("hub", "township-hub", "run", "--dir", self.hub.path)
        self._wait("hub", f"{self.hub_url}/login")

    def start_station(self, station: str) -> None:
        """Start a station's pages and worker, and wait until they answer."""
        self.ports[station] = free_port()
        self._start(station, "township-node", "run", "--dir", self.station(station).path, "--port", self.ports[station])
        self._wait(station, f"{self.station_url(station)}/login")

    def stop(self, name: str) -> None:
        """Stop one process as a service manager would."""
        process = self.running.pop(name)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self) -> None:
        for name in list(self.running):
            self.stop(name)

    def sync(self, station: str) -> dict[str, Any]:
        """One session now, with the station's own command. Returns its report."""
        done = self.run("township-node", "sync", "--dir", self.station(station).path, "--json", check=False)
        if not done.stdout.strip():
            raise RuntimeError(f"{station}: sync said nothing: {done.stderr[-800:]}")
        report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return report

    @property
    def hub_url(self) -> str:
        return f"https://127.0.0.1:{self.ports['hub']}"

    def station_url(self, station: str) -> str:
        return f"http://127.0.0.1:{self.ports[station]}"

    # --- looking inside -------------------------------------------------------------------------------------------

    def open_hub(self) -> Store:
        return Store(self.hub.database, self.hub.unlock(self.unlock.read_bytes()).db_key, side="hub")

    def open_station(self, station: str) -> Store:
        home = self.station(station)
        return Store(home.database, home.unlock(self.unlock.read_bytes()).db_key, side="node")

    # --- processes ------------------------------------------------------------------------------------------------

    def run(self, program: str, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of our programs to its end; its failure is ours, with what it said."""
        done = subprocess.run(
            [BIN / program, *map(str, words)], capture_output=True, text=True, env=self._env(), check=False, timeout=600
        )
        if check and done.returncode:
            said = (done.stderr or done.stdout)[-1500:]
            raise RuntimeError(f"{program} {words[0]} ended with {done.returncode}: {said}")
        return done

    def _start(self, name: str, program: str, *words: object) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [BIN / program, *map(str, words)], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._env()
            )

    def _wait(self, name: str, url: str) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        context = ssl.create_default_context(cafile=str(self.hub.ca_file)) if url.startswith("https") else None
        while time.monotonic() < deadline:
            if self.running[name].poll() is not None:
                break
            try:
                urllib.request.urlopen(url, timeout=2, context=context).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError(f"{name} does not answer: {self.log(name)[-1500:]}")

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def _env(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        return clean | {"TOWNSHIP_UNLOCK_FILE": str(self.unlock), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
