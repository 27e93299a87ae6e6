# SPDX-License-Identifier: Apache-2.0
"""The only module that knows cr-sqlite. Everything it does wrong in naive use is guarded here.

Whole rows written and removed past its triggers are next door, in `schema.crsqlite_rows`.

Guards (numbers of docs/guards.md): P1 the sync bit is cleared and checked; P2 cursors come from rows read, never from
the extension's own version counter; P3/P4 rows are checked before the extension sees them (`sync.wire.validator`); P5
one savepoint per chunk; P7 no REPLACE; P13 always the two-argument form, proven at start-up; P18 refuse an SQLite with
the WAL-reset bug; P19 finalize before close; P21 clock tables are read directly.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlcipher3 import dbapi2 as sqlcipher

from schema.errors import StuckSyncBit, UnsafeSqlite

VERSION = "0.16.3"
LIBRARY = "crsqlite.so"
OLDEST_SAFE_SQLITE = (3, 51, 3)
PK_PREFIX = b"\x01\x0c\x10"
ROW_SENTINEL = "-1"
FLOOR = "pre_compact_dbversion"

Connection = Any
T = TypeVar("T")


class Cell(NamedTuple):
    """One cell as stored: its value, its versions, who wrote it (`site` is None for this database)."""

    table: str
    row_id: bytes
    column: str
    value: Any
    col_version: int
    db_version: int
    causal_length: int
    site: bytes | None


class Guards:
    """Switches that tests use to prove that each guard is needed. Never set outside tests."""

    clear_sync_bit = True
    assert_sync_bit = True
    two_arguments = True
    refuse_old_sqlite = True
    fixed_keys = True
    announced_alter = True
    floor = True
    finalize = True


def library_path() -> Path:
    """Where the built extension lies: CRSQLITE_LIB, else the per-user cache that set-up fills.

    Raises UnsafeSqlite when there is none.
    """
    named = os.environ.get("CRSQLITE_LIB")
    path = Path(named) if named else cache_dir() / LIBRARY
    if not path.is_file():
        raise UnsafeSqlite(
            f"找不到 cr-sqlite 扩展：{path}。请先运行 make setup，或用 CRSQLITE_LIB 指定文件",
            f"cr-sqlite extension not found at {path}: run make setup, or name the file in CRSQLITE_LIB",
        )
    _check_hash(path)
    return path


def use_library(folder: Path) -> None:
    """Let this process load the extension that lies in a kit or a station, on a machine that has no other."""
    library = folder / LIBRARY
    if library.is_file() and not (cache_dir() / LIBRARY).is_file():
        os.environ.setdefault("CRSQLITE_LIB", str(library.resolve()))


@functools.cache
def _check_hash(path: Path) -> None:
    """The file must be the one that set-up or the kit recorded beside it: what is loaded here can read everything."""
    record = path.with_suffix(".json")
    if not record.is_file():
        return
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if json.loads(record.read_text(encoding="utf-8")).get("sha256") != found:
        raise UnsafeSqlite(
            f"{path} 与登记的校验值不符，请重新安装", f"{path} is not the file that was installed: install it again"
        )


def cache_dir() -> Path:
    """The per-user folder that holds the extension for this version and platform."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "township" / f"crsqlite-{VERSION}-{platform.system().lower()}-{platform.machine()}"


def check_sqlite(version: tuple[int, ...] | None = None) -> None:
    """P18: SQLite 3.7.0 to 3.51.2 can corrupt a WAL database. Raises UnsafeSqlite."""
    found = version or sqlcipher.sqlite_version_info
    if Guards.refuse_old_sqlite and tuple(found) < OLDEST_SAFE_SQLITE:
        raise UnsafeSqlite(
            f"SQLite {'.'.join(map(str, found))} 有损坏数据的缺陷，需要 3.51.3 或更新",
            f"SQLite {'.'.join(map(str, found))} has the WAL-reset bug; 3.51.3 or newer is needed",
        )


