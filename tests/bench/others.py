# SPDX-License-Identifier: Apache-2.0
"""The same exchange by others, on this machine, in this run: Kolibri (Morango) and PouchDB, a hub and a station each.

They are installed from their package registries into the user's cache, run on loopback and stopped. One that cannot be
installed or run is reported as absent with the reason; no figure is ever filled in. What they carry is alike in number
and kind, not in bytes: a Kolibri user and a Pouch document of a person's size.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KOLIBRI = "kolibri==0.19.5"
POUCH = ("pouchdb-node@9.0.0", "express-pouchdb@4.2.0")
SCRIPTS = Path(__file__).parent / "peers"
CHANGES = 100
INSTALL_S, RUN_S = 600, 1800


class Absent(Exception):
    """A peer that could not be installed or run here, and why."""


def everyone(persons: int) -> dict[str, Any]:
    """Name -> figures, or {"absent": why}."""
    found = {}
    for name, measure in (("kolibri", kolibri), ("pouchdb", pouchdb)):
        print(f"peer {name} with {persons:,} persons …", flush=True)
        try:
            with tempfile.TemporaryDirectory() as folder:
                figures = measure(Path(folder), persons)
                found[name] = {k: round(v, 3) if type(v) is float else v for k, v in figures.items()}
        except (Absent, OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
            found[name] = {"absent": str(error)[-300:]}
        print(f"peer {name}: {found[name]}", flush=True)
    return found


# --- Kolibri ------------------------------------------------------------------------------------------------------


def kolibri(folder: Path, persons: int) -> dict[str, Any]:
    """A facility's users as the register; `kolibri manage sync` as the exchange, program start included."""
    program = _kolibri_program()
    port = _free_port()
    base = {**os.environ, "KOLIBRI_RUN_MODE": "bench", "KOLIBRI_NO_FILE_BASED_LOGGING": "1", "PYTHONPATH": ""}
    hub, node = ({**base, "KOLIBRI_HOME": str(folder / name)} for name in ("hub", "node"))
    password = os.urandom(12).hex()
    _run([
        program, "manage", "provisiondevice", "--facility", "Bench", "--preset", "nonformal", "--language_id", "en",
        "--superusername", "admin", "--superuserpassword", password, "--noinput",
    ], hub)  # fmt: skip
    made = _people(program, hub, make=(0, persons))
    with _serving([program, "start", "--foreground", "--port", str(port), "--zip-port", str(_free_port())], hub, port):
        command = [
            program, "manage", "sync", "--baseurl", f"http://127.0.0.1:{port}", "--facility", made["facility"],
            "--username", "admin", "--password", password, "--noninteractive",
        ]  # fmt: skip

        def exchange() -> float:
            began = time.monotonic()
            _run(command, node)
            return time.monotonic() - began

        said: dict[str, Any] = {"bootstrap_s": exchange(), "persons": _people(program, node)["count"]}
        said["nochange_s"] = exchange()
        _people(program, node, edit=(0, CHANGES), name="改名甲")
        _people(program, hub, edit=(CHANGES, 2 * CHANGES), name="改名乙")
        said["delta100_s"] = exchange()
        _people(program, node, set={300: {"birth_year": "1971"}})
        _people(program, hub, set={300: {"full_name": "新名"}})
        exchange()
        stands = _people(program, node, show=[300])["shown"]["300"]
        said["disjoint_edits_kept"] = stands == {"full_name": "新名", "birth_year": "1971"}
    return said


def _kolibri_program() -> str:
    home = _cache() / KOLIBRI
    program = home / "bin" / "kolibri"
    if not program.is_file():
        shutil.rmtree(home, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(home)], dict(os.environ), INSTALL_S)
        _run([str(home / "bin" / "pip"), "install", "-q", KOLIBRI], dict(os.environ), INSTALL_S)
    return str(program)


def _people(program: str, home: dict[str, str], **asked: Any) -> dict[str, Any]:
    """Make, edit or show persons inside a Kolibri."""
    script = f"exec(open({str(SCRIPTS / 'kolibri_people.py')!r}, encoding='utf-8').read())"
    out = _run([program, "manage", "shell", "-c", script], {**home, "BENCH_ASKED": json.dumps(asked)})
    line = next((line for line in out.splitlines() if line.startswith("BENCH ")), None)
    if line is None:
        raise Absent(f"no answer from its shell: {out[-200:]}")
    return dict(json.loads(line.removeprefix("BENCH ")))


# --- PouchDB ------------------------------------------------------------------------------------------------------


def pouchdb(folder: Path, persons: int) -> dict[str, Any]:
    """express-pouchdb over LevelDB as the hub, PouchDB in another process as the station."""
    modules = _cache() / "pouchdb"
    if not (modules / "node_modules" / "pouchdb-node").is_dir():
        modules.mkdir(parents=True, exist_ok=True)
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(modules), *POUCH],
             dict(os.environ), INSTALL_S)  # fmt: skip
    environment = {**os.environ, "NODE_PATH": str(modules / "node_modules")}
    for name in ("hub", "node"):
        (folder / name).mkdir()
    script = str(SCRIPTS / "pouch.js")
    hub = subprocess.Popen(
        ["node", script, "serve", str(folder / "hub"), str(persons)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    try:
        assert hub.stdout is not None
        port = hub.stdout.readline().strip()
        if not port:
            raise Absent("its server did not start")
        out = _run(["node", script, "run", str(folder / "node"), port], environment)
    finally:
        hub.kill()
        hub.communicate()
    return dict(json.loads(out.splitlines()[-1]))


# --- processes ----------------------------------------------------------------------------------------------------


def _run(command: list[str], environment: dict[str, str], limit_s: int = RUN_S) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=limit_s)
    if done.returncode != 0:
        raise Absent(f"{' '.join(command[:3])}: exit {done.returncode}: {(done.stderr or done.stdout)[-250:]}")
    return done.stdout


@contextmanager
def _serving(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    """A server until the block ends."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.4)
        else:
            raise Absent("its server did not answer")
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "township" / "peers"


if __name__ == "__main__":
    print(json.dumps(everyone(int(os.environ.get("PERSONS", "25000")))))
