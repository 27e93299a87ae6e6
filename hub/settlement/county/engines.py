# SPDX-License-Identifier: Apache-2.0
"""Databases that can recompute a month from the SQL steps: SQLite (always there), PostgreSQL, DuckDB.

The steps are one text. What differs is said here and nowhere else: how whole numbers are divided, what the smaller of
two values is called, how columns go in and come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np

from hub.settlement.county.columns import Ints, Table
from schema import database, ids
from schema.errors import ConfigError

_BATCH = 50_000
_COMMENT = re.compile(r"--.*")


class Engine(Protocol):
    """One database, for the length of one recomputation; nothing stays in it afterwards."""

    def run(self, sql: str) -> None:
        """Execute the statements of a step."""

    def load(self, name: str, columns: dict[str, Ints]) -> None:
        """Make a table of these columns."""

    def fetch(self, sql: str) -> list[Ints]:
        """The columns of a query's result."""


def load_table(engine: Engine, name: str, table: Table) -> None:
    """Put a table of the month in."""
    engine.load(name, dict(table.columns()))


@contextmanager
def opened(address: str) -> Iterator[Engine]:
    """`sqlite`, `duckdb`, or `postgres://user:password@host/database`. Raises ConfigError for another one, or when its
    driver is not installed.
    """
    if address == "sqlite":
        with _sqlite() as engine:
            yield engine
    elif address == "duckdb":
        yield _DuckDb(_driver("duckdb"))
    elif address.startswith(("postgres://", "postgresql://")):
        with _postgres(address) as engine:
            yield engine
    else:
        raise ConfigError(
            f"不认识的数据库引擎 {address}：可用 sqlite、duckdb、postgres://用户@主机/库",
            f"unknown engine {address}: use sqlite, duckdb or postgres://user@host/database",
        )


def _driver(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise ConfigError(
            f"没有安装 {name}：请运行 pip install 'township-network[engines]'",
            f"{name} is not installed: run pip install 'township-network[engines]'",
        ) from error


def _columns_sql(columns: dict[str, Ints]) -> str:
    return ", ".join(f"{name} BIGINT NOT NULL" for name in columns)


def _as_columns(rows: list[Any], count: int) -> list[Ints]:
    """Rows of whole numbers as columns; a number that is none is an error, never a rounding."""
    flat = np.array(rows if rows else np.zeros((0, count)), dtype=object).reshape(len(rows), count)
    if any(type(value) is not int for value in flat[:1].ravel()):
        raise ValueError("a step gave something else than whole numbers")
    return list(flat.astype(np.int64).T) if rows else [np.zeros(0, np.int64) for _ in range(count)]


class _Sqlite:
    """SQLCipher in a file of its own, gone afterwards: the register's numbers never lie in the clear."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def run(self, sql: str) -> None:
        sql = sql.replace(" DIV ", " / ").replace("LEAST(", "min(").replace("GREATEST(", "max(")
        for statement in filter(str.strip, _COMMENT.sub("", sql).split(";")):
            self._db.execute(statement)

    def load(self, name: str, columns: dict[str, Ints]) -> None:
        self._db.execute(f"CREATE TABLE {name} ({_columns_sql(columns)})")
        rows = zip(*(values.tolist() for values in columns.values()), strict=True)
        self._db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)

    def fetch(self, sql: str) -> list[Ints]:
        cursor = self._db.execute(sql)
        count = len(cursor.description)
        parts: list[list[Ints]] = []
        while rows := cursor.fetchmany(_BATCH):
            parts.append(_as_columns(rows, count))
        return [np.concatenate(found) for found in zip(*parts, strict=True)] if parts else _as_columns([], count)


@contextmanager
def _sqlite() -> Iterator[_Sqlite]:
    with TemporaryDirectory(prefix="verify-") as folder:
        db = database.archive(Path(folder) / "month.db", ids.new_id() + ids.new_id(), making=True)
        try:
            db.execute("PRAGMA temp_store = MEMORY")
            db.execute("PRAGMA cache_size = -65536")
            db.execute("BEGIN")
            yield _Sqlite(db)
        finally:
            db.close()


class _DuckDb:
    """In memory."""

    def __init__(self, duckdb: Any) -> None:
        self._db = duckdb.connect(":memory:")

    def run(self, sql: str) -> None:
        self._db.execute(sql.replace(" DIV ", " // "))

    def load(self, name: str, columns: dict[str, Ints]) -> None:
        self._db.execute(f"CREATE TABLE {name} ({_columns_sql(columns)})")
        if len(next(iter(columns.values()))):
            self._db.register("incoming_columns", columns)
            self._db.execute(f"INSERT INTO {name} SELECT * FROM incoming_columns")
            self._db.unregister("incoming_columns")

    def fetch(self, sql: str) -> list[Ints]:
        found = self._db.execute(sql).fetchnumpy()
        for values in found.values():
            if values.dtype.kind != "i":
                raise ValueError("a step gave something else than whole numbers")
        return [np.ma.getdata(values).astype(np.int64) for values in found.values()]


class _Postgres:
    """One transaction that is rolled back at the end; tables are temporary."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def run(self, sql: str) -> None:
        made = re.findall(r"CREATE TABLE (\w+)", sql)
        self._db.execute(sql.replace(" DIV ", " / ").replace("CREATE TABLE", "CREATE TEMP TABLE"))
        for name in made:
            self._db.execute(f"ANALYZE {name}")

    def load(self, name: str, columns: dict[str, Ints]) -> None:
        self._db.execute(f"CREATE TEMP TABLE {name} ({_columns_sql(columns)}) ON COMMIT DROP")
        with self._db.cursor().copy(f"COPY {name} FROM STDIN (FORMAT binary)") as copy:
            copy.write(_binary(list(columns.values())))
        self._db.execute(f"ANALYZE {name}")

    def fetch(self, sql: str) -> list[Ints]:
        cursor = self._db.execute(sql)
        return _as_columns(cursor.fetchall(), len(cursor.description))


def _binary(columns: list[Ints]) -> bytes:
    """PostgreSQL's binary COPY format: per row the number of fields, each with its length, in network order."""
    form = np.dtype([("fields", ">i2"), *((f"{part}{i}", kind) for i in range(len(columns))
                                          for part, kind in (("length", ">i4"), ("value", ">i8")))])  # fmt: skip
    rows = np.zeros(len(columns[0]), form)
    rows["fields"] = len(columns)
    for i, values in enumerate(columns):
        rows[f"length{i}"], rows[f"value{i}"] = 8, values
    return b"PGCOPY\n\xff\r\n\x00" + bytes(8) + rows.tobytes() + b"\xff\xff"


@contextmanager
def _postgres(address: str) -> Iterator[_Postgres]:
    psycopg = _driver("psycopg")
    try:
        connection = psycopg.connect(address)
    except psycopg.OperationalError as error:
        raise ConfigError(f"连不上 PostgreSQL：{error}", f"PostgreSQL cannot be reached: {error}") from error
    try:
        connection.execute("SET LOCAL work_mem = '256MB'")
        connection.execute("SET LOCAL jit = off")
        yield _Postgres(connection)
    finally:
        connection.rollback()
        connection.close()
