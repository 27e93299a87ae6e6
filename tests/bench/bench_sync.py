# SPDX-License-Identifier: Apache-2.0
"""What an exchange costs: a first load, nothing to do, 100 changes each way, the hub's merge, a kill in mid-transfer,
500 stations at once.

PERSONS (default 25,000) are one township's slice. Hub and station are processes of their own with encrypted databases
and full durability, and speak HTTPS over loopback. The merge is compared with the bare extension merging the same
cells, in as many commits, under the same pragmas, on a copy of the same database. The last line is one JSON object;
`load_average` beside the figures says how busy the machine was.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from provisioning.county.load import load
from provisioning.county.places import township
from provisioning.county.register import Part, Register
from schema import crsqlite, database, parameter
from schema.database import Store
from schema.programs import calm_collector
from sync.hub import publish
from sync.hub.inbox import Inbox, Node
from sync.station import outbox
from sync.station.report import Report
from sync.wire import codec, frame
from sync.wire.transport import InProcess
from tests.bench import others
from tests.bench.herd import herd
from tests.bench.hub_process import FORK, HubProcess
from tests.sync.county import DB_KEY, TOWNSHIP, Station, World

PERSONS = int(os.environ.get("PERSONS", "25000"))
CHANGES = 100
IDLE_RUNS = 15
MERGE_ROWS = min(8_000, PERSONS)
MERGE_RUNS = 3
KILLS = 6
KILL_FACTS = 1_500
SEED = 20261123


class OneTownship(Register):
    """The synthetic register with all its persons in one township."""

    def parts(self) -> Iterator[Part]:
        yield self._common()
        place = township(TOWNSHIP)
        assert place is not None
        yield from self._township(place, self.persons)


def run(hub: HubProcess, station: Station, stages: dict[str, float] | None = None) -> Report:
    """One exchange on a connection of its own, as a station does it; `stages` gets the moment each began."""
    moments = {} if stages is None else stages
    line = hub.transport()
    try:
        report = station.session(line).run(lambda stage, done: moments.setdefault(stage, time.monotonic()))
    finally:
        line.close()
    if not report.ok:
        raise SystemExit(f"exchange failed: {report.error_code}")
    return report


def first_load(hub: HubProcess, station: Station) -> dict[str, Any]:
    """An empty station gets its slice."""
    before, began = hub.wire_bytes(), time.monotonic()
    station_cpu_s, hub_cpu_s = time.process_time(), hub.cpu_s()
    stages: dict[str, float] = {}
    report = run(hub, station, stages)
    ended = time.monotonic()
    if report.equal is not True:
        raise SystemExit("the first load did not end equal")
    name = f"bootstrap_{PERSONS // 1000}k"
    return {
        f"{name}_wire_bytes": hub.wire_bytes() - before,
        f"{name}_s": round(ended - began, 2),
        f"{name}_transfer_s": round(stages["verify"] - began, 2),
        f"{name}_proof_s": round(ended - stages["verify"], 2),
        f"{name}_station_cpu_s": round(time.process_time() - station_cpu_s, 2),
        f"{name}_hub_cpu_s": round(hub.cpu_s() - hub_cpu_s, 2),
        f"{name}_rows": report.pulled_items,
        f"{name}_pages": report.pulled_frames,
    }


def nothing_to_do(hub: HubProcess, station: Station) -> dict[str, Any]:
    """Hello and proof, nothing between; a new TLS connection each time."""
    run(hub, station)
    seconds, bodies, wire = [], [], []
    for _ in range(IDLE_RUNS):
        before, began = hub.wire_bytes(), time.monotonic()
        report = run(hub, station)
        seconds.append(time.monotonic() - began)
        bodies.append(report.bytes_in + report.bytes_out)
        wire.append(hub.wire_bytes() - before)
    return {
        "nochange_ms": round(1000 * statistics.median(seconds), 1),
        "nochange_bytes": max(bodies),
        "nochange_wire_bytes": max(wire),
    }


def changes_each_way(world: World, hub: HubProcess, station: Station, persons: list[bytes]) -> dict[str, Any]:
    """Telephone numbers of CHANGES persons at the station, of as many others at the hub, then one exchange."""
    for i, person in enumerate(persons[:CHANGES]):
        station.edit(person, phone=f"139{i:08d}")
    with publish.transaction(world.hub) as pub:
        for i, person in enumerate(persons[CHANGES : 2 * CHANGES]):
            pub.cells("contact", person, {"phone": f"138{i:08d}"})
    world.hub.close()
    before, began = hub.wire_bytes(), time.monotonic()
    stages: dict[str, float] = {}
    report = run(hub, station, stages)
    ended = time.monotonic()
    if (report.pushed_items, report.equal) != (CHANGES, True) or report.pulled_items < CHANGES:
        raise SystemExit(f"the changes did not arrive: {report}")
    kept = disjoint_edits_kept(world, hub, station, persons[2 * CHANGES])
    return {
        "disjoint_edits_kept": kept,
        "delta100_s": round(ended - began, 2),
        "delta100_transfer_s": round(stages["verify"] - began, 2),
        "delta100_proof_s": round(ended - stages["verify"], 2),
        "delta100_bytes": report.bytes_in + report.bytes_out,
        "delta100_wire_bytes": hub.wire_bytes() - before,
    }


def disjoint_edits_kept(world: World, hub: HubProcess, station: Station, person: bytes) -> bool:
    """Two people change different fields of one person, neither knowing of the other: do both stand at both ends?"""
    station.edit(person, phone="13711111111")
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", person, {"note": "新备注"})
    world.hub.close()
    run(hub, station)
    sql = "SELECT phone, note FROM contact WHERE id = ?"
    stands = [side.rows(sql, person) for side in (station, world)]
    world.hub.close()
    return stands == [[("13711111111", "新备注")]] * 2


# --- merge ------------------------------------------------------------------------------------------------------


def merge(world: World, station: Station, persons: list[bytes]) -> dict[str, Any]:
    """The same pushed frames, through `Inbox.accept` with all checks and through the bare extension."""
    rng = random.Random(SEED)
    with station.store.write() as db:
        for person in rng.sample(persons, MERGE_ROWS):
            changed = {"phone": f"137{rng.randrange(10**8):08d}", "address": f"东街 {rng.randrange(10**4)} 号"}
            database.update(db, "contact", {"id": person}, changed)
        outbox.build(db, "reg", station.session(None)._certificate, station.key, world.clock)
        numbers = outbox.pending(db, "reg")
        found = [outbox.frame_at(db, "reg", n) for n in numbers]
    frames = [(f.n, f.data) for f in found if f is not None]
    public = station.key.public_key().public_bytes_raw()
    cells = [codec.unpack_cells(frame.open_frame(data, public).content["cells"]) for _, data in frames]
    count = sum(map(len, cells))
    station.store.close()
    world.hub.close()
    ours, bare = [], []
    for _ in range(MERGE_RUNS):
        ours.append(on_a_copy(world, lambda store: ours_s(store, world, station, frames)))
        bare.append(on_a_copy(world, lambda store: bare_s(store, station.site, cells)))
    # Shared machine: the least disturbed run of each says most about the program.
    return {
        "merge_cells": count,
        "merge_commits": len(frames),
        "merge_cells_per_s": round(count / min(w for w, _ in ours)),
        "raw_crsqlite_cells_per_s": round(count / min(w for w, _ in bare)),
        "merge_ratio": round(min(w for w, _ in bare) / min(w for w, _ in ours), 2),
        "merge_ratio_cpu": round(min(c for _, c in bare) / min(c for _, c in ours), 2),
    }


def on_a_copy(world: World, timed: Callable[[Store], tuple[float, float]]) -> tuple[float, float]:
    """(wall, CPU) seconds of a run on a fresh copy of the hub's database."""
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        path = Path(folder, "hub.db")
        shutil.copy(world.folder / "hub.db", path)
        store = Store(path, DB_KEY, side="hub")
        try:
            return timed(store)
        finally:
            store.close()