def load(db: Connection) -> None:
    """Load the extension into a connection."""
    check_sqlite()
    _read_own_tables(db)
    db.enable_load_extension(True)
    try:
        db.load_extension(str(library_path().with_suffix("")))
    finally:
        db.enable_load_extension(False)


def _read_own_tables(db: Connection) -> None:
    """Read what the extension reads when it is loaded: where a damaged page stops it there, closing the connection
    ends the process. Raises DatabaseError while that can still be told in words."""
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'crsql%'"
    for row in db.execute(named).fetchall():
        verdict = db.execute(f'PRAGMA integrity_check("{row[0]}")').fetchone()[0]
        if verdict != "ok":
            raise sqlcipher.DatabaseError(" ".join(verdict.split())[:100])


def make_crr(db: Connection, table: str) -> None:
    """Turn a table into a CRDT table. P13: the one-argument form reads past a string literal."""
    if Guards.two_arguments:
        db.execute("SELECT crsql_as_crr('main', ?)", (table,)).fetchone()
    else:
        db.execute("SELECT crsql_as_crr(?)", (table,)).fetchone()
    # P6: an updated key leaves its cells at their old version and peers get a row of NULLs.
    if Guards.fixed_keys:
        db.execute(
            f"CREATE TRIGGER IF NOT EXISTS {table}_key_is_fixed BEFORE UPDATE OF id ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'a row id never changes'); END"
        )
    # Replicas must agree on the author of equal values, or a reader by author misses rows.
    db.execute("SELECT crsql_config_set('merge-equal-values', 1)").fetchone()


@contextmanager
def altering(db: Connection, table: str) -> Iterator[None]:
    """P12: add columns to a CRDT table, inside the caller's write transaction.

    Unannounced, every later UPDATE of the table fails. A new column is nullable or has a default, and is filled
    afterwards by ordinary updates: what is filled in here is stamped with a version that peers have passed already.
    """
    if Guards.announced_alter:
        db.execute("SELECT crsql_begin_alter('main', ?)", (table,)).fetchone()
    yield
    if Guards.announced_alter:
        db.execute("SELECT crsql_commit_alter('main', ?)", (table,)).fetchone()


def keep_rows(db: Connection, table: str, while_: str) -> None:
    """P8: a delete beats any number of edits, everywhere. While the condition over OLD holds, the database refuses it;
    what comes with a merge or goes with a slice has the sync bit on and is none of this table's business."""
    db.execute(
        f"CREATE TRIGGER {table}_never_goes BEFORE DELETE ON {table} WHEN crsql_internal_sync_bit() = 0 AND {while_} "
        "BEGIN SELECT RAISE(ABORT, 'a registry row is never deleted'); END"
    )


def index_own(db: Connection, table: str) -> None:
    """Let a station find what it wrote itself among all it was sent: without this each idle session reads every clock.

    At a hub nearly every cell is its own, so the index would only cost there.
    """
    db.execute(f"CREATE INDEX {table}__own ON {table}__crsql_clock (db_version) WHERE site_id = 0")


def close(db: Connection) -> None:
    """P19: without finalize, file descriptors and the -wal file stay behind."""
    try:
        if Guards.finalize:
            db.execute("SELECT crsql_finalize()").fetchone()
    finally:
        db.close()


def site_id(db: Connection) -> bytes:
    """This database's own 16-byte author id."""
    # Read from the table: the function answers from memory, and a station that takes a new epoch gets a new id.
    return bytes(db.execute("SELECT site_id FROM crsql_site_id WHERE ordinal = 0").fetchone()[0])


def assert_tracking(db: Connection) -> None:
    """P1: after a failed merge the extension may stop tracking local writes on that connection.

    Called at the start of every write transaction. Raises StuckSyncBit; the connection must be dropped.
    """
    if Guards.assert_sync_bit and db.execute("SELECT crsql_internal_sync_bit()").fetchone()[0]:
        raise StuckSyncBit("本地修改没有被记录，连接已作废", "local writes are not tracked on this connection")


