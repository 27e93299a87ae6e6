# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL for a test: a cluster in a temporary folder, reached through a socket in it, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER_USER = "postgres"  # the server refuses to run as root


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a running server."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    binaries = _binaries()
    as_user = ["runuser", "-u", SERVER_USER, "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, SERVER_USER)
    data = folder / "data"
    try:
        _run([*as_user, binaries / "initdb", "-D", data, "-U", SERVER_USER, "-A", "trust", "--no-sync", "-E", "UTF8"])
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=64MB"
        _run([*as_user, binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"])
        try:
            yield f"postgres://{SERVER_USER}@/postgres?host={folder}"
        finally:
            _run([*as_user, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)


def _binaries() -> Path:
    """Where the newest installed server's programs are."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def _run(command: list[object]) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True, cwd="/")
