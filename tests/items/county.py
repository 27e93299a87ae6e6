# SPDX-License-Identifier: Apache-2.0
"""One hub and one station on real files, joined by real sessions: a county in which every service item is walked.

It is made once per module. `renew` puts both databases back to the morning of the first day, so that one walk leaves
nothing to the next.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from hub import officers
from hub.context import Hub
from hub.courier import make_server
from hub.officers import NewOfficer
from node.app import create_app
from node.exchange import Exchange
from node.station import Station
from schema import crsqlite, database, ids, keys, names, tables
from schema.clock import FixedClock
from schema.database import Store
from schema.home import HubConfig, HubHome, HubSecrets, StationConfig, StationHome, StationSecrets
from schema.view import PersonView
from sync.hub import publish
from sync.wire.certificate import Certificate, issue
from sync.wire.transport import InProcess
from tests.hub.county import CHEAP, PASSWORD, STATION, TOWNSHIP, make_county
from tests.packing import employ

DAY = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)  # a Wednesday, 09:00 in China; the day of the case files
CLERK = "3001"
SLICES = ("county", TOWNSHIP, "330683101", f"node:{STATION}")
MORE_PLACES = (("330683101201", "太平村", "village", "330683101"),)
# An item sent on has two steps of the same post; confidential ones are decided by officers who hold both posts.
MORE_OFFICERS = (
    NewOfficer("2061", "张立", ("accept",)),
    NewOfficer("2063", "高平", ("review",)),
    NewOfficer("2051", "裘正", ("accept", "labour")),
    NewOfficer("2052", "钱明", ("review", "labour")),
)


class Town:
    """The hub, the station, the clerk's browser, the officers' keys."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(DAY)
        self.hub, self.keys = _hub(folder / "hub", self.clock)
        self.station = _station(folder / "station", self.hub, self.clock)
        self.server = make_server(self.hub)
        self.exchange = Exchange(self.station, lambda: InProcess(self.server))
        self.sync()
        self.app = create_app(self.station, self.exchange, cost=CHEAP)
        self.app.testing = True
        self.clerk = Clerk(self.app.test_client())
        self._files = (self.hub.home.database, self.station.home.database)
        self._close()
        for file in self._files:
            shutil.copyfile(file, file.with_suffix(".first"))

    def renew(self) -> None:
        """Both databases as they were before the first walk."""
        self._close()
        for file in self._files:
            for old in file.parent.glob(f"{file.name}*"):
                old.unlink()
            shutil.copyfile(file.with_suffix(".first"), file)

    def sync(self) -> None:
        """One whole session, proven equal at its end."""
        report = self.exchange.run(by_hand=True)
        assert report.ok and report.equal, report
        assert report.refused == 0, self.station_rows("SELECT code, reason FROM refusal")

    def hub_rows(self, sql: str, *values: Any) -> list[Any]:
        with self.hub.store.read() as db:
            return db.execute(sql, values).fetchall()

    def station_rows(self, sql: str, *values: Any) -> list[Any]:
        with self.station.store.read() as db:
            return db.execute(sql, values).fetchall()

    def close(self) -> None:
        self.station.close()
        self.hub.close()

    def _close(self) -> None:
        self.hub.store.close()
        self.station.store.close()