def clear_sync_bit(db: Connection) -> None:
    """P1: put tracking back on after a merge, whether it worked or not."""
    if Guards.clear_sync_bit:
        db.execute("SELECT crsql_internal_sync_bit(0)").fetchone()


def pack_id(row_id: bytes) -> bytes:
    """P3: the only pk form that is ever given to the extension: one 16-byte blob."""
    if len(row_id) != 16:
        raise ValueError("a CRDT row id is 16 bytes")
    return PK_PREFIX + row_id


def apply(db: Connection, cells: Iterable[Cell], site: bytes) -> int:
    """Merge checked cells as written by `site`; returns how many won.

    P4: db_version is sent as 0, so a peer can never move this database's clock; it becomes local + 1.
    The caller holds the transaction, and uses a connection made for merging (`database.merging`).
    """
    sql = "INSERT INTO crsql_changes VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)"
    before = _impacted(db)
    rows = (
        (c.table, pack_id(c.row_id), c.column, c.value, c.col_version, c.site or site, c.causal_length, seq)
        for seq, c in enumerate(cells)
    )
    try:
        db.executemany(sql, rows)
    finally:
        clear_sync_bit(db)
    return _impacted(db) - before


def _impacted(db: Connection) -> int:
    return int(db.execute("SELECT crsql_rows_impacted()").fetchone()[0])


def max_version(db: Connection, tables: Iterable[str]) -> int:
    """P2: the highest version among rows that exist, or existed before rows went (P9): it never goes back, as the
    extension's own counter can.
    """
    found = [db.execute(f"SELECT max(db_version) FROM {t}__crsql_clock").fetchone()[0] or 0 for t in tables]
    return max(*found, floor(db), 0)


def floor(db: Connection) -> int:
    """P9: the version above which the next local change is stamped, even with no row left that bears it."""
    found = db.execute("SELECT value FROM crsql_master WHERE key = ?", (FLOOR,)).fetchone()
    return int(found[0]) if found else 0


def changed_since(db: Connection, table: str, version: int, *, own_only: bool, limit: int = -1) -> Iterator[Cell]:
    """Cells of a table with a version above `version`, oldest first (P21: clock tables, not the virtual table)."""
    only = "AND c.site_id = 0" if own_only else ""
    heads = db.execute(
        f"SELECT p.id, c.col_name, c.col_version, c.db_version, s.site_id, c.site_id FROM {table}__crsql_clock c "
        f"CROSS JOIN {table}__crsql_pks p ON p.__crsql_key = c.key JOIN crsql_site_id s ON s.ordinal = c.site_id "
        f"WHERE c.db_version > ? {only} ORDER BY c.db_version, c.key, c.col_name LIMIT ?",
        (version, limit),
    ).fetchall()
    for batch in batches(heads, _ROWS_AT_ONCE):
        yield from _cells(db, table, batch)


def cells_of(db: Connection, table: str, row_id: bytes) -> list[Cell]:
    """All cells of one row with their versions, in column order; [] when the row is unknown."""
    return cells_of_rows(db, table, (row_id,))[row_id]


def cells_of_rows(
    db: Connection, table: str, row_ids: Iterable[bytes], *, columns: Iterable[str] = (), since: int = 0
) -> dict[bytes, list[Cell]]:
    """`cells_of` for many rows in two queries: asked row by row, and cell by cell, a merge is five times slower.

    With `columns`: of each row only these, the row's sentinel, and whatever has a version above `since`.
    """
    found: dict[bytes, list[Cell]] = {row_id: [] for row_id in row_ids}
    wanted = sorted({*columns})
    only = f"WHERE c.db_version > ? OR c.col_name IN ({', '.join('?' * (len(wanted) + 1))})" if wanted else ""
    heads = db.execute(
        f"SELECT p.id, c.col_name, c.col_version, c.db_version, s.site_id, c.site_id FROM ({WANTED}) w "
        f"CROSS JOIN {table}__crsql_pks p ON p.id = w.id CROSS JOIN {table}__crsql_clock c ON c.key = p.__crsql_key "
        f"JOIN crsql_site_id s ON s.ordinal = c.site_id {only} ORDER BY c.col_name",
        (listed(found), *((since, ROW_SENTINEL, *wanted) if wanted else ())),
    ).fetchall()
    for cell in _cells(db, table, heads):
        found[cell.row_id].append(cell)
    return found


