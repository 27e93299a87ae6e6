# SPDX-License-Identifier: Apache-2.0
"""Disk images of the little county: taken, put back, and run twice."""

from __future__ import annotations

import copy
import shutil
from typing import Any

from schema.database import Store
from sync.hub import life
from tests.sync.county import DB_KEY, Station, content


def _close_all(world: Any) -> None:
    for store in (world.hub, *(s.store for s in world.stations)):
        store.close()


def take_image(world: Any, name: str, image: str = "image") -> None:
    """A copy of a database with its log, as a disk image holds it."""
    _close_all(world)
    for path in world.folder.glob(f"{name}.db*"):
        shutil.copy(path, world.folder / path.name.replace(name, image, 1))


def put_back(world: Any, name: str, image: str = "image") -> None:
    """The image in the database's place; what was written since is gone."""
    _close_all(world)
    for path in world.folder.glob(f"{name}.db*"):
        path.unlink()
    for path in world.folder.glob(f"{image}.db*"):
        shutil.copy(path, world.folder / path.name.replace(image, name, 1))


def twin(world: Any, station: Station) -> Station:
    """A second machine with a copy of this station's disk, keys and all."""
    name = f"twin{len(world.stations)}"
    take_image(world, station.name, name)
    other = copy.copy(station)
    other.store = Store(world.folder / f"{name}.db", DB_KEY, side="node")
    other.received = []
    world.stations.append(other)
    return other


def restore_hub(world: Any, image: str = "image") -> None:
    """What the hub's restore command does to the database, fence included."""
    put_back(world, "hub", image)
    with world.hub.write() as db:
        life.begin_anew(db, "2026-11-20T00:59:00.000Z", "2026-11-20T02:00:00.000Z")


def open_hub(world: Any) -> None:
    """A person has looked."""
    with world.hub.write() as db:
        assert life.open_again(db, "2026-11-20T02:00:00.000Z")


def facts(side: Any) -> dict[bytes, bytes]:
    """The stations' facts by id, with their hash."""
    return dict(side.rows("SELECT id, hash FROM fact WHERE origin <> 'hub'"))


def conflicts(side: Any) -> set[tuple[Any, ...]]:
    """(column, kept, lost, kept by, lost by) of every conflict."""
    return set(side.rows("SELECT col, kept, lost, kept_by, lost_by FROM conflict"))


def settled(world: Any, *stations: Any) -> None:
    """Everybody talks until nobody has anything left; then all hold the same and can prove it."""
    for _ in range(2):
        for station in stations:
            station.sync()
    for station in stations:
        report = station.sync()
        assert (report.ok, report.error_code, report.equal) == (True, "", True)
        assert content(station)["contact"] == content(world)["contact"]
        assert content(station)["versions"] == content(world)["versions"]
        assert station.rows("SELECT count(*) FROM journal_cell") == [(0,)]
        assert station.rows("SELECT count(*) FROM reoffer") == [(0,)]
