# SPDX-License-Identifier: Apache-2.0
"""A county in miniature: one hub and any number of stations, real files, real keys."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.server import LANES
from schema import crsqlite, database, events, ids
from schema.clock import FixedClock, stamp
from schema.database import Store
from schema.errors import Unreachable
from schema.web.server import Server
from sync.hub import publish
from sync.hub.server import SyncServer
from sync.station.conversation import Conversation
from sync.station.session import Report, Session
from sync.wire.certificate import Certificate, issue
from sync.wire.transport import Request, Response

TOWNSHIP = "330683100"
DB_KEY = bytes(range(32))


class Station:
    """One station: its database, its key, its officer."""

    def __init__(self, world: World, name: str, township: tuple[str, ...]) -> None:
        self.world, self.name = world, name
        self.key, self.officer_key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.officer = f"3{len(world.stations):03d}"
        self.slices = ("county", *township, f"node:{name}")
        self.epoch = ids.new_id()
        self.store = Store(world.folder / f"{name}.db", DB_KEY, side="node")
        self.received: list[events.Fact] = []
        with self.store.write() as db:
            database.set_setting(db, "node_id", name.encode())
            database.set_setting(db, "epoch", self.epoch)
            self.site = crsqlite.site_id(db)
        self.certificate = world.certify(self)

    def session(self, transport: Any = None) -> Session:
        return Session(
            self.store,
            self.key,
            self.certificate,
            self.world.hub_public,
            transport or self.world.transport(),
            self.world.clock,
            lambda db, fact: self.received.append(fact),
            is_urgent=lambda fact: fact.body.get("urgent") is True,
        )

    def conversation(self, transport: Any = None) -> Conversation:
        """What a stage of a session speaks through."""
        line = transport or self.world.transport()
        return Conversation(
            self.store,
            self.key,
            self.certificate,
            self.world.hub_public,
            line,
            self.world.clock,
            lambda stage, done: None,
        )

    def sync(self, transport: Any = None) -> Report:
        return self.session(transport).run()

    def edit(self, person: bytes, **cells: Any) -> None:
        with self.store.write() as db:
            if db.execute("SELECT 1 FROM contact WHERE id = ?", (person,)).fetchone() is None:
                database.insert(db, "contact", {"id": person, **cells})
            else:
                database.update(db, "contact", {"id": person}, cells)

    def state(self, kind: str = "case_submitted", key: Ed25519PrivateKey | None = None, **body: Any) -> events.Fact:
        with self.store.write() as db:
            return events.state(
                db, kind, ids.new_id(), body, officer=self.officer, key=key or self.officer_key, clock=self.world.clock
            )

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as db:
            return [tuple(r) for r in db.execute(sql, values)]

    def phone(self, person: bytes) -> str | None:
        found = self.rows("SELECT phone FROM contact WHERE id = ?", person)
        return found[0][0] if found else None


class World:
    """The hub, its server and its stations."""

    def __init__(self, folder: Path, carry: Callable[[SyncServer], Any]) -> None:
        self.folder = folder
        self.clock = FixedClock(datetime(2026, 11, 20, 1, 0, tzinfo=UTC))
        self.hub_key, self.authority = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.hub_public = self.hub_key.public_key().public_bytes_raw()
        self.hub = Store(folder / "hub.db", DB_KEY, side="hub")
        with self.hub.write() as db:
            database.set_setting(db, "node_id", b"hub")
            database.set_setting(db, "epoch", bytes(16))
        self.stations: list[Station] = []
        self.taken: list[events.Fact] = []
        self.intake: Callable[[publish.Publication, events.Fact], None] = lambda pub, fact: self.taken.append(fact)
        self.greeted: list[tuple[str, dict[str, Any]]] = []
        self.granted: list[tuple[str, bool]] = []
        self.server = SyncServer(
            self.hub,
            self.hub_key,
            self.authority.public_key().public_bytes_raw(),
            b"token secret of this test",
            self.clock,
            lambda pub, fact: self.intake(pub, fact),
            lambda pub, node, info: self.greeted.append((node, info)),
            authority_key=self.authority,
            on_grant=lambda pub, node, fork: self.granted.append((node, fork)),
        )
        self._carry = carry

    def transport(self) -> Any:
        return self._carry(self.server)

    def certify(self, station: Station, serial: int = 1, not_after: str = "2027-12-31") -> bytes:
        public = station.key.public_key().public_bytes_raw()
        record = {
            "id": station.name,
            "name": station.name,
            "slices": " ".join(station.slices),
            "public_key": public,
            "epoch": station.epoch,
            "site_id": station.site,
            "serial": serial,
            "not_after": not_after,
            "unsent": 0,
        }
        with self.hub.write() as db:
            database.upsert(db, "node_record", record)
        return issue(
            Certificate(
                station.name,
                public,
                station.site,
                station.epoch,
                station.slices,
                "station",
                "2026-01-01",
                not_after,
                serial,
            ),
            self.authority,
        )

    def station(self, name: str = "0100-1", township: tuple[str, ...] = (TOWNSHIP,)) -> Station:
        station = Station(self, name, township)
        self.stations.append(station)
        public = station.officer_key.public_key().public_bytes_raw()
        with publish.transaction(self.hub) as pub:
            pub.put("station", {"id": name, "name": name, "township": township[0]})
            pub.put(
                "officer",
                {
                    "operator_no": station.officer,
                    "name": "甲",
                    "roles": "clerk",
                    "station": name,
                    "public_key": public,
                    "wrapped_key": b"w",
                    "must_change": 0,
                },
            )
            pub.put(
                "officer_key",
                {
                    "operator_no": station.officer,
                    "valid_from": stamp(self.clock.now() - timedelta(days=1)),
                    "name": "甲",
                    "roles": "clerk",
                    "public_key": public,
                },
            )
        return station

    def person(self, village: str = TOWNSHIP + "201", phone: str | None = "13800000000", **more: Any) -> bytes:
        person_id = ids.new_id()
        row = {
            "id": person_id,
            "id_number": "330683195501010011",
            "name": "测试甲",
            "sex": "1",
            "birth_on": "1955-01-01",
            "village": village,
            "life_status": "1",
        }
        with publish.transaction(self.hub) as pub:
            pub.put("person", row | more)
            if phone is not None:
                pub.cells("contact", person_id, {"phone": phone})
        return person_id

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.hub.read() as db:
            return [tuple(r) for r in db.execute(sql, values)]

    def phone(self, person: bytes) -> str | None:
        found = self.rows("SELECT phone FROM contact WHERE id = ?", person)
        return found[0][0] if found else None

    def request(self, method: str, path: str, query: dict[str, str] | None = None, **more: Any) -> Response:
        return self.server.handle(Request(method, path, query or {}, more.get("headers", {}), more.get("body", b"")))

    def close(self) -> None:
        for store in (self.hub, *(s.store for s in self.stations)):
            store.close()


class Cut:
    """A line that breaks once: at request `at`, before it reaches the hub or before the answer is back."""

    def __init__(self, inner: Any, at: int, *, delivered: bool) -> None:
        self.inner, self.at, self.delivered, self.count = inner, at, delivered, 0

    def request(self, *args: Any) -> Response:
        self.count += 1
        if self.count != self.at:
            return self.inner.request(*args)
        if self.delivered:
            self.inner.request(*args)
        raise Unreachable("线断了", "the line is cut")


class Recorder:
    """A line that remembers what went over it."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.log = inner, []

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
        response = self.inner.request(method, path, query, headers, body)
        self.log.append((Request(method, path, query, headers, body), response))
        return response


