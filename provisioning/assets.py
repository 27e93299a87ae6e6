# SPDX-License-Identifier: Apache-2.0
"""Copy the scripts and styles pages need from npm into `schema/web/static/vendor/`, by pinned hash.

Pages load nothing from the internet, because stations have none; so the files are fetched once at set-up
and travel with the program. What only tests need goes to `tests/vendor/` and does not travel. `assets.toml`
lists them. Runs with the plain system Python, before any package is installed: standard library only.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LIST = Path(__file__).with_name("assets.toml")
ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"pages": PurePosixPath("schema/web/static/vendor"), "tests": PurePosixPath("tests/vendor")}
FETCH_TIMEOUT_S = 180


class AssetError(Exception):
    """A file could not be fetched, or is not the pinned one. Nothing was written."""


@dataclass(frozen=True)
class Asset:
    """One file of one npm package; stored under its own base name in the folder of its users (a key of FOLDERS)."""

    package: str
    source: str
    sha256: str
    users: str = "pages"

    @property
    def path(self) -> PurePosixPath:
        """Where the file lies below the project's root."""
        return FOLDERS[self.users] / PurePosixPath(self.source).name


def listed(path: Path = LIST) -> list[Asset]:
    """The files that `assets.toml` names, `package` as `name@version`."""
    return [
        Asset(f"{package['name']}@{package['version']}", file["source"], file["sha256"], package.get("users", "pages"))
        for package in tomllib.loads(path.read_text(encoding="utf-8"))["packages"]
        for file in package["files"]
    ]


def missing(assets: list[Asset], root: Path = ROOT) -> list[Asset]:
    """Those not in place with the pinned bytes."""
    return [asset for asset in assets if not _is_pinned(root / asset.path, asset)]


def install(assets: list[Asset], root: Path = ROOT) -> None:
    """Fetch what is missing; a file appears under its name only after its hash was right.

    Raises: AssetError for an unreachable registry, a package without the file, or a wrong hash.
    """
    wanted = missing(assets, root)
    for package in sorted({asset.package for asset in wanted}):
        files = [asset for asset in wanted if asset.package == package]
        for asset, content in _fetch(package, files):
            found = hashlib.sha256(content).hexdigest()
            if found != asset.sha256:
                raise AssetError(f"{package} {asset.source}: expected SHA-256 {asset.sha256}, found {found}")
            place = root / asset.path
            place.parent.mkdir(parents=True, exist_ok=True)
            incoming = place.with_name(f"{place.name}.new")
            incoming.write_bytes(content)
            incoming.replace(place)


def _fetch(package: str, files: list[Asset]) -> Iterator[tuple[Asset, bytes]]:
    with tempfile.TemporaryDirectory(prefix="assets-") as work:
        command = ["npm", "pack", "--silent", package]
        try:
            subprocess.run(
                command,
                cwd=work,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=FETCH_TIMEOUT_S,
            )
            with tarfile.open(next(Path(work).glob("*.tgz"))) as archive:
                for asset in files:
                    yield asset, _member(archive, asset)
        except (OSError, subprocess.SubprocessError) as error:
            raise AssetError(f"{' '.join(command)}: {error}") from error


def _member(archive: tarfile.TarFile, asset: Asset) -> bytes:
    """A file's bytes, read without unpacking: what an archive names never reaches the disk."""
    try:
        stream = archive.extractfile(f"package/{asset.source}")
    except KeyError:
        stream = None
    if stream is None:
        raise AssetError(f"{asset.package} has no file {asset.source}")
    with stream:
        return stream.read()


def _is_pinned(path: Path, asset: Asset) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == asset.sha256
