# SPDX-License-Identifier: Apache-2.0
"""All stations at once after an outage: each with work to send and news to fetch, on TLS connections of their own.

STATIONS (default 500) are spread over fifteen townships. The hub sheds what it cannot take; a station waits as it is
told, with jitter, and comes again. Meanwhile somebody at the hub opens pages and saves: how long that takes is measured
too.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from provisioning.county.places import townships
from schema import crsqlite, database, ids
from schema.database import Store
from sync.hub import publish
from sync.station import backoff
from sync.wire.transport import InProcess
from tests.bench.hub_process import FORK, HubProcess
from tests.sync.county import DB_KEY, Station, World

STATIONS = int(os.environ.get("STATIONS", "500"))
PERSONS_IN_A_TOWNSHIP = 60
EDITS, FACTS, NEWS = 3, 2, 300
CLIENTS, LINES = 2, 125
TRIES = 12
SEED = 20261123


def herd() -> dict[str, Any]:
    """Run it; the figures by their names."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), InProcess)
        places = [place.code for place in townships()]
        persons = {code: [world.person(code + "201") for _ in range(PERSONS_IN_A_TOWNSHIP)] for code in places}
        stations = [_station(world, f"{n:04d}-1", places[n % len(places)]) for n in range(STATIONS)]
        _load(world, stations)
        _outage(world, stations, persons)
        hub = HubProcess(world)
        try:
            return _all_at_once(hub, stations)
        finally:
            hub.stop()


def _station(world: World, name: str, township: str) -> Station:
    """A station whose database does not exist yet: it is copied from the first one of its township."""
    station = world.station(name, (township,))
    station.store.close()
    return station


def _load(world: World, stations: list[Station]) -> None:
    """One real first load for each township; the others are copies under a name, epoch and author id of their own."""
    loaded: dict[str, Path] = {}
    for station in stations:
        township, path = station.slices[1], station.store.path
        if township not in loaded:
            station.sync()
            station.store.close()
            loaded[township] = path
            continue
        shutil.copy(loaded[township], path)
        db = database.connect(path, DB_KEY)
        db.execute("UPDATE crsql_site_id SET site_id = ? WHERE ordinal = 0", (station.site,))
        database.set_setting(db, "node_id", station.name.encode())
        database.set_setting(db, "epoch", station.epoch)
        db.execute("DELETE FROM cursor WHERE slice LIKE 'node:%'")
        db.execute("DELETE FROM link")
        db.execute("DELETE FROM officer")  # the one table so far that belongs to one station alone
        crsqlite.close(db)
        station.store = Store(path, DB_KEY, side="node")
        station.store.close()


def _outage(world: World, stations: list[Station], persons: dict[str, list[bytes]]) -> None:
    """What piled up on both sides while the line was down."""
    rng = random.Random(SEED)
    for station in stations:
        for person in rng.sample(persons[station.slices[1]], EDITS):
            station.edit(person, phone=f"139{rng.randrange(10**8):08d}")
        for n in range(FACTS):
            station.state(case=str(n), answers={"text": rng.randbytes(150).hex()})
        station.store.close()
    with publish.transaction(world.hub) as pub:
        for person in rng.sample([p for held in persons.values() for p in held], NEWS):
            pub.cells("contact", person, {"note": f"电话核实 {rng.randrange(1000)}"})


def _all_at_once(hub: HubProcess, stations: list[Station]) -> dict[str, Any]:
    parts = [stations[i::CLIENTS] for i in range(CLIENTS)]
    results: Any = FORK.Queue()
    began = time.monotonic()
    clients = [FORK.Process(target=_clients, args=(hub, part, results, n)) for n, part in enumerate(parts)]
    for client in clients:
        client.start()
    probe = _Probe(hub)
    outcomes = [outcome for _ in clients for outcome in results.get()]
    seconds = time.monotonic() - began
    waited = probe.stop()
    for client in clients:
        client.join()
    return {
        "herd_stations": len(outcomes),
        "herd_failed": sum(not equal for equal, _, _ in outcomes),
        "herd_s": round(seconds, 1),
        "herd_sessions": sum(sessions for _, sessions, _ in outcomes),
        "herd_shed": sum(shed for _, _, shed in outcomes),
        "herd_hub_rss_mb": hub.peak_rss_mb(),
        "herd_page_ms_median": round(1000 * statistics.median(waited)),
        "herd_page_ms_max": round(1000 * max(waited)),
    }


def _clients(hub: HubProcess, stations: list[Station], results: Any, number: int) -> None:
    rng = random.Random(SEED + number)
    seeds = [rng.random() for _ in stations]
    with ThreadPoolExecutor(LINES) as lines:
        results.put(list(lines.map(lambda s, seed: _until_equal(hub, s, random.Random(seed)), stations, seeds)))


def _until_equal(hub: HubProcess, station: Station, rng: random.Random) -> tuple[bool, int, int]:
    """(proven equal in the end, sessions, times sent away). Equal, not merely done: nothing is left on either side."""
    shed = 0
    for sessions in range(1, TRIES + 1):
        line = hub.transport()
        try:
            report = station.session(line).run()
        finally:
            line.close()
            station.store.close()
        if report.ok and report.equal:
            return True, sessions, shed
        shed += report.error_code == "overload"
        time.sleep(backoff.next_delay_s(sessions - 1, rng, report.retry_after_s))
    return False, TRIES, shed


class _Probe:
    """Somebody at the hub: opens a page and saves something, again and again."""

    def __init__(self, hub: HubProcess) -> None:
        self._hub, self._ended = hub, threading.Event()
        self._waited: list[float] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with httpx.Client(verify=self._hub.trust(), trust_env=False, timeout=60) as client:
            while not self._ended.wait(0.2):
                began = time.monotonic()
                client.post(f"{self._hub.url}/page", content=ids.new_id()).raise_for_status()
                self._waited.append(time.monotonic() - began)

    def stop(self) -> list[float]:
        """Seconds that each save took."""
        self._ended.set()
        self._thread.join()
        return self._waited
