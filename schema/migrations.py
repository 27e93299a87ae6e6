# SPDX-License-Identifier: Apache-2.0
"""Ordered, transactional changes of a database's shape, kept by sqlite-utils' own migrations.

A released step is never edited: a later release adds one. CRDT tables only ever grow (expand, then contract), because
a station one release behind must still be understood.
"""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from schema import crsqlite, tables

SCHEMA_VERSION = 1


def steps(side: str) -> Migrations:
    """The migration set of one side ('node' or 'hub')."""
    migrations = Migrations(f"township_{side}")

    @migrations()
    def m001_first_shape(db: Database) -> None:
        for table in tables.on_side(side):
            for statement in table.ddl():
                db.execute(statement)
        for table in tables.REGISTRY:
            crsqlite.make_crr(db.conn, table.name)
            crsqlite.keep_rows(db.conn, table.name, tables.stays(side, table))
            if side == "node":
                crsqlite.index_own(db.conn, table.name)
        for statement in tables.triggers(side):
            db.execute(statement)

    return migrations


def apply(db: Any, side: str) -> None:
    """Bring a database to the newest shape; does nothing when it is there."""
    steps(side).apply(Database(db))
