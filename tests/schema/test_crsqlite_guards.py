# SPDX-License-Identifier: Apache-2.0
"""Each guard of docs/guards.md: the promise holds with the guard and breaks without it.

A scenario answers whether its promise held. A guard test asserts both: true with the guard, false with it switched
off; so a guard that is removed, or that was never needed, turns its test red.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from schema import crsqlite, database
from schema.crsqlite import Cell
from schema.errors import StoreError, StuckSyncBit, UnsafeSqlite

ROW = bytes(range(16))
OTHER_SITE = bytes(range(16, 32))


@pytest.fixture
def open_db(tmp_path: Path) -> Iterator[Callable[[], database.Connection]]:
    opened = []

    def make() -> database.Connection:
        db = database.connect(tmp_path / f"{len(opened)}.db", bytes(32))
        db.execute("CREATE TABLE probe (id BLOB NOT NULL PRIMARY KEY, v TEXT, w TEXT) STRICT")
        crsqlite.make_crr(db, "probe")
        opened.append(db)
        return db

    yield make
    for db in opened:
        crsqlite.close(db)


def cell(value: object, *, version: int = 1, column: str = "v", row: bytes = ROW) -> Cell:
    return Cell("probe", row, column, value, version, 1, 1, None)


def tracked(db: database.Connection, row: bytes) -> bool:
    return bool(crsqlite.cells_of(db, "probe", row))


# --- P1 -----------------------------------------------------------------------------------------------------------


def edits_after_a_failed_merge_are_tracked(db: database.Connection) -> bool:
    """A merge dies inside the extension with tracking off, as the unrepaired 0.16.3 leaves it."""

    def dying() -> Iterator[Cell]:
        yield cell("甲")
        db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
        raise RuntimeError("constraint failed")

    with pytest.raises(RuntimeError):
        crsqlite.apply(db, dying(), OTHER_SITE)
    db.execute("INSERT INTO probe (id, v) VALUES (?, '乙')", (b"x" * 16,))
    return tracked(db, b"x" * 16)


def test_p1_a_failed_merge_does_not_stop_tracking_of_local_edits(
    open_db: Callable[[], database.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edits_after_a_failed_merge_are_tracked(open_db())
    monkeypatch.setattr(crsqlite.Guards, "clear_sync_bit", False)
    assert not edits_after_a_failed_merge_are_tracked(open_db())


def deaf_connection_is_refused(store: database.Store) -> bool:
    db = store.connection()
    db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
    try:
        with store.write() as db:
            database.insert(db, "contact", {"id": ROW, "phone": "13800000000"})
    except StuckSyncBit:
        return True
    finally:
        db.execute("SELECT crsql_internal_sync_bit(0)").fetchone()
    return False


def test_p1_no_write_starts_on_a_connection_that_stopped_tracking(
    make_store: Callable[..., database.Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store("node")
    assert deaf_connection_is_refused(store)
    assert store.connection().execute("SELECT count(*) FROM contact").fetchone()[0] == 0
    monkeypatch.setattr(crsqlite.Guards, "assert_sync_bit", False)
    assert not deaf_connection_is_refused(store)


def test_p1_a_merge_never_shares_its_connection_with_the_pages(node_store: database.Store) -> None:
    pages = node_store.connection()
    with node_store.merging() as db:
        assert db is not pages


# --- P2 -----------------------------------------------------------------------------------------------------------


def change_after_a_no_op_is_found(db: database.Connection, cursor: Callable[[], int]) -> bool:
    """The extension counts a no-op in memory only, and forgets it at the next unrelated commit."""
    db.execute("INSERT INTO probe (id, v) VALUES (?, '甲')", (ROW,))
    db.execute("UPDATE probe SET v = '甲' WHERE id = ?", (ROW,))
    seen = cursor()
    db.execute("CREATE TABLE unrelated (x INTEGER)")
    db.execute("UPDATE probe SET v = '乙' WHERE id = ?", (ROW,))
    found = list(crsqlite.changed_since(db, "probe", seen, own_only=True))
    return [c.value for c in found] == ["乙"]


def test_p2_a_cursor_from_rows_never_skips_a_change_made_after_a_no_op(
    open_db: Callable[[], database.Connection],
) -> None:
    safe = open_db()
    assert change_after_a_no_op_is_found(safe, lambda: crsqlite.max_version(safe, ["probe"]))
    naive = open_db()
    counter = "SELECT crsql_db_version()"
    assert not change_after_a_no_op_is_found(naive, lambda: naive.execute(counter).fetchone()[0])


# --- P3 -----------------------------------------------------------------------------------------------------------

KILLER = """
import sys
from schema import crsqlite, database
from schema.crsqlite import Cell
if sys.argv[2] == "off":
    crsqlite.pack_id = lambda row_id: row_id
db = database.connect(sys.argv[1], bytes(32))
db.execute("CREATE TABLE probe (id BLOB NOT NULL PRIMARY KEY, v TEXT, w TEXT) STRICT")
crsqlite.make_crr(db, "probe")
try:
    crsqlite.apply(db, [Cell("probe", b"\\x01\\xff", "v", "x", 1, 1, 1, None)], bytes(16))
except ValueError:
    print("refused")
