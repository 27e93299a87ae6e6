# SPDX-License-Identifier: Apache-2.0
"""The one door to a database file: encrypted, checked, migrated, tracked.

    store = Store(path, key, side="node")          # opens or makes the file
    with store.read() as db: ...                   # a connection of this thread
    with store.write() as db: ...                  # one transaction; commits, or nothing happened
    with store.merging() as db: ...                # one transaction on a connection of its own, dropped afterwards

Rows come back as `sqlcipher3.Row` (index and name). Every connection: SQLCipher key, WAL, synchronous FULL (a receipt
must survive a power cut), foreign busy time-out, the extension.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as sqlcipher
from sqlite_utils import Database

from schema import crsqlite, tables
from schema.errors import StoreError, WrongKey

Row = sqlcipher.Row
DatabaseError = sqlcipher.DatabaseError
IntegrityError = sqlcipher.IntegrityError
OperationalError = sqlcipher.OperationalError

KEY_BYTES = 32
BUSY_TIMEOUT_MS = 15_000
# A hub transaction uses more than the default 128 statements; past that, each one in a loop is compiled anew.
STATEMENTS_KEPT = 1024
WIDE_CACHE_KIB = 49_152
Connection = Any


class Remembering(sqlcipher.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that keeps what cannot change while it is open and is asked with every person looked at."""

    is_hub: bool | None = None


def connect(path: Path | str, key: bytes) -> Connection:
    """Open one connection. Raises WrongKey, UnsafeSqlite or StoreError."""
    db = _unlocked(path, key)
    try:
        db.row_factory = sqlcipher.Row
        db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA temp_store = MEMORY")
        crsqlite.load(db)
    except sqlcipher.DatabaseError as error:
        _abandon(db)
        raise _damaged(path, error) from error
    except BaseException:
        _abandon(db)
        raise
    return db


def _abandon(db: Connection) -> None:
    """P19 for a connection that was never handed out: an extension loaded by half holds the file, too."""
    with suppress(sqlcipher.Error):
        crsqlite.close(db)


def archive(path: Path | str, key: bytes, *, making: bool = False) -> Connection:
    """A file that is written once and only read afterwards: no extension, no log beside it.

    While it is `making` nothing is safe: whoever makes it syncs the whole file and gives it its name afterwards.
    Raises WrongKey.
    """
    db = _unlocked(path, key)
    settings = (
        ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE") if making else ("query_only = 1",)
    )
    for setting_ in settings:
        db.execute(f"PRAGMA {setting_}").fetchone()
    return db


def _unlocked(path: Path | str, key: bytes) -> Connection:
    if len(key) != KEY_BYTES:
        raise WrongKey("数据库密钥应为 32 字节", "a database key is 32 bytes")
    db = sqlcipher.connect(
        str(path), timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False,
        cached_statements=STATEMENTS_KEPT, factory=Remembering,
    )  # fmt: skip
    try:
        # The library would print its own lines about a wrong key; the error we raise says it in words.
        db.execute("PRAGMA cipher_log_level = NONE")
        db.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        db.execute("PRAGMA cipher_memory_security = OFF")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher.DatabaseError as error:
        _abandon(db)
        raise WrongKey(
            f"密钥打不开数据库 {path}：文件已损坏，或不是本系统的。请从备份恢复",
            f"the key does not open the database {path}: damaged, or not ours. Restore it from a backup",
        ) from error
    return db


def _damaged(path: Path | str, error: Exception) -> StoreError:
    return StoreError(
        f"数据库 {path} 打不开：{error}。如已损坏，请从备份恢复",
        f"the database {path} cannot be opened: {error}. If it is damaged, restore it from a backup",
    )


def is_encrypted(path: Path) -> bool:
    """Whether the file's first bytes are not SQLite's plain header."""
    with path.open("rb") as file:
        return file.read(16) != b"SQLite format 3\x00"


