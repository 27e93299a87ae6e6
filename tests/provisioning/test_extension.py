# SPDX-License-Identifier: Apache-2.0
"""The cr-sqlite library: where it is looked for, what is refused, and that the build really works.

The source is built once, into a cache of this test's own. All tests share one xdist group, so that a run
on several workers builds once too.
"""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlcipher3 import dbapi2 as sqlcipher

from provisioning import extension, extension_build
from provisioning.extension import Library
from provisioning.extension_build import Edit, ExtensionError
from schema.crsqlite import cache_dir

pytestmark = pytest.mark.xdist_group("extension_build")

ROW = bytes(range(16))
CHANGES = '"table", pk, cid, val, col_version, db_version, site_id, cl, seq'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The library, built from the source package now and here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("built")))
        patch.delenv("CRSQLITE_LIB", raising=False)
        yield extension.obtain(build=True)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no named library, no tool to build with, and no release server."""
    monkeypatch.delenv("CRSQLITE_LIB", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(extension, "RELEASES", "http://127.0.0.1:9")
    folder = cache_dir()
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def filled_cache(cache: Path, built: Library) -> Path:
    """A cache that holds the built library and its record."""
    for name in (extension.LIBRARY, extension.RECORD):
        shutil.copy(Path(built.path).with_name(name), cache / name)
    return cache


@pytest.fixture
def release(cache: Path, built: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A release server; call it with the SHA-256 to pin ("" pins the right one)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(built.path, extension.LIBRARY)
    content = packed.getvalue()

    class Asset(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asset) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def pin(sha256: str) -> None:
            right = hashlib.sha256(content).hexdigest()
            monkeypatch.setattr(extension, "RELEASES", f"http://127.0.0.1:{server.server_port}")
            monkeypatch.setattr(extension, "RELEASE_SHA256", {extension.platform_name(): sha256 or right})

        yield pin
        server.shutdown()
        thread.join()


def _open(library: Library, table: str = "CREATE TABLE t (id BLOB PRIMARY KEY NOT NULL, v INTEGER)") -> Any:
    db = sqlcipher.connect(":memory:", isolation_level=None)
    db.execute("PRAGMA key = 'only in memory'")
    db.enable_load_extension(True)
    db.load_extension(library.path.removesuffix(".so"))
    db.execute(table)
    db.execute("SELECT crsql_as_crr('main', 't')").fetchone()
    return db


def _merge(into: Any, source: Any) -> None:
    """Give one database every change another knows."""
    for change in source.execute(f"SELECT {CHANGES} FROM crsql_changes").fetchall():
        into.execute(f"INSERT INTO crsql_changes ({CHANGES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", change)


def _close(*databases: Any) -> None:
    for db in databases:
        db.execute("SELECT crsql_finalize()").fetchone()
        db.close()


# The order in which the library is looked for


def test_a_named_library_wins_over_the_cache(filled_cache: Path, tmp_path: Path, monkeypatch) -> None:
    mine = tmp_path / "mine.so"
    mine.write_bytes(b"my own build")
    monkeypatch.setenv("CRSQLITE_LIB", str(mine))
    assert extension.obtain() == Library(str(mine), hashlib.sha256(b"my own build").hexdigest(), "named")


def test_a_name_without_a_file_is_an_error_and_not_a_fall_through(filled_cache: Path, monkeypatch) -> None:
    monkeypatch.setenv("CRSQLITE_LIB", str(filled_cache / "gone.so"))
    with pytest.raises(ExtensionError, match=r"gone\.so"):
        extension.obtain()


def test_the_cache_is_used_without_network_or_tools(filled_cache: Path, built: Library) -> None:
    found = extension.obtain()
    assert (found.path, found.sha256) == (str(filled_cache / "crsqlite.so"), built.sha256)


def test_an_empty_cache_takes_the_pinned_release(cache: Path, built: Library, release) -> None:
    release("")
    found = extension.obtain()
    assert (found.origin, found.sha256) == ("release", built.sha256)
    assert extension.cached() == found


# What is refused


def test_a_release_with_another_hash_is_not_used(cache: Path, release) -> None:
    release("0" * 64)
    with pytest.raises(ExtensionError, match="no npm tar cargo rustc cc"):
        extension.obtain()  # on to the build, for which this machine has no tools
    assert not (cache / "crsqlite.so").exists()


def test_a_corrupted_cache_is_put_aside_and_replaced(filled_cache: Path, built: Library, release) -> None:
    library = filled_cache / "crsqlite.so"
    library.write_bytes(library.read_bytes()[:-1] + b"?")
    release("")
    assert extension.obtain().sha256 == built.sha256
    assert hashlib.sha256(library.read_bytes()).hexdigest() == built.sha256
    assert library.with_suffix(".corrupt").exists()


def test_a_corrupted_cache_that_cannot_be_replaced_is_refused(filled_cache: Path) -> None:
    (filled_cache / "crsqlite.so").write_bytes(b"half a file")
    with pytest.raises(ExtensionError):
        extension.obtain()
    assert not (filled_cache / "crsqlite.so").exists()


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"sha256": "00"}'])
def test_a_library_without_a_readable_record_is_not_used(filled_cache: Path, record: str) -> None:
    (filled_cache / "crsqlite.json").write_text(record)
    assert extension.cached() is None


def test_a_library_of_an_older_recipe_is_not_used(filled_cache: Path) -> None:
    path = filled_cache / "crsqlite.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "recipe": "0" * 40}))
    assert extension.cached() is None


def test_a_source_package_with_another_hash_is_not_unpacked(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(extension_build, "SOURCE_SHA256", "0" * 64)
    with pytest.raises(ExtensionError, match="not the pinned file"):
        extension_build.build(tmp_path)
    assert not (tmp_path / "package").exists()


def test_a_source_that_is_not_the_known_one_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "lib.rs").write_text("fn a() {}\nfn a() {}\n")
    with pytest.raises(ExtensionError, match="occurs 2 times"):
        extension_build.apply_edits(tmp_path, [Edit("lib.rs", "fn a()", "fn b()")])
    assert (tmp_path / "lib.rs").read_text() == "fn a() {}\nfn a() {}\n"


# The library that the build makes


def test_the_built_library_names_the_recipe_it_was_built_from(built: Library) -> None:
    db = _open(built)
    assert db.execute("SELECT crsql_sha()").fetchone() == (extension_build.recipe(),)
    assert (built.origin, built.recipe) == ("build", extension_build.recipe())
    _close(db)


def test_a_change_made_in_one_database_arrives_in_another(built: Library) -> None:
    here, there = _open(built), _open(built)
    here.execute("INSERT INTO t VALUES (?, 128)", (ROW,))
    _merge(there, here)
    assert there.execute("SELECT id, v FROM t").fetchall() == [(ROW, 128)]
    _close(here, there)


def test_after_a_merge_that_fails_local_writes_are_still_tracked(built: Library) -> None:
    picky = _open(built, "CREATE TABLE t (id BLOB PRIMARY KEY NOT NULL, v INTEGER CHECK (v < 10))")
    author = _open(built)
    author.execute("INSERT INTO t VALUES (?, 50)", (ROW,))
    with pytest.raises(sqlcipher.IntegrityError):
        _merge(picky, author)

    assert picky.execute("SELECT crsql_internal_sync_bit()").fetchone() == (0,)
    picky.execute("INSERT INTO t VALUES (?, 5)", (ROW[::-1],))
    assert picky.execute("SELECT val FROM crsql_changes").fetchall() == [(5,)]
    _close(picky, author)


def test_after_a_deletion_that_fails_local_writes_are_still_tracked(built: Library) -> None:
    keeper, author = _open(built), _open(built)
    author.execute("INSERT INTO t VALUES (?, 1)", (ROW,))
    _merge(keeper, author)
    keeper.execute("CREATE TRIGGER kept BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'kept'); END")
    author.execute("DELETE FROM t")
    with pytest.raises(sqlcipher.IntegrityError):
        _merge(keeper, author)

    assert keeper.execute("SELECT crsql_internal_sync_bit()").fetchone() == (0,)
    keeper.execute("UPDATE t SET v = 2")
    assert keeper.execute("SELECT val, col_version FROM crsql_changes").fetchall() == [(2, 2)]
    _close(keeper, author)


def test_the_one_argument_form_names_its_schema_properly(built: Library) -> None:
    db = _open(built)
    db.execute("CREATE TABLE u (id BLOB PRIMARY KEY NOT NULL, v INTEGER)")
    db.execute("SELECT crsql_as_crr('u')").fetchone()
    db.execute("INSERT INTO u VALUES (?, 1)", (ROW,))
    assert db.execute('SELECT "table" FROM crsql_changes').fetchall() == [("u",)]
    _close(db)


# What a kit and a shell get


def test_a_kit_carries_the_library_and_its_record(filled_cache: Path, built: Library, tmp_path: Path) -> None:
    copy = extension.install_into(tmp_path / "kit" / "extension")
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == built.sha256
    assert json.loads(copy.with_name("crsqlite.json").read_text())["sha256"] == built.sha256


def test_the_command_prints_the_path_or_all_it_knows(filled_cache: Path, built: Library) -> None:
    path = str(filled_cache / "crsqlite.so")
    assert CliRunner().invoke(extension.main, []).output == f"{path}\n"
    known = json.loads(CliRunner().invoke(extension.main, ["--json"]).output)
    assert (known["path"], known["sha256"], known["version"]) == (path, built.sha256, "0.16.3")


def test_the_command_explains_in_both_languages_why_there_is_no_library(cache: Path) -> None:
    answer = CliRunner().invoke(extension.main, [])
    assert answer.exit_code == 1
    assert "make setup" in answer.output and "缺少编译工具" in answer.output