def ours_s(store: Store, world: World, station: Station, frames: list[tuple[int, bytes]]) -> tuple[float, float]:
    public = station.key.public_key().public_bytes_raw()
    node = Node(station.name, station.epoch, public, station.site, station.slices)
    box = Inbox(store, world.hub_key, world.clock, lambda pub, fact: None)
    store.connection()  # as at a hub with pages open: the last connection to close would write the log back each time
    wall, cpu = time.monotonic(), time.process_time()
    for n, data in frames:
        box.accept(node, "reg", n, data)
    return time.monotonic() - wall, time.process_time() - cpu


def bare_s(store: Store, site: bytes, frames: list[list[Any]]) -> tuple[float, float]:
    db = database.connect(store.path, DB_KEY)
    sql = "INSERT INTO crsql_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    wall, cpu = time.monotonic(), time.process_time()
    for version, cells in enumerate(frames, 1):
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            sql,
            [
                (c.table, crsqlite.pack_id(c.row_id), c.column, c.value, c.col_version, version, site, 1, i)
                for i, c in enumerate(cells)
            ],
        )
        db.execute("COMMIT")
    taken = time.monotonic() - wall, time.process_time() - cpu
    crsqlite.close(db)
    return taken


# --- kill -------------------------------------------------------------------------------------------------------


