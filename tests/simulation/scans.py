# SPDX-License-Identifier: Apache-2.0
"""Scans of cases: they wait for their case and for room on the line, and arrive whole."""

from __future__ import annotations

from schema.clock import stamp
from sync.station import blob
from tests.simulation.looking import need, rows, station_of
from tests.simulation.world import World

MEDIA_TYPE = "image/png"
MAX_BYTES = 9_000


def scan(world: World) -> None:
    """A clerk scans a paper of one of the station's cases."""
    cases = [(stated.station, stated.effects["case"]) for stated in world.register.facts.values() if not stated.bad]
    if not cases:
        return
    name, case = world.rng.choice(cases)
    station = station_of(world, name)
    data = blob.MEDIA[MEDIA_TYPE] + world.rng.randbytes(world.rng.randrange(MAX_BYTES))
    with station.store.write() as db:
        hash_ = blob.keep(db, data, MEDIA_TYPE, case, stamp(station.clock.now()))
    world.scans[case, hash_] = (name, data)
    world.note(f"{name} scans a paper of {len(data)} bytes")
    world.fired["scan"] += 1


def eventually_scans_are_at_the_hub(world: World) -> None:
    """I15 for scans: each is at the hub whole, byte for byte, and its station knows."""
    for (case, hash_), (name, data) in world.scans.items():
        me, key = eventually_scans_are_at_the_hub, (case, hash_)
        told = f"a scan of {len(data)} bytes of {name}"
        for store in (world.hub, station_of(world, name).store):
            found = rows(store, f"SELECT done_at IS NOT NULL FROM blob {blob.THIS}", *key)
            need(found == [(1,)], me, f"{told}: {found} in {store.path.name}")
        with world.hub.read() as db:
            need(blob.piece(db, key, 0, len(data)) == data, me, f"{told}: other bytes at the hub")
