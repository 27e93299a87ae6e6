# SPDX-License-Identifier: Apache-2.0
"""The second layer: the real programs behind a line that breaks at any byte, killed at any moment.

    python -m tests.simulation.processes --minutes 30 [--seed 1]

A hub and two stations of one township. In each round people edit the same few persons while both stations exchange and
one program is killed; at the end the line is good, everybody exchanges, and nothing may be lost or differ. The moments
are drawn from the seed, what the machine makes of them is not: unlike the first layer, a round does not repeat exactly.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from schema import database
from schema.database import Store
from tests.simulation.proxy import Proxy
from tests.story import audit
from tests.story.world import BIN, World

STATIONS = ("0100-1", "0100-2")
TOWNSHIP = "330683100"
PERSONS = 600
BADNESS = 0.35
COLUMNS = ("phone", "address", "note")
VICTIMS = ("hub", *STATIONS, "")


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass
class Soak:
    """One county, its line, and what people wrote."""

    world: World
    rng: random.Random
    proxy: Proxy
    written: list[tuple[bytes, str, str]] = field(default_factory=list)
    replaced: set[tuple[bytes, str, str | None]] = field(default_factory=set)
    fired: Counter[str] = field(default_factory=Counter)

    @property
    def killed(self) -> int:
        """How many programs have been killed."""
        return self.fired["killed hub"] + self.fired["killed exchange"]

    def round(self) -> None:
        """People work, both stations exchange, and somebody may die."""
        if "hub" not in self.world.running:
            self.world.start_hub()
        self.proxy.badness = BADNESS
        exchanges = {station: self._exchange(station) for station in STATIONS}
        victim = self.rng.choice(VICTIMS)
        moments = sorted(self.rng.uniform(0.0, 0.15) for _ in range(4))
        for moment in moments:
            time.sleep(moment)  # the moment is the test
            for station in STATIONS:
                self._edit(station)
        if victim == "hub":
            process = self.world.running.pop("hub")
            process.send_signal(signal.SIGKILL)
            process.wait()
        elif victim:
            exchanges[victim].kill()
        self.fired[f"killed {'hub' if victim == 'hub' else 'exchange'}"] += bool(victim)
        for station, process in exchanges.items():
            said, _ = process.communicate()
            good = bool(said.strip()) and json.loads(said.splitlines()[-1])["ok"]
            self.fired["exchange ended well" if good else "exchange broke off"] += station != victim

    def _exchange(self, station: str) -> subprocess.Popen[bytes]:
        words = [BIN / "township-node", "sync", "--dir", self.world.station(station).path, "--json"]
        return subprocess.Popen(words, env=self.world._env(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def _edit(self, station: str) -> None:
        with closing(self.world.open_station(station)) as store, store.write() as db:
            people = [bytes(r[0]) for r in db.execute("SELECT id FROM person ORDER BY id LIMIT 4")]
            person, column = self.rng.choice(people), self.rng.choice(COLUMNS)
            value = f"1{self.rng.randrange(10)}{len(self.written):06d}"
            known = db.execute(f"SELECT {column} FROM contact WHERE id = ?", (person,)).fetchone()
            if known is None:
                database.insert(db, "contact", {"id": person, column: value})
            else:
                database.update(db, "contact", {"id": person}, {column: value})
        self.replaced.add((person, column, known[0] if known else None))
        self.written.append((person, column, value))

    def end(self) -> None:
        """The line is good now. Raises Broken."""
        self.proxy.badness = 0.0
        if "hub" not in self.world.running:
            self.world.start_hub()
        for last in (False, False, True):
            for station in STATIONS:
                report = self.world.sync(station)
                if not report["ok"] or (last and report["equal"] is not True):
                    raise Broken(f"{station}: {report}")
        self.world.stop_all()
        stores = {station: self.world.open_station(station) for station in STATIONS}
        with closing(self.world.open_hub()) as hub:
            try:
                self._require(hub, stores)
            finally:
                for store in stores.values():
                    store.close()

    def _require(self, hub: Store, stores: dict[str, Store]) -> None:
        for station, store in stores.items():
            held = ["county", TOWNSHIP, f"node:{station}"]
            if differing := audit.differing_rows(hub, store, held):
                raise Broken(f"{station} differs: {differing[:3]}")
        for store in (hub, *stores.values()):
            if audit.count(store, "SELECT count(*) FROM incident WHERE kind IN ('digest', 'untracked')"):
                raise Broken("a repair was needed")
            with store.read() as db:
                if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                    raise Broken(f"{store.path.name} is damaged")
        with hub.read() as db:
            kept = {
                (bytes(row[0]), row[1], value)
                for row in db.execute("SELECT row_id, col, kept, lost FROM conflict")
                for value in (row[2], row[3])
            }
            for person, column, value in self.written:
                now = db.execute(f"SELECT {column} FROM contact WHERE id = ?", (person,)).fetchone()
                stands = now is not None and now[0] == value
                if not stands and (person, column, value) not in self.replaced | kept:
                    raise Broken(f"{person.hex()}.{column} = {value} is nowhere")


def soak(folder: Path, seed: int) -> Iterator[Soak]:
    """A county with its stations loaded, behind the proxy; stopped afterwards."""
    world, rng = World(folder), random.Random(seed)
    world.make_hub(PERSONS, seed)
    for station in STATIONS:
        world.new_station(station, station, TOWNSHIP)
    proxy: Proxy | None = None
    try:
        world.start_hub()
        proxy = Proxy(world.ports["hub"], rng)
        for station in STATIONS:
            world.install_station(station)
            _through(world, station, proxy)
            report = world.sync(station)
            if report["equal"] is not True:
                raise Broken(f"first exchange of {station}: {report}")
        yield Soak(world, rng, proxy)
    finally:
        world.stop_all()
        if proxy is not None:
            proxy.close()


def _through(world: World, station: str, proxy: Proxy) -> None:
    """From now on this station's hub is the proxy."""
    config = world.station(station).config_file
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(f":{world.ports['hub']}", f":{proxy.port}"), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.processes", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="what the moments are drawn from")
    options = parser.parse_args(arguments)
    until, figures = time.monotonic() + options.minutes * 60, dict[str, Any]()
    with TemporaryDirectory() as folder:
        for one in soak(Path(folder) / "place", options.seed):
            rounds = 0
            try:
                while time.monotonic() < until:
                    one.round()
                    rounds += 1
                    if rounds % 10 == 0:
                        one.end()
                        one.world.start_hub()
                        print(f"{rounds} rounds: {dict(one.fired)} {dict(one.proxy.fired)}", file=sys.stderr)
                one.end()
            except Broken as reason:
                print(f"processes: broken: {reason}", flush=True)
                return 1
            figures = {"rounds": rounds, "edits": len(one.written), **one.fired, "line": dict(one.proxy.fired)}
    print(f"processes: ok {json.dumps(figures)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
