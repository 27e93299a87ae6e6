# SPDX-License-Identifier: Apache-2.0
"""Get the cr-sqlite library onto a machine: named, cached, fetched with a pinned hash, or built.

The order, and why:

1. `CRSQLITE_LIB` names a file: the operator has decided.
2. The cache of this user (`schema.crsqlite.cache_dir`). `crsqlite.json` beside the file records its SHA-256;
   a file that no longer has it is put aside and replaced, one without a record is never used.
3. The official release, where the internet is open. No matching pinned hash, no use.
4. A build from source (`extension_build`): the only way in a sealed network.

Programs that run find the library by 1 and 2 alone (`schema.crsqlite`); a station gets it in its kit
(`install_into`) and never fetches or builds.

    python -m provisioning.extension            print the path, obtaining the library if need be
    python -m provisioning.extension --build    build it now, whatever the cache holds
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from provisioning import extension_build
from provisioning.extension_build import ExtensionError, require_hash, sha256_of
from schema.crsqlite import LIBRARY, VERSION, cache_dir

RECORD = "crsqlite.json"
CONNECT_TIMEOUT_S = 3.0

RELEASES = f"https://github.com/vlcn-io/cr-sqlite/releases/download/v{VERSION}"
RELEASE_SHA256 = {
    "linux-x86_64": "8f6fd31a2be2ba8c3101aad067a504a2e63c8e9b51cc4ace786009c02e7ecbae",
    "linux-aarch64": "c26aac668db9f0c455a37cbfba2ae129a11313a1f5b30b4bdcee69cfa1d1f94a",
}


@dataclass(frozen=True)
class Library:
    """A library on this machine. `origin`: named | release | build; `recipe` is empty unless built."""

    path: str
    sha256: str
    origin: str
    recipe: str = ""


def platform_name() -> str:
    """Operating system and processor as release files name them, such as `linux-x86_64`."""
    return f"{platform.system().lower()}-{platform.machine()}"


def obtain(*, build: bool = False) -> Library:
    """The library, fetched or built if this machine has none; with `build`, built whatever is cached.

    Raises: ExtensionError saying what to install or which file was refused.
    """
    named = _named()
    if named is not None and not build:
        return named
    with _lock(cache_dir()):
        if build:
            return _store_build()
        return cached() or _store_release() or _store_build()


def cached() -> Library | None:
    """The cached library if its bytes are the recorded ones and its recipe is today's, else None."""
    path, record_path = cache_dir() / LIBRARY, cache_dir() / RECORD
    if not path.is_file() or not record_path.is_file():
        return None
    try:
        record = json.loads(record_path.read_text(encoding="utf-8"))
        library = Library(str(path), record["sha256"], record["origin"], record["recipe"])
    except (ValueError, KeyError, TypeError):
        return None
    if sha256_of(path) != library.sha256:
        path.replace(path.with_suffix(".corrupt"))
        return None
    if library.origin == "build" and library.recipe != extension_build.recipe():
        return None
    return library


def install_into(folder: Path) -> Path:
    """Copy library and record into a kit folder and prove the copy; returns the copied library.

    Raises: ExtensionError when this machine has no library, or the copy is not byte for byte the same.
    """
    library = obtain()
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / LIBRARY
    shutil.copyfile(library.path, copy)
    require_hash(copy, library.sha256)
    _write_record(folder, library)
    return copy


def _named() -> Library | None:
    name = os.environ.get("CRSQLITE_LIB")
    if not name:
        return None
    path = Path(name)
    if not path.is_file():
        raise ExtensionError(
            f"CRSQLITE_LIB 指向的文件不存在：{path}", f"CRSQLITE_LIB names a file that does not exist: {path}"
        )
    return Library(str(path.resolve()), sha256_of(path), "named")


def _store_release() -> Library | None:
    """The official release in the cache, or None where it is out of reach or not the pinned file."""
    expected = RELEASE_SHA256.get(platform_name())
    if expected is None:
        return None
    with tempfile.TemporaryDirectory(prefix="crsqlite-") as work:
        archive = Path(work) / f"crsqlite-{platform_name()}.zip"
        try:
            _download(f"{RELEASES}/{archive.name}", archive)
            require_hash(archive, expected)
        except (OSError, urllib.error.URLError):
            return None  # no internet: the ordinary state of a government network
        except ExtensionError as error:
            click.echo(error.en, err=True)
            return None
        with zipfile.ZipFile(archive) as content:
            return _store(Path(content.extract(LIBRARY, work)), "release")


def _download(url: str, target: Path) -> None:
    with urllib.request.urlopen(url, timeout=CONNECT_TIMEOUT_S) as answer, target.open("wb") as stream:
        shutil.copyfileobj(answer, stream)


def _store_build() -> Library:
    with tempfile.TemporaryDirectory(prefix="crsqlite-") as work:
        return _store(extension_build.build(Path(work)), "build", extension_build.recipe())


def _store(found: Path, origin: str, recipe: str = "") -> Library:
    """Move a proven library into the cache. A cut between the two renames leaves a mismatch, not a lie."""
    folder = cache_dir()
    library = Library(str(folder / LIBRARY), sha256_of(found), origin, recipe)
    incoming = folder / f"{LIBRARY}.new"
    shutil.copyfile(found, incoming)
    incoming.chmod(0o644)
    incoming.replace(folder / LIBRARY)
    _write_record(folder, library)
    return library


def _write_record(folder: Path, library: Library) -> None:
    record = {key: value for key, value in asdict(library).items() if key != "path"}
    incoming = folder / f"{RECORD}.new"
    incoming.write_text(json.dumps({"version": VERSION, **record}, indent=2) + "\n", encoding="utf-8")
    incoming.replace(folder / RECORD)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One process at a time: two programs started together must not both build, nor see half a file."""
    import fcntl  # not on Windows, where a station only copies what its kit brought

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@click.command(help="取得 cr-sqlite 扩展库并打印路径。Obtain the cr-sqlite library and print its path.")
@click.option("--build", is_flag=True, help="重新编译。 Build it from source even if one is cached.")
@click.option("--quiet", is_flag=True, help="只准备，不打印路径。 Obtain it and print nothing.")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。 Print path, hash and origin as JSON.")
def main(build: bool, quiet: bool, as_json: bool) -> None:
    """Command line of this module."""
    try:
        library = obtain(build=build)
    except ExtensionError as error:
        raise click.ClickException(f"{error.zh}\n{error.en}") from error
    if as_json:
        click.echo(json.dumps({"version": VERSION, **asdict(library)}))
    elif not quiet:
        click.echo(library.path)


if __name__ == "__main__":
    main()