def _application(server: SyncServer) -> Callable[..., Any]:
    """WSGI straight to the sync server."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        response = server.handle(Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, headers, body))
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", list(response.headers.items()))
        return [response.body]

    return answer


class HttpHub:
    """A real HTTP(S) server in a thread for one SyncServer."""

    def __init__(self, server: SyncServer, tls: tuple[Path, Path] | None = None) -> None:
        context = None
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(str(tls[0]), str(tls[1]))
        self.server = Server(_application(server), "127.0.0.1", 0, context, lanes=LANES, body_max_bytes=2**20)
        self.port = self.server.prepare()[1]
        self.thread = threading.Thread(target=self.server.serve, daemon=True)
        self.thread.start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.server.stop()
        self.thread.join()


def work(world: Any, station: Any, person: bytes) -> None:
    """A morning at the counter and at the hub: facts and cells from both sides."""
    station.state(case="one")
    station.edit(person, phone="13911111111", address="东街 1 号")
    station.state(case="two")
    hub_fact(world, station.name)
    other = world.person(phone="0575-83000001")
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", other, {"note": "中心备注"})
        pub.put("unit", {"id": ids.new_id(), "uscc": "91330683MA0000000X", "name": "测试厂", "township": "330683100"})


def hub_fact(world: Any, station: str, kind: str = "case_accepted") -> events.Fact:
    with publish.transaction(world.hub) as pub:
        fact = events.state(
            pub.db, kind, ids.new_id(), {"case_id": ids.new_id()}, officer="2001", key=world.hub_key, clock=world.clock,
            received_at="2026-11-20T01:00:00.000Z",
        )  # fmt: skip
        pub.fact(fact, station)
    return fact


def content(side: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Everything both sides must agree on, read with plain SQL rather than with the code under test."""
    return {
        "contact": side.rows("SELECT id, phone, address, note FROM contact ORDER BY id"),
        "versions": side.rows(
            "SELECT p.id, c.col_name, c.col_version FROM contact__crsql_clock c "
            "JOIN contact__crsql_pks p ON p.__crsql_key = c.key ORDER BY 1, 2"
        ),
        "person": side.rows("SELECT id, name, rev FROM person ORDER BY id"),
        "unit": side.rows("SELECT id, name, rev FROM unit ORDER BY id"),
        "fact": side.rows("SELECT id, hash FROM fact ORDER BY id"),
    }
