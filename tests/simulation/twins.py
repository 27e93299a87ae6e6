# SPDX-License-Identifier: Apache-2.0
"""The same work in another order: nothing may hang on it. Checked on copies; the run goes on untouched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from schema import crsqlite
from schema.crsqlite import Cell
from schema.database import Store
from sync.station.session import Session
from sync.wire.transport import InProcess
from tests.simulation.looking import need, rows
from tests.simulation.model import COLUMNS, HUB
from tests.simulation.world import DB_KEY, World

# What must be the same; conflict records may differ, because who lost where depends on the order.
COMPARED = (
    f"SELECT id, {', '.join(COLUMNS)} FROM contact ORDER BY id",
    "SELECT id, name, village FROM person ORDER BY id",
    "SELECT id, hash FROM fact ORDER BY id",
    "SELECT person_id, balance_fen FROM account ORDER BY person_id",
)


def eventually_order_does_not_matter(world: World) -> None:
    """I17: the cells that ever reached the hub, merged anew in another order, give the hub's values and versions."""
    given = list(world.cells.given)
    world.rng.shuffle(given)
    folder = Path(tempfile.mkdtemp(dir=world.folder))
    with closing(Store(folder / "anew.db", DB_KEY, side="hub")) as anew:
        with anew.merging() as db:
            for author, (person, column), version, value in given:
                cell = Cell("contact", person, column, value, version, 0, 1, None)
                crsqlite.apply(db, [cell], world.cells.sites[author])
        sql = (
            "SELECT p.id, c.col_name, c.col_version FROM contact__crsql_clock c "
            "JOIN contact__crsql_pks p ON p.__crsql_key = c.key WHERE c.col_name <> '-1' ORDER BY 1, 2"
        )
        for asked in (COMPARED[0], sql):
            here, there = rows(anew, asked), rows(world.hub, asked)
            told = str([(a, b) for a, b in zip(here, there, strict=False) if a != b][:3] or (len(here), len(there)))
            need(here == there, eventually_order_does_not_matter, told)
    shutil.rmtree(folder)


def eventually_push_and_pull_commute(world: World) -> None:
    """I18: stations that fetch first and then send end with the same values as those that send first."""
    ends = []
    for first in (_whole_sessions, _fetching_sessions):
        with _twin(world) as twin:
            first(twin)
            for _ in range(2):
                _whole_sessions(twin)
            ends.append(_held(twin))
    for (name, one), (_, other) in zip(*ends, strict=True):
        told = f"{name}: {[(a, b) for a, b in zip(one, other, strict=False) if a != b][:3]}"
        need(one == other, eventually_push_and_pull_commute, told)


def _whole_sessions(twin: World) -> None:
    for station in twin.stations:
        twin.session(station, lambda: InProcess(twin.server)).run()


def _fetching_sessions(twin: World) -> None:
    with patch.object(Session, "_push", lambda session, talk: None):
        _whole_sessions(twin)


def _held(twin: World) -> list[tuple[str, list[Any]]]:
    stores = [(HUB, twin.hub), *((s.name, s.store) for s in twin.stations)]
    return [(name, [row for sql in COMPARED for row in rows(store, sql)]) for name, store in stores]


@contextmanager
def _twin(world: World) -> Iterator[World]:
    """The same county in another folder. The model knows nothing of it."""
    folder = Path(tempfile.mkdtemp(dir=world.folder))
    twin = world.like(folder)
    try:
        yield twin
    finally:
        twin.close()
