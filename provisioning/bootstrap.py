# SPDX-License-Identifier: Apache-2.0
"""From a fresh clone on a bare Debian 12 to everything `make` needs; again in under a second.

    python3.11 -m provisioning.bootstrap

Runs with the system's Python before anything is installed: standard library only. Each step first looks
whether its result is there, so a second run changes nothing and a broken or outdated part is mended.
System packages are installed when run as root; anyone else is told in one line what to install.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning import assets

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WHEELS_RECORD = VENV / "wheels.sha256"

RUST_NEEDED = (1, 70)
CRATES = ("bytes", "num-traits", "num-derive")
CRATE_FOLDER = Path("/usr/share/cargo/registry")
PCSC_HEADER = Path("/usr/include/PCSC/winscard.h")
VIRTUAL_READER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
CJK_FONTS = Path("/usr/share/fonts/opentype/noto")


class SetupError(Exception):
    """The set-up cannot go on; the message says what a person must do."""


@dataclass(frozen=True)
class Need:
    """Something of the system, found by looking for the thing itself: it need not come from apt."""

    packages: tuple[str, ...]
    present: Callable[[], bool]


def _on_path(*programs: str) -> bool:
    return all(shutil.which(program) for program in programs)


def _rust_is_new_enough() -> bool:
    return all(_on_path(tool) and _version(tool) >= RUST_NEEDED for tool in ("cargo", "rustc"))


def _version(tool: str) -> tuple[int, ...]:
    answer = subprocess.run([tool, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    found = re.search(r"(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


NEEDS = (
    Need(("python3-venv",), lambda: importlib.util.find_spec("ensurepip") is not None),
    Need(("gcc", "libc6-dev"), lambda: _on_path("cc") and Path("/usr/include/stdio.h").exists()),
    Need(("rustc-web", "cargo-web"), _rust_is_new_enough),
    Need(
        tuple(f"librust-{crate}-dev" for crate in CRATES),
        lambda: all(any(CRATE_FOLDER.glob(f"{crate}-[0-9]*")) for crate in CRATES),
    ),
    Need(("npm",), lambda: _on_path("npm", "node")),
    Need(("chromium",), lambda: _on_path("chromium")),
    Need(("libpcsclite-dev",), PCSC_HEADER.exists),
    Need(("pcscd", "vsmartcard-vpcd"), lambda: Path("/usr/sbin/pcscd").exists() and VIRTUAL_READER.exists()),
    Need(("postgresql",), lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))),
    Need(("fonts-noto-cjk",), lambda: any(CJK_FONTS.glob("NotoSansCJK*"))),
    # For PDF. Without the subset library a page with a Chinese font takes twenty seconds instead of one.
    Need(
        ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
        lambda: all(ctypes.util.find_library(name) for name in ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")),
    ),
)


def missing_packages(needs: Sequence[Need] = NEEDS) -> list[str]:
    """Debian packages for what is not there."""
    return [package for need in needs if not need.present() for package in need.packages]


def install_system_packages(needs: Sequence[Need] = NEEDS) -> None:
    """By apt when root. Raises: SetupError with the one line an administrator must run."""
    packages = missing_packages(needs)
    if not packages:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not _on_path("apt-get"):
        raise SetupError(f"System packages are missing. Run: sudo {' '.join(install)}")
    say(f"system packages: {' '.join(packages)}")
    quiet = ["-qq", "-o", "DPkg::Lock::Timeout=300"]
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", *quiet], environment)
    run([*install, *quiet], environment)
    still = missing_packages(needs)
    if still:
        raise SetupError(f"Installed, yet not usable: {' '.join(still)}. Is an older one first on PATH?")


def make_venv() -> None:
    """A virtual environment that works; one whose Python has gone is made anew."""
    if PYTHON.exists() and _succeeds([str(PYTHON), "-c", "import pip"]):
        return
    say(f"virtual environment: {VENV.name}")
    run([sys.executable, "-m", "venv", "--clear", str(VENV)])


def install_wheels() -> None:
    """This project, editable, with the exact versions of constraints.txt; again when those change."""
    wanted = _wheels_wanted()
    if WHEELS_RECORD.is_file() and WHEELS_RECORD.read_text() == wanted:
        return
    say("Python packages")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run([str(PYTHON), "-m", "pip", "install", *quiet, "-c", "constraints.txt", "-e", ".[dev]"])
    WHEELS_RECORD.write_text(wanted)


def _wheels_wanted() -> str:
    """Names what an installation depends on; settings of linters and tests do not make it outdated."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [settings["build-system"], settings["project"], settings["tool"]["setuptools"]]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return hashlib.sha256(json.dumps([parts, pins]).encode()).hexdigest()


def install_assets() -> None:
    """Scripts and styles from npm. Raises: SetupError when they cannot be had."""
    wanted = assets.listed()
    if not assets.missing(wanted):
        return
    say("page scripts and styles")
    try:
        assets.install(wanted)
    except assets.AssetError as error:
        raise SetupError(str(error)) from error


def install_extension() -> None:
    """The cr-sqlite library in this user's cache; it checks the cache by itself."""
    run([str(PYTHON), "-m", "provisioning.extension", "--quiet"])


def say(text: str) -> None:
    """One line per step that has something to do."""
    print(f"setup: {text} ...", flush=True)


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a step's tool with its output shown. Raises: SetupError when it fails."""
    try:
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"{' '.join(command[:4])} failed: {error}") from error


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


def main() -> int:
    """All steps in order; 0 when everything is there, 1 with one line of reason."""
    try:
        install_system_packages()
        make_venv()
        install_wheels()
        install_assets()
        install_extension()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