class Store:
    """A database file with one connection per thread. `side` is 'node' or 'hub'."""

    def __init__(self, path: Path | str, key: bytes, *, side: str) -> None:
        self.path = Path(path)
        self.side = side
        self._key = key
        self._local = threading.local()
        self._open: list[Connection] = []
        self._lock = threading.Lock()
        self._prepare()

    def _prepare(self) -> None:
        from schema import migrations

        db = connect(self.path, self._key)
        try:
            migrations.apply(db, self.side)
        except sqlcipher.DatabaseError as error:
            raise _damaged(self.path, error) from error
        finally:
            crsqlite.close(db)

    def connection(self) -> Connection:
        """This thread's connection."""
        db = getattr(self._local, "db", None)
        if db is None:
            db = connect(self.path, self._key)
            self._local.db = db
            with self._lock:
                self._open.append(db)
        return db

    @property
    def utils(self) -> Database:
        """sqlite-utils over this thread's connection, for ad-hoc work; business code writes SQL in `write()`."""
        return Database(self.connection())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent read: everything inside sees one state."""
        db = self.connection()
        if db.in_transaction:
            yield db
            return
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction. Nested use joins the outer one. P1: refuses a connection that stopped tracking."""
        db = self.connection()
        if db.in_transaction:
            yield db
            return
        db.execute("BEGIN IMMEDIATE")
        try:
            crsqlite.assert_tracking(db)
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    @contextmanager
    def merging(self) -> Iterator[Connection]:
        """One write transaction on a connection that is dropped afterwards.

        P1: a merge that fails may leave its connection deaf to local writes, so no merge shares one with the pages.
        """
        db = connect(self.path, self._key)
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            finally:
                crsqlite.clear_sync_bit(db)
        finally:
            crsqlite.close(db)

    def widen(self) -> None:
        """Room for more pages on this thread's connection, before work over thousands of rows: each page is deciphered
        once. `leave` gives it back."""
        self.connection().execute(f"PRAGMA cache_size = -{WIDE_CACHE_KIB}")

    def leave(self) -> None:
        """Close this thread's connection: a thread that ends must not leave it open behind it."""
        db = getattr(self._local, "db", None)
        if db is not None:
            self._local.db = None
            with self._lock:
                self._open.remove(db)
            crsqlite.close(db)

    def close(self) -> None:
        """Finalize and close every connection of every thread."""
        with self._lock:
            connections, self._open = self._open, []
        self._local = threading.local()
        for db in connections:
            crsqlite.close(db)


@contextmanager
def savepoint(db: Connection, name: str = "part") -> Iterator[None]:
    """P5: all of a part or nothing of it; an error inside leaves the transaction as it was before.

    A full disk or a failing one ends the whole transaction by itself. Then there is nothing to go back to, and the
    error must be told as it is: whoever took it for a bad row would go on writing outside any transaction.
    """
    db.execute(f"SAVEPOINT {name}")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute(f"ROLLBACK TO {name}")
            db.execute(f"RELEASE {name}")
        raise
    db.execute(f"RELEASE {name}")


@contextmanager
def filling(db: Connection, tables: Iterable[str]) -> Iterator[None]:
    """Inside the caller's transaction: these tables without their indexes, which are made at the end from all rows at
    once, and without the triggers that notice changes: digests kept before do not count any more (`buckets.forget`).
    """
    made = db.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN (SELECT value FROM "
        "json_each(?)) AND (type = 'index' OR (type = 'trigger' AND name GLOB tbl_name || '_noticed_*'))",
        (json.dumps(list(tables)),),
    ).fetchall()
    for kind, name, _ in made:
        db.execute(f"DROP {kind} {name}")
    yield
    for _, _, sql in made:
        db.execute(sql)


def insert(db: Connection, table: str, row: dict[str, Any]) -> None:
    """Insert one row; unknown columns are an error."""
    names = ", ".join(row)
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))


def update(db: Connection, table: str, key: dict[str, Any], changes: dict[str, Any]) -> int:
    """Write only the columns that change (P7: an unchanged cell must not get a new version). Returns rows touched."""
    if not changes:
        return 0
    sets = ", ".join(f"{c} = ?" for c in changes)
    where = " AND ".join(f"{c} = ?" for c in key)
    differs = " OR ".join(f"{c} IS NOT ?" for c in changes)
    values = (*changes.values(), *key.values(), *changes.values())
    return int(db.execute(f"UPDATE {table} SET {sets} WHERE {where} AND ({differs})", values).rowcount)


def upsert(db: Connection, table: str, row: dict[str, Any]) -> None:
    """Insert, or change the columns given when the key exists. For plain tables (P7: never REPLACE)."""
    declared = tables.TABLES[table]
    others = [c for c in row if c not in declared.key]
    then = f"UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in others)}" if others else "NOTHING"
    names = ", ".join(row)
    db.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))}) "
        f"ON CONFLICT ({', '.join(declared.key)}) DO {then}",
        tuple(row.values()),
    )


def setting(db: Connection, name: str) -> bytes | None:
    """A value of the `setting` table, or None."""
    found = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return bytes(found[0]) if found else None


def set_setting(db: Connection, name: str, value: bytes) -> None:
    """Store a value in the `setting` table."""
    upsert(db, "setting", {"name": name, "value": value})