class Clerk:
    """The clerk's browser; `post` carries the token of the last page, as a form would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.token = client, ""
        self.get("/login")
        answer = self.post("/login", {"operator_no": CLERK, "password": PASSWORD})
        assert answer.status_code == 302, answer.text

    def get(self, path: str) -> Any:
        return self._kept(self.client.get(path))

    def post(self, path: str, data: dict[str, Any]) -> Any:
        return self._kept(self.client.post(path, data={"csrf_token": self.token} | data))

    def _kept(self, answer: Any) -> Any:
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer


@contextmanager
def town_in(folder: Path) -> Iterator[Town]:
    """A town that closes its files."""
    town = Town(folder)
    try:
        yield town
    finally:
        town.close()


def _hub(folder: Path, clock: FixedClock) -> tuple[Hub, dict[str, Ed25519PrivateKey]]:
    home = HubHome(folder)
    folder.mkdir()
    secrets = HubSecrets(*(os.urandom(32) for _ in range(6)))
    made = make_county(home.database, secrets)
    config = HubConfig("嵊州市", "Shengzhou", "330683", "127.0.0.1", 8443, "https://127.0.0.1:8443", undo_s=0)
    hub = Hub(home, config, secrets, Store(home.database, secrets.db_key, side="hub"), clock)
    for new in MORE_OFFICERS:
        officers.add(hub.store, new, PASSWORD, clock, must_change=False, cost=CHEAP)
        wrapped = _wrapped(hub.store, new.operator_no)
        made.keys[new.operator_no] = keys.unwrap(wrapped, PASSWORD)
    with publish.transaction(hub.store) as pub:
        for code, name, level, parent in MORE_PLACES:
            pub.put("division", {"code": code, "name": name, "level": level, "parent": parent})
    employ(hub.store)
    return hub, made.keys


def _wrapped(store: Store, operator_no: str) -> bytes:
    with store.read() as db:
        row = db.execute("SELECT wrapped_key FROM officer WHERE operator_no = ?", (operator_no,)).fetchone()
    return bytes(row["wrapped_key"])


def _station(folder: Path, hub: Hub, clock: FixedClock) -> Station:
    home = StationHome(folder)
    folder.mkdir()
    key, epoch = Ed25519PrivateKey.generate(), ids.new_id()
    secrets = StationSecrets(os.urandom(32), key.private_bytes_raw(), os.urandom(32))
    store = Store(home.database, secrets.db_key, side="node")
    with store.write() as db:
        database.set_setting(db, "node_id", STATION.encode())
        database.set_setting(db, "epoch", epoch)
        site = crsqlite.site_id(db)
    public = key.public_key().public_bytes_raw()
    record = {
        "id": STATION, "name": STATION, "slices": " ".join(SLICES), "public_key": public, "epoch": epoch,
        "site_id": site, "serial": 1, "not_after": "2027-12-31", "unsent": 0,
    }  # fmt: skip
    with hub.store.write() as db:
        database.upsert(db, "node_record", record)
    certificate = Certificate(STATION, public, site, epoch, SLICES, "station", "2026-01-01", "2027-12-31", 1)
    home.certificate_file.write_bytes(issue(certificate, hub.secrets.authority))
    config = StationConfig(
        id=STATION, name="甘霖镇劳动保障所", name_en="Ganlin labour office", township=TOWNSHIP,
        hub_url=hub.config.url, port=8100, hub_public=_public(hub.secrets.signing),
        authority_public=_public(hub.secrets.authority),
    )  # fmt: skip
    return Station(home, config, secrets, store, clock)


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def settle(hub: Hub, view: PersonView, more: dict[str, list[dict[str, Any]]]) -> None:
    """Put the register that a case file describes into the hub: `more` are its rows of further tables."""
    home = view.household
    rows: list[tuple[str, dict[str, Any]]] = []
    if home:
        rows.append(("household", home.household))
        rows += [("person", m | {"household_id": home.household_id}) for m in home.members]
        rows += [("enrolment", e | {"person_id": m}) for m, found in home.enrolments.items() for e in found]
    one = {"person": view.person, "contact": view.contact, "bank_account": view.bank_account, "account": view.account}
    many = {
        "enrolment": view.enrolments, "benefit": view.benefits, "employment": view.employments,
        "account": view.accounts, **more,
    }  # fmt: skip
    rows += [("unit", view.unit.unit)] if view.unit else []
    rows += list(one.items()) + [(table, row) for table, found in many.items() for row in found]
    with publish.transaction(hub.store, clock=hub.clock) as pub:
        used: set[tuple[str, bytes]] = set()
        for table, row in rows:
            if row:
                _put(pub, table, row, used)


def _put(pub: publish.Publication, table: str, row: dict[str, Any], used: set[tuple[str, bytes]]) -> None:
    if table == "person":
        pinyin, initials = names.pinyin(row["name"])
        row = row | {"pinyin": pinyin, "initials": initials}
    if "id" in row:  # a case file gives ids only to the rows that its answers name
        row = row if (table, row["id"]) not in used else row | {"id": ids.new_id()}
        used.add((table, row["id"]))
    if tables.TABLES[table].kind == "registry":
        if table == "vacancy":
            pub.place(row["id"], [TOWNSHIP], "vacancy")
        pub.cells(table, row["id"], {n: v for n, v in row.items() if n != "id" and v is not None})
    else:
        pub.put(table, row)