def rows_changed_since(db: Connection, table: str, version: int) -> list[bytes]:
    """Ids of the rows with a cell above `version`, in order of their ids."""
    found = db.execute(f"SELECT DISTINCT id FROM ({cells_sql(table)}) WHERE db_version > ?", (version,))
    return sorted(bytes(row[0]) for row in found)


def cells_sql(table: str) -> str:
    """A sub-query over all cells of a table: id, col, col_version, db_version, own (1: written by this database)."""
    return (
        "SELECT p.id AS id, c.col_name AS col, c.col_version AS col_version, c.db_version AS db_version, "
        f"c.site_id = 0 AS own FROM {table}__crsql_clock c JOIN {table}__crsql_pks p ON p.__crsql_key = c.key"
    )


# One parameter for any number of ids, so that the statement is compiled once.
WANTED = "SELECT unhex(value) AS id FROM json_each(?)"
_ROWS_AT_ONCE = 5_000


def listed(row_ids: Iterable[bytes]) -> str:
    """The parameter of WANTED."""
    return json.dumps([row_id.hex() for row_id in row_ids])


def _cells(db: Connection, table: str, heads: list[tuple[Any, ...]]) -> Iterator[Cell]:
    """Cells from (row id, column, col_version, db_version, author, author's ordinal), with causal length and value."""
    rows = db.execute(
        f"SELECT p.id AS __row, coalesce(s.col_version, 1) AS __length, t.* FROM ({WANTED}) w "
        f"CROSS JOIN {table}__crsql_pks p ON p.id = w.id LEFT JOIN {table} t ON t.id = p.id "
        f"LEFT JOIN {table}__crsql_clock s ON s.key = p.__crsql_key AND s.col_name = '{ROW_SENTINEL}'",
        (listed({bytes(head[0]) for head in heads}),),
    )
    place = {column[0]: i for i, column in enumerate(rows.description)}
    found = {bytes(row[0]): row for row in rows}
    for key, column, col_version, db_version, site, ordinal in heads:
        row = found[bytes(key)]
        value = None if column == ROW_SENTINEL else row[place[column]]
        author = bytes(site) if ordinal else None
        yield Cell(table, bytes(key), column, value, col_version, db_version, row[1], author)


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` of the rows, in their order."""
    batch: list[T] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def self_test() -> dict[str, str]:
    """Prove at start-up that this extension works here: version, two-argument form, a round trip, the cleared bit.

    Returns what was found. Raises UnsafeSqlite with the reason.
    """
    check_sqlite()
    library_path()
    a, b = sqlcipher.connect(":memory:"), sqlcipher.connect(":memory:")
    try:
        for db in (a, b):
            load(db)
            db.execute("CREATE TABLE probe (id BLOB NOT NULL PRIMARY KEY, v TEXT, w INTEGER) STRICT")
            make_crr(db, "probe")
        row_id = bytes(range(120, 136))
        a.execute("INSERT INTO probe VALUES (?, '甲', 128)", (row_id,))
        apply(b, list(changed_since(a, "probe", 0, own_only=True)), site_id(a))
        if b.execute("SELECT v, w FROM probe WHERE id = ?", (row_id,)).fetchone() != ("甲", 128):
            raise UnsafeSqlite(
                "cr-sqlite 自检没有通过：合并结果不对", "cr-sqlite self-test failed: merge result differs"
            )
        assert_tracking(b)
        return {"sqlite": sqlcipher.sqlite_version, "crsqlite": VERSION, "library": str(library_path())}
    except sqlcipher.Error as error:
        raise UnsafeSqlite(f"cr-sqlite 自检没有通过：{error}", f"cr-sqlite self-test failed: {error}") from error
    finally:
        close(a)
        close(b)
