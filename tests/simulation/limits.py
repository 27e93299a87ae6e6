# SPDX-License-Identifier: Apache-2.0
"""Files that cannot grow and files that somebody else has locked, on any connection, from one moment to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from schema import crsqlite, database
from schema.database import Store
from tests.simulation.world import DB_KEY, World

NO_LIMIT = 1_073_741_823


def fill_disk(world: World, store: Store) -> None:
    """From now on this file cannot grow by a page."""
    world.full.add(store.path)
    _limit(store.connection(), 1)


def empty_disk(world: World, store: Store) -> None:
    """There is room again."""
    if store.path in world.full:
        world.full.discard(store.path)
        if store in (world.hub, *(s.store for s in world.stations)):
            _limit(store.connection(), NO_LIMIT)


def _limit(db: Any, pages: int) -> None:
    """Never less than there are."""
    db.execute(f"PRAGMA max_page_count = {pages}").fetchone()


@contextmanager
def limited_disks(world: World) -> Iterator[None]:
    """Connections opened in here obey `world.full`."""
    connect = database.connect

    def limited(path: Path | str, key: bytes) -> Any:
        db = connect(path, key)
        if path in world.full:
            _limit(db, 1)
        return db

    with patch.object(database, "connect", limited):
        yield


def impatience() -> Any:
    """Connections opened in here are told at once that a file is locked, not after 15 s."""
    return patch.object(database, "BUSY_TIMEOUT_MS", 0)


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Another program is writing to this file."""
    other = database.connect(store.path, DB_KEY)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        other.execute("ROLLBACK")
        crsqlite.close(other)
