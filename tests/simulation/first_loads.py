# SPDX-License-Identifier: Apache-2.0
"""First loads by snapshot: what lay at the hub when it was made is what a station has seen once it has installed it.

A snapshot may be fetched in ranges over days and by several stations, so the model keeps the hub's cells of the moment
of making, and hears of an installation by what is in the station's own file.
"""

from __future__ import annotations

from schema.database import Store
from tests.simulation.model import HUB, Cell, Version
from tests.simulation.world import Station, World

# The county of a run is small: so few entries are worth a snapshot here.
FEW_ENTRIES = 5
# slices, hash, the feed number it stands at: the same bytes may be made again at a later number.
Name = tuple[str, bytes, int]


def remember_made(world: World) -> None:
    """Whatever the hub has made since we last looked, it made just now: so its cells are the hub's cells of now."""
    for name in _names(world.hub) - world.snapshots.keys():
        world.snapshots[name] = _cells_of(world, set(name[0].split(",")))


def _names(store: Store) -> set[Name]:
    with store.read() as db:
        return {(row[0], bytes(row[1]), row[2]) for row in db.execute("SELECT slices, sha256, head FROM snapshot")}


def _cells_of(world: World, held: set[str]) -> dict[Cell, Version]:
    members = world.register.members
    return {c: v for c, v in world.cells.at[HUB].cells.items() if members.get(c[0], set()) & held}


def observe_installed(world: World, station: Station) -> None:
    """Tell the model of a snapshot that is in the register now: its bytes are gone and the cursor stands at its end."""
    fetching = _names(station.store)
    with station.store.read() as db:
        cursors = {row[0]: row[1] for row in db.execute("SELECT slice, \"after\" FROM cursor WHERE channel = 'reg'")}
    for name in sorted(world.fetching.get(station.name, set()) - fetching):
        slices, _, head = name
        # Where nothing is new the cursor has moved on by itself; before the installation it stands at 0.
        if cursors.get(slices.split(",")[0], -1) >= head:
            world.cells.pulled(station.name, world.snapshots[name])
            world.fired["first load by snapshot"] += 1
            world.note(f"{station.name} has installed a snapshot of {slices}")
    world.fetching[station.name] = fetching
