# SPDX-License-Identifier: Apache-2.0
"""How a run begins: a county with its first persons, its stations enrolled, mostly loaded already.

Building the files costs more than the run, so each size of county is built once per process and copied.
"""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from schema import database, ids
from schema.clock import FixedClock, stamp
from schema.database import Store
from sync.hub import publish
from sync.wire.transport import InProcess
from tests.simulation import attacker
from tests.simulation.model import HUB, Cells, Register
from tests.simulation.world import DB_KEY, START, TOWNSHIPS, Station, World, person_row, seeded_ids

FIRST_PERSONS = 20
MEMORY = "/dev/shm"


def open_world(rng: random.Random) -> World:
    """The world a run starts with; `rng` has the seed's choices."""
    count, loaded = rng.choice((3, 4, 4, 5)), rng.random() < 0.7
    base = _base(count, loaded)
    folder = _folder()
    shutil.copytree(base.folder, folder, dirs_exist_ok=True)
    world = _world(folder, rng, count)
    _believe(world, base.people, loaded)
    return world


@dataclass(frozen=True)
class _Base:
    folder: Path
    people: list[bytes]


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="simulation-", dir=MEMORY if Path(MEMORY).is_dir() else None))


@cache
def _base(count: int, loaded: bool) -> _Base:
    """Files of a county with its first persons. `loaded`: every station has had its first session."""
    with seeded_ids(f"base {count} {loaded}"):
        return _build_base(count, loaded)


def _build_base(count: int, loaded: bool) -> _Base:
    folder = _folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    world = _world(folder, random.Random(0), count)
    with world.hub.write() as db:
        database.set_setting(db, "node_id", b"hub")
        database.set_setting(db, "epoch", bytes(16))
    for station in world.stations:
        _enrol(world, station)
    attacker.enrol(world)
    people = [ids.new_id() for _ in range(FIRST_PERSONS)]
    with publish.transaction(world.hub) as pub:
        for n, person in enumerate(people):
            pub.put("person", person_row(person, _village(n), f"甲{n}"))
            if n % 2:
                pub.cells("contact", person, {"phone": _first_phone(n)})
    if loaded:
        for station in world.stations:
            assert world.session(station, lambda: InProcess(world.server)).run().equal
    for store in (world.hub, *(s.store for s in world.stations)):
        store.connection().execute("VACUUM")
        store.close()
    return _Base(folder, people)


def _world(folder: Path, rng: random.Random, count: int) -> World:
    clock = FixedClock(START)
    hub = Store(folder / "hub.db", DB_KEY, side="hub")
    stations = [Station(i, Store(folder / f"{i}.db", DB_KEY, side="node"), FixedClock(START)) for i in range(count)]
    sites = {HUB: random.Random("site hub").randbytes(16)} | {s.name: s.first_site for s in stations}
    for name, store in ((HUB, hub), *((s.name, s.store) for s in stations)):
        _fix_site(store, sites[name])
    return World(folder, rng, hub, clock, stations, Cells(sites), Register())


def _fix_site(store: Store, site: bytes) -> None:
    """Author ids decide ties of equal values, so they must follow the seed too."""
    with store.write() as db:
        if bytes(db.execute("SELECT site_id FROM crsql_site_id WHERE ordinal = 0").fetchone()[0]) == site:
            return
        db.execute("UPDATE crsql_site_id SET site_id = ? WHERE ordinal = 0", (site,))
    store.close()  # the extension reads it once per connection


def _enrol(world: World, station: Station) -> None:
    with station.store.write() as db:
        database.set_setting(db, "node_id", station.name.encode())
        database.set_setting(db, "epoch", station.first_epoch)
    public = station.officer_key.public_key().public_bytes_raw()
    officer = {"operator_no": station.officer, "name": "甲", "roles": "clerk", "public_key": public}
    with publish.transaction(world.hub) as pub:
        database.insert(pub.db, "node_record", {
            "id": station.name, "name": station.name, "slices": " ".join(station.slices), "serial": 1, "unsent": 0,
            "public_key": station.key.public_key().public_bytes_raw(), "epoch": station.first_epoch,
            "site_id": station.first_site,
        })  # fmt: skip
        pub.put("officer", officer | {"station": station.name, "wrapped_key": b"w", "must_change": 0})
        pub.put("officer_key", officer | {"valid_from": stamp(datetime(1990, 1, 1, tzinfo=UTC))})


def _village(n: int) -> str:
    return TOWNSHIPS[n % 3 == 2] + "201"


def _first_phone(n: int) -> str:
    return f"1380000{n:04d}"


def _believe(world: World, people: list[bytes], loaded: bool) -> None:
    """Tell the model what the files hold."""
    register, cells = world.register, world.cells
    for n, person in enumerate(people):
        world.people.append(person)
        register.rows["person"][person] = (f"甲{n}", _village(n))
        register.enter(person, {_village(n)[:9]})
        if n % 2:
            cells.write(HUB, person, {"phone": _first_phone(n)})
    if loaded:
        for station in world.stations:
            world.loaded.add(station.name)
            held = {c: v for c, v in cells.at[HUB].cells.items() if register.members[c[0]] & set(station.slices)}
            cells.pulled(station.name, held)