def killed_in_mid_transfer(hub: HubProcess, station: Station) -> int:
    """kill -9 of the station's process KILLS times while frames move; most frames moved again after one kill."""
    rng = random.Random(SEED)
    start = len(hub.frames())  # what came before is another station's
    worst = kills = 0
    while kills < KILLS:
        before = hub.frames()[start:]
        process = FORK.Process(target=run, args=(hub, station), daemon=True)
        process.start()
        goal = rng.randrange(1, 4)
        while process.is_alive() and len(hub.frames()) - start < len(before) + goal:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.05))
        killed = process.is_alive()
        process.kill()
        process.join()
        if not killed:
            break
        kills += 1
        worst = max(worst, again(hub.frames()[start + len(before) :], before))
    before = hub.frames()[start:]
    run(hub, station)
    if not kills:
        raise SystemExit("the transfer was over before it could be killed")
    return max(worst, again(hub.frames()[start + len(before) :], before))


def again(frames: list[str], before: list[str]) -> int:
    """How many frames went more than once, or had gone before."""
    known = set(before)
    return sum(n - 1 + (address in known) for address, n in Counter(frames).items())


def kill_runs(hub: HubProcess, world: World, other: Station) -> dict[str, Any]:
    """One kill run over a first load, one over a push of many facts."""
    pulled = killed_in_mid_transfer(hub, other)
    for i in range(KILL_FACTS):
        other.state(case=str(i), answers={"text": random.Random(i).randbytes(400).hex()})
    other.store.close()
    pushed = killed_in_mid_transfer(hub, other)
    return {"resent_frames_after_kill_max": max(pulled, pushed), "resent_pages": pulled, "resent_pushed": pushed}


def table(figures: dict[str, Any]) -> None:
    """Ours beside the others, in seconds; `--` where a peer is absent."""
    ours = {
        "bootstrap_s": figures[f"bootstrap_{PERSONS // 1000}k_s"],
        "nochange_s": figures["nochange_ms"] / 1000,
        "delta100_s": figures["delta100_s"],
        "disjoint_edits_kept": figures["disjoint_edits_kept"],
    }
    print(f"\n{'':28}" + "".join(f"{name:>12}" for name in ("ours", *figures["peers"])))
    for name, value in ours.items():
        theirs = (peer.get(name, "--") for peer in figures["peers"].values())
        print(f"{name:28}" + "".join(f"{cell!s:>12}" for cell in (value, *theirs)))


def main() -> None:
    calm_collector()  # as the programs do
    figures: dict[str, Any] = {"persons": PERSONS, "load_average": [], "cores": os.cpu_count()}

    def note(found: dict[str, Any]) -> None:
        load_now = round(os.getloadavg()[0], 1)
        figures["load_average"].append(load_now)
        for name, value in found.items():
            print(f"{name:32} {value:>14,}   load {load_now}", flush=True)
        figures.update(found)

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), InProcess)
        station, other = world.station("0100-1"), world.station("0100-2")
        load(world.hub, OneTownship(PERSONS, 1, "2026-10", parameter.load()))
        persons = [bytes(row[0]) for row in world.rows("SELECT id FROM contact ORDER BY id")]
        hub = HubProcess(world)
        note(first_load(hub, station))
        note(nothing_to_do(hub, station))
        note(changes_each_way(world, hub, station, persons))
        station.store.close()
        note(kill_runs(hub, world, other))
        hub.stop()
        note(merge(world, station, persons))
        world.close()
    note(herd())
    figures["peers"] = others.everyone(PERSONS)
    table(figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
