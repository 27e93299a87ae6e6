# SPDX-License-Identifier: Apache-2.0
"""Write a synthetic register into a hub's empty database, in one transaction: all of it, or nothing.

The quick road, for a first load only: indexes come last, registry rows get their clocks in bulk, and the feed of the
stations is filled set by set. Half a million persons take a minute or two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from provisioning.county.register import Part, Register, Row
from schema import crsqlite_rows
from schema.database import Store
from schema.errors import WrongState
from schema.tables import REGISTRY, TABLES
from sync.hub import publish

PAGES_KIB = 256 * 1024  # page cache while loading: random ids touch pages everywhere
BATCH_PERSONS = 20_000
REGISTRY_NAMES = {t.name for t in REGISTRY}


@dataclass
class Loaded:
    """What came of a load. `digest` is SHA-256 over all rows in order: one seed, one digest."""

    rows: dict[str, int] = field(default_factory=dict)
    dirt: dict[str, int] = field(default_factory=dict)
    digest: str = ""
    fed: int = 0


def load(store: Store, register: Register, progress: Callable[[int], object] = lambda persons: None) -> Loaded:
    """Write the register and tell the feeds. `progress` is called with the number of persons just added.

    Raises WrongState when the hub already holds persons.
    """
    done = Loaded()
    seen = sha256()
    with store.write() as db:
        if db.execute("SELECT 1 FROM person LIMIT 1").fetchone() is not None:
            raise WrongState(
                "中心的数据库里已经有人员，不能再装合成数据。请用新的中心文件夹",
                "the hub already holds persons: a synthetic county needs a new hub folder",
            )
        rev = publish.head(db) + 1
        db.execute(f"PRAGMA cache_size = -{PAGES_KIB}")
        indexes = _drop_indexes(db)
        batch = Part("batch")
        for part in register.parts():
            _gather(batch, part, seen)
            progress(len(part.persons))
            if len(batch.rows.get("person", ())) >= BATCH_PERSONS:
                _write(db, batch, rev, done)
                batch = Part("batch")
        _write(db, batch, rev, done)
        for statement in indexes:
            db.execute(statement)
        # A vacancy is a member by itself: of the township where the job is.
        db.execute("INSERT INTO slice_member (person_id, slice, since_seq) SELECT id, job_township, 0 FROM vacancy")
        done.fed = publish.fill(db)
    done.dirt = dict(register.dirt.counts)
    done.digest = seen.hexdigest()
    return done


def digest(register: Register) -> str:
    """The digest that loading this register would report, without a database."""
    seen = sha256()
    batch = Part("batch")
    for part in register.parts():
        _gather(batch, part, seen)
        batch.rows.clear()
    return seen.hexdigest()


def _gather(batch: Part, part: Part, seen: Any) -> None:
    for table in sorted(part.rows):
        rows = part.rows[table]
        batch.rows.setdefault(table, []).extend(rows)
        seen.update(f"{table}{rows!r}".encode())


def _write(db: Any, batch: Part, rev: int, done: Loaded) -> None:
    for table, rows in sorted(batch.rows.items()):
        if table in REGISTRY_NAMES:
            crsqlite_rows.bulk_insert(db, table, list(TABLES[table].names), rows)
        else:
            _insert(db, table, rows, rev)
        done.rows[table] = done.rows.get(table, 0) + len(rows)


def _insert(db: Any, table: str, rows: list[Row], rev: int) -> None:
    # The county draws the first columns of each table; what an approved case adds later stays NULL.
    names = (*TABLES[table].names[: len(rows[0])], "rev")
    marks = ", ".join("?" * (len(names) - 1))
    # Rows in the order of their random ids: the primary key index is written page by page and not all over.
    rows.sort(key=lambda row: row[0])  # type: ignore[arg-type, return-value]
    db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}, {rev})", rows)


def _drop_indexes(db: Any) -> list[str]:
    """Drop the secondary indexes of the tables that are filled; returns the statements that make them again."""
    made = []
    for table in ("household", "person", "unit", "employment", "enrolment", "benefit"):
        found = db.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
        ).fetchall()
        for name, sql in found:
            db.execute(f"DROP INDEX {name}")
            made.append(sql)
    return made