crsqlite.close(db)
"""


def process_survives_a_malformed_key(path: Path, guard: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(path), guard],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return done.returncode == 0 and done.stdout.strip() == "refused"


def test_p3_a_malformed_key_never_reaches_the_extension_and_kills_the_process(tmp_path: Path) -> None:
    assert process_survives_a_malformed_key(tmp_path / "on.db", "on")
    assert not process_survives_a_malformed_key(tmp_path / "off.db", "off")


# --- P4 -----------------------------------------------------------------------------------------------------------


def clock_stays_usable_after_a_huge_version(db: database.Connection, merge: Callable[..., object]) -> bool:
    merge(db, [Cell("probe", ROW, "v", "甲", 1, 2**63 - 1, 1, None)], OTHER_SITE)
    return bool(crsqlite.max_version(db, ["probe"]) < 1000)


def raw_merge(db: database.Connection, cells: list[Cell], site: bytes) -> None:
    """What a naive hub does: the peer's db_version goes in as it came."""
    for seq, c in enumerate(cells):
        db.execute(
            "INSERT INTO crsql_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (c.table, crsqlite.pack_id(c.row_id), c.column, c.value, c.col_version, c.db_version, site, 1, seq),
        )


def test_p4_a_peer_cannot_move_our_version_clock(open_db: Callable[[], database.Connection]) -> None:
    assert clock_stays_usable_after_a_huge_version(open_db(), crsqlite.apply)
    assert not clock_stays_usable_after_a_huge_version(open_db(), raw_merge)


# --- P5 -----------------------------------------------------------------------------------------------------------


def a_refused_chunk_leaves_nothing(db: database.Connection, guarded: bool) -> bool:
    chunk = [cell("甲"), cell("乙", row=b"y" * 16), Cell("probe", b"z" * 16, "no_such_column", 1, 1, 1, 1, None)]
    db.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlcipher.Error):
        if guarded:
            with database.savepoint(db):
                crsqlite.apply(db, chunk, OTHER_SITE)
        else:
            crsqlite.apply(db, chunk, OTHER_SITE)
    db.execute("COMMIT")
    rows = db.execute("SELECT (SELECT count(*) FROM probe) + (SELECT count(*) FROM probe__crsql_pks)").fetchone()[0]
    return bool(rows == 0)


def test_p5_a_chunk_with_one_bad_row_leaves_nothing_behind(open_db: Callable[[], database.Connection]) -> None:
    assert a_refused_chunk_leaves_nothing(open_db(), guarded=True)
    assert not a_refused_chunk_leaves_nothing(open_db(), guarded=False)


# --- P13, P18, P19 ------------------------------------------------------------------------------------------------


def uses_two_arguments(tmp_path: Path, name: str) -> bool:
    db = database.connect(tmp_path / name, bytes(32))
    try:
        db.execute("CREATE TABLE probe (id BLOB NOT NULL PRIMARY KEY, v TEXT, w TEXT) STRICT")
        said: list[str] = []
        db.set_trace_callback(said.append)
        try:
            crsqlite.make_crr(db, "probe")
        except sqlcipher.Error:
            return False
        finally:
            db.set_trace_callback(None)
        return any("crsql_as_crr('main'" in s for s in said)
    finally:
        crsqlite.close(db)


def test_p13_a_table_becomes_a_crdt_with_the_two_argument_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert uses_two_arguments(tmp_path, "two.db")
    monkeypatch.setattr(crsqlite.Guards, "two_arguments", False)
    assert not uses_two_arguments(tmp_path, "one.db")


def test_p13_the_self_test_says_what_it_found() -> None:
    assert crsqlite.self_test()["crsqlite"] == crsqlite.VERSION


def test_p18_an_sqlite_with_the_wal_reset_bug_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsafeSqlite):
        crsqlite.check_sqlite((3, 51, 2))
    crsqlite.check_sqlite((3, 51, 3))
    monkeypatch.setattr(crsqlite.Guards, "refuse_old_sqlite", False)
    crsqlite.check_sqlite((3, 51, 2))


def files_left_open(folder: Path) -> int:
    db = database.connect(folder / f"{len(os.listdir(folder))}.db", bytes(32))
    db.execute("CREATE TABLE probe (id BLOB NOT NULL PRIMARY KEY, v TEXT, w TEXT) STRICT")
    crsqlite.make_crr(db, "probe")
    db.execute("INSERT INTO probe (id, v) VALUES (?, '甲')", (ROW,))
    same = list(crsqlite.changed_since(db, "probe", 0, own_only=True))
    crsqlite.apply(db, same, bytes(16))  # equal versions and values: the author decides, by a statement of its own
    crsqlite.close(db)
    return held_open(folder)


def held_open(folder: Path) -> int:
    held = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            held += os.readlink(link).startswith(str(folder))
        except OSError:
            continue
    return held


def test_p19_closing_a_connection_releases_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files_left_open(tmp_path) == 0
    monkeypatch.setattr(crsqlite.Guards, "finalize", False)
    assert files_left_open(tmp_path) > 0


def test_p19_a_connection_that_fails_behind_the_extension_releases_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files_left_open(tmp_path)
    load = crsqlite.load

    def half(db: sqlcipher.Connection) -> None:
        load(db)
        same = list(crsqlite.changed_since(db, "probe", 0, own_only=True))
        crsqlite.apply(db, same, bytes(16))
        raise database.OperationalError("half")

    monkeypatch.setattr(crsqlite, "load", half)
    with pytest.raises(StoreError):
        database.connect(tmp_path / "0.db", bytes(32))
    assert held_open(tmp_path) == 0


def test_an_extension_that_is_not_the_recorded_file_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "crsqlite.so"
    copy.write_bytes(crsqlite.library_path().read_bytes())
    copy.with_suffix(".json").write_text('{"sha256": "00"}')
    monkeypatch.setenv("CRSQLITE_LIB", str(copy))
    with pytest.raises(UnsafeSqlite, match="not the file"):
        crsqlite.library_path()


def test_a_missing_extension_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRSQLITE_LIB", str(tmp_path / "none.so"))
    for use in (crsqlite.library_path, crsqlite.self_test):
        with pytest.raises(UnsafeSqlite, match="make setup"):
            use()
