# SPDX-License-Identifier: Apache-2.0
"""A hub and three to five stations in one process: real encrypted files, the real extension, the real server.

One seed decides everything, ids and keys included, so a run repeats byte for byte.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database, events, ids, migrations
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import Refusal
from schema.events import Fact
from sync.hub import publish
from sync.hub.server import SyncServer
from sync.station.session import Session
from sync.wire.certificate import Certificate, issue
from tests.simulation.model import Cell, Cells, Register, Version

DB_KEY = bytes(range(32))
TOWNSHIPS = ("330683100", "330683101")
# Whose persons each station sees: the first two share a township, the third sees both.
PLACES = ((0,), (0,), (0, 1), (1,), (1,))
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
FOREVER = "2090-12-31"


@cache
def derived_key(name: str) -> Ed25519PrivateKey:
    """The same key in every run."""
    return Ed25519PrivateKey.from_private_bytes(random.Random(f"key {name}").randbytes(32))


HUB_KEY, AUTHORITY = derived_key("hub"), derived_key("authority")
HUB_PUBLIC = HUB_KEY.public_key().public_bytes_raw()
TOKEN_SECRET = b"the token secret of every simulated hub"


@contextmanager
def program(release: int) -> Iterator[None]:
    """What runs in here is the program of that release."""
    before, migrations.SCHEMA_VERSION = migrations.SCHEMA_VERSION, release
    try:
        yield
    finally:
        migrations.SCHEMA_VERSION = before


class Numbers:
    """Stands in for the module `secrets` inside schema.ids, so that ids follow the seed."""

    def __init__(self, seed: str) -> None:
        self.token_bytes = random.Random(seed).randbytes


def seeded_ids(seed: str) -> Any:
    """While this context is open, every new id follows from the seed."""
    return patch.object(ids, "secrets", Numbers(seed))


@dataclass
class Station:
    """One station: its file, its keys, its clock, which may be wrong."""

    place: int
    store: Store
    clock: FixedClock
    skew: timedelta = timedelta(0)
    serial: int = 1
    not_after: str = FOREVER
    release: int = 1

    @property
    def name(self) -> str:
        return f"0100-{self.place + 1}"

    @property
    def officer(self) -> str:
        return f"300{self.place + 1}"

    @property
    def townships(self) -> tuple[str, ...]:
        return tuple(TOWNSHIPS[i] for i in PLACES[self.place])

    @property
    def slices(self) -> tuple[str, ...]:
        return ("county", *self.townships, f"node:{self.name}")

    @property
    def key(self) -> Ed25519PrivateKey:
        return derived_key(self.name)

    @property
    def officer_key(self) -> Ed25519PrivateKey:
        return derived_key(self.officer)

    @property
    def first_epoch(self) -> bytes:
        """The epoch and, below, the author id that its database began with."""
        return random.Random(f"epoch {self.name}").randbytes(16)

    @property
    def first_site(self) -> bytes:
        return random.Random(f"site {self.name}").randbytes(16)

    @property
    def epoch(self) -> bytes:
        """The epoch of its database as it is now."""
        with self.store.read() as db:
            return database.setting(db, "epoch") or self.first_epoch

    @property
    def certificate(self) -> bytes:
        public = self.key.public_key().public_bytes_raw()
        stated = Certificate(
            self.name, public, self.first_site, self.first_epoch, self.slices, "station", "1990-01-01", self.not_after,
            self.serial,
        )
        return issue(stated, AUTHORITY)

    @property
    def machine(self) -> str:
        """Its name in `power`."""
        return str(self.place)


@dataclass
class World:
    """Everything of one run."""

    folder: Path
    rng: random.Random
    hub: Store
    clock: FixedClock
    stations: list[Station]
    cells: Cells
    register: Register
    fired: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    late: list[Any] = field(default_factory=list)
    accepted: list[tuple[Station, str, int, bytes]] = field(default_factory=list)
    arrived: set[tuple[str, ...]] = field(default_factory=set)
    pages: dict[str, Any] = field(default_factory=dict)
    sticks: list[Any] = field(default_factory=list)
    snapshots: dict[tuple[str, bytes, int], dict[Cell, Version]] = field(default_factory=dict)
    fetching: dict[str, set[tuple[str, bytes, int]]] = field(default_factory=dict)
    scans: dict[tuple[bytes, bytes], tuple[str, bytes]] = field(default_factory=dict)
    dated: set[str] = field(default_factory=set)
    people: list[bytes] = field(default_factory=list)
    full: set[Path] = field(default_factory=set)
    release: int = 1
    copies: int = 0
    cursors: dict[tuple[str, str, str], int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    traffic: Counter[str] = field(default_factory=Counter)
    memory_bytes: int = 0
    now: datetime = START
    loaded: set[str] = field(default_factory=set)
    calling: list[Station] = field(default_factory=list)
    edits: int = 0
    server: SyncServer = field(init=False)

    def __post_init__(self) -> None:
        self.open_server()

    # --- opening, crashing, closing ---------------------------------------------------------------------------

    def open_server(self) -> None:
        """A server over the hub's store as it is now."""
        self.server = SyncServer(
            self.hub, HUB_KEY, AUTHORITY.public_key().public_bytes_raw(), TOKEN_SECRET, self.clock,
            self.intake, self.on_hello, authority_key=AUTHORITY,
        )  # fmt: skip

    def crash_hub(self) -> None:
        """The hub's machine goes down and comes up with what was on its disk."""
        self.hub = self._crashed(self.hub)
        self.open_server()

    def crash_station(self, station: Station) -> None:
        """The same for a station."""
        station.store = self._crashed(station.store)

    def _crashed(self, store: Store) -> Store:
        """The file with its log as they lie there, never closed: what a power cut leaves."""
        copy = self.copied(store, store.path.parent)
        store.close()
        return copy

    def copied(self, store: Store, folder: Path) -> Store:
        """A copy of a database as it lies on the disk now, in this folder."""
        self.copies += 1
        path = folder / f"{store.path.name.split('~')[0]}~{self.copies}"
        for suffix in ("", "-wal"):
            source = Path(f"{store.path}{suffix}")
            if source.exists():
                shutil.copyfile(source, f"{path}{suffix}")
        return Store(path, DB_KEY, side=store.side)

    def like(self, folder: Path) -> World:
        """The same county over copies of its files; what happens there, the model does not hear of."""
        stations = [replace(s, store=self.copied(s.store, folder), clock=FixedClock(s.clock.at)) for s in self.stations]
        hub, clock = self.copied(self.hub, folder), FixedClock(self.clock.at)
        return World(folder, random.Random(0), hub, clock, stations, self.cells, self.register, release=self.release)

    def close(self) -> None:
        """Close every file and drop the folder."""
        for store in (self.hub, *(s.store for s in self.stations)):
            store.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what the sync layer calls ----------------------------------------------------------------------------

    def intake(self, pub: publish.Publication, fact: Fact) -> None:
        """The business above, as small as it can be: it records that it acted, and refuses or fails when told so."""
        said = fact.body
        row = {
            "case_id": fact.subject, "station": fact.origin, "service": "s", "receipt_no": fact.id.hex(),
            "state": "submitted", "received_at": fact.received_at,
        }  # fmt: skip
        if pub.db.execute("SELECT 1 FROM case_state WHERE case_id = ?", (fact.subject,)).fetchone():
            row["state"] = "twice"
        pub.put("case_state", row)
        if said.get("person"):
            pub.put("person", person_row(said["person"], said["village"], said["name"]))
            pub.cells("contact", said["person"], {"phone": said["phone"]})
        if said["bad"] == "refused by the business":
            raise Refusal("不收", "not taken", code="business")
        if said["bad"] == "breaks the business":
            raise KeyError("a fault of ours")

    def on_hello(self, pub: publish.Publication, node: str, stated: dict[str, Any]) -> None:
        """Nothing to publish."""

    def receive(self, db: Any, fact: Fact) -> None:
        """A station counts how often it acted on a fact of the hub."""
        name = "got:" + fact.id.hex()
        times = database.setting(db, name) or b""
        database.set_setting(db, name, times + b"x")

    # --- small things -----------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """One line of the trace."""
        self.trace.append("  " * len(self.calling) + text)

    def name_of(self, person: bytes) -> str:
        """A person in the trace."""
        return f"p{self.people.index(person):02d}" if person in self.people else person.hex()

    def session(self, station: Station, carry: Callable[[], Any]) -> Session:
        """A session object over the store as it is open now."""
        return Session(
            station.store, station.key, station.certificate, HUB_PUBLIC, carry(), station.clock, self.receive,
            is_urgent=lambda fact: bool(fact.body.get("urgent")),
        )  # fmt: skip

    def set_clocks(self, at: datetime, hub_error: timedelta = timedelta(0)) -> None:
        """The true time; each clock follows with its error. The hub's is put right with the next step."""
        self.now, self.clock.at = at, at + hub_error
        for station in self.stations:
            station.clock.at = at + station.skew

    def set_station_clock(self, station: Station, error_s: float) -> None:
        """This station's clock is wrong by that much from now on."""
        station.skew = timedelta(seconds=error_s)
        station.clock.at = self.now + station.skew

    def advance(self, seconds: float) -> None:
        """Time goes on everywhere."""
        self.set_clocks(self.now + timedelta(seconds=seconds))

    def persons_at(self, station: Station) -> list[bytes]:
        """Who is in this station's file, in the order of the trace."""
        with station.store.read() as db:
            held = {bytes(r[0]) for r in db.execute("SELECT id FROM person")}
        return [p for p in self.people if p in held]


def person_row(person: bytes, village: str, name: str) -> dict[str, Any]:
    """A synthetic person."""
    return {
        "id": person, "id_number": "330683195501010011", "name": name, "sex": "1", "birth_on": "1955-01-01",
        "village": village, "life_status": "1",
    }  # fmt: skip


def state_fact(station: Station, case: bytes, body: dict[str, Any], **more: Any) -> Fact:
    """A submitted case signed by the station's officer, or by whoever `more` names."""
    signer: dict[str, Any] = {"officer": station.officer, "key": station.officer_key} | more
    with station.store.write() as db:
        return events.state(db, "case_submitted", case, body, clock=station.clock, **signer)
