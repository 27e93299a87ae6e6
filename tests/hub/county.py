# SPDX-License-Identifier: Apache-2.0
"""Helpers: a small county at a hub, a desk of a station that takes cases, a browser."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from stdnum.cn import ric
from werkzeug.test import TestResponse

from hub import officers, pack, receipt_blocks
from hub.context import Hub
from hub.intake import intake
from hub.officers import NewOfficer
from schema import database, events, ids, keys, prefill
from schema.clock import FixedClock, stamp
from schema.database import Store
from schema.events import GENESIS, Fact
from schema.home import HubSecrets
from schema.view import person_view
from sync.hub import publish

CHEAP = keys.Cost(64, 1, 1)
PASSWORD = "清水 runs downhill 7"
STATION, OTHER_STATION = "0100-1", "0101-1"
TOWNSHIP, OTHER_TOWNSHIP = "330683100", "330683101"
VILLAGE, OTHER_VILLAGE = "330683100200", "330683101200"
CLERK, OTHER_CLERK = "3001", "3101"
ACCEPT, CALCULATE, REVIEW, APPROVE, ALL_FOUR, INSPECT, ADMIN = "2001", "2002", "2003", "2004", "2010", "2090", "2099"
CLAIM, ENROLMENT, CHANGE = "resident_pension_claim", "resident_pension_enrolment", "personal_data_change"
BY_STEP = {"accept": ACCEPT, "calculate": CALCULATE, "review": REVIEW, "approve": APPROVE}

HUB_OFFICERS = (
    NewOfficer(ACCEPT, "林小满", ("accept",)),
    NewOfficer(CALCULATE, "周建", ("calculate",)),
    NewOfficer(REVIEW, "赵敏", ("review",)),
    NewOfficer(APPROVE, "何守信", ("approve",)),
    NewOfficer(ALL_FOUR, "全能", ("accept", "calculate", "review", "approve")),
    NewOfficer(INSPECT, "钱稽查", ("inspect",)),
    NewOfficer(ADMIN, "沈涛", ("admin",)),
)
CLERKS = (
    NewOfficer(CLERK, "王丽萍", ("clerk",), STATION),
    NewOfficer(OTHER_CLERK, "过国强", ("clerk",), OTHER_STATION),
)
PLACES = (
    ("330683", "嵊州市", "county", None),
    (TOWNSHIP, "甘霖镇", "township", "330683"),
    (OTHER_TOWNSHIP, "长乐镇", "township", "330683"),
    (VILLAGE, "施家岙村", "village", TOWNSHIP),
    (OTHER_VILLAGE, "水竹村", "village", OTHER_TOWNSHIP),
)
STATIONS = ((STATION, "甘霖镇站点", TOWNSHIP), (OTHER_STATION, "长乐镇站点", OTHER_TOWNSHIP))


def id_number(birth: str, sequence: str = "013", division: str = "330683") -> str:
    """A right ID number of nobody."""
    body = f"{division}{birth}{sequence}"
    return body + str(ric.calc_check_digit(body + "0"))


def newcomer(**given: str) -> dict[str, str]:
    """Answers for the enrolment of somebody in no register."""
    return {
        "name": "陈小燕", "id_number": id_number("19900412", "024"), "phone": "13857581234", "village": VILLAGE,
        "grade": "1000", "start_month": "2026-11", "ethnic": "01", "bank": "农商银行",
        "account_no": "6228480402564890018", "holder": "陈小燕",
    } | given  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A county in a file, and what opens it."""

    path: Path
    secrets: HubSecrets
    keys: dict[str, Ed25519PrivateKey]


def make_county(path: Path, secrets: HubSecrets) -> Made:
    """Two townships with a station each and all officers; nobody in the register."""
    clock = FixedClock(datetime(2026, 11, 1, tzinfo=UTC))
    store = Store(path, secrets.db_key, side="hub")
    with publish.transaction(store) as pub:
        database.set_setting(pub.db, "node_id", b"hub")
        database.set_setting(pub.db, "epoch", os.urandom(16))
        for code, name, level, parent in PLACES:
            pub.put("division", {"code": code, "name": name, "level": level, "parent": parent})
        for station, name, township in STATIONS:
            pub.put("station", {"id": station, "name": name, "township": township})
            record = {
                "id": station,
                "name": name,
                "slices": f"county {township} node:{station}",
                "serial": 1,
                "unsent": 0,
            }
            database.insert(pub.db, "node_record", record)
            receipt_blocks.top_up(pub, station, clock.today())
    for new in (*HUB_OFFICERS, *CLERKS):
        officers.add(store, new, PASSWORD, clock, must_change=False, cost=CHEAP)
    with store.read() as db:
        rows = db.execute("SELECT operator_no, wrapped_key FROM officer").fetchall()
    opened = {row["operator_no"]: keys.unwrap(row["wrapped_key"], PASSWORD) for row in rows}
    store.close()
    return Made(path, secrets, opened)


@dataclass
class County:
    """The hub with its places, officers and persons."""

    hub: Hub
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)
    persons: dict[str, bytes] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.hub.store

    def add_person(self, name: str, birth: str, village: str = VILLAGE, **more: Any) -> bytes:
        """A person in the register, known by name in these tests. `birth`: YYYYMMDD."""
        person_id = ids.new_id()
        number = more.pop("number", None) or id_number(birth)
        row = {
            "id": person_id, "id_number": number, "name": name, "initials": "zjg", "pinyin": "zhoujiangen", "sex": "1",
            "birth_on": f"{birth[:4]}-{birth[4:6]}-{birth[6:]}", "village": village, "life_status": "1",
        }  # fmt: skip
        with publish.transaction(self.store) as pub:
            pub.put("person", row | more)
        self.persons[name] = person_id
        return person_id

    def add_pensioner_to_be(self, name: str = "周建根", birth: str = "19661105", **more: Any) -> bytes:
        """Somebody who turned 60 this month, paid 16 years, has an account and a bank account."""
        person_id = self.add_person(name, birth, **more)
        with publish.transaction(self.store) as pub:
            pub.put("enrolment", {
                "id": ids.new_id(), "person_id": person_id, "insurance": "resident_pension", "state": "active",
                "began_month": "2010-01", "grade_fen": 100000,
            })  # fmt: skip
            pub.put("account", {
                "person_id": person_id, "insurance": "resident_pension", "balance_fen": 2168420, "paid_months": 194,
                "as_of_month": "2026-10",
            })  # fmt: skip
            pub.put("bank_account", {
                "person_id": person_id, "bank": "农商银行", "account_no": "6228480402564890018", "holder": name,
            })  # fmt: skip
            pub.cells("contact", person_id, {"phone": "13857582046", "address": "施家岙 12 号"})
        return person_id

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Rows as plain tuples."""
        with self.store.read() as db:
            return [tuple(row) for row in db.execute(sql, values)]

    def one(self, sql: str, *values: Any) -> Any:
        """The first column of the first row."""
        return self.rows(sql, *values)[0][0]


@dataclass
class Desk:
    """A station's counter: takes cases offline and delivers the facts to the hub's intake."""

    county: County
    station: str = STATION
    clerk: str = CLERK
    township: str = TOWNSHIP
    epoch: bytes = field(default_factory=lambda: os.urandom(16))
    seq: int = 0
    prev: bytes = GENESIS
    serial: int = 0

    def answers(self, service: str, person: str, **given: str) -> dict[str, str]:
        """What the form opens with for that person, and what the clerk typed."""
        hub, person_id = self.county.hub, self.county.persons[person]
        with hub.store.read() as db:
            view = person_view(db, person_id, hub.clock.today())
        assert view is not None
        return prefill.answers(pack.services()[service], view, hub.clock.today(), pack.parameters()) | given

    def next_receipt(self) -> str:
        self.serial += 1
        return ids.receipt_no(self.station, self.county.hub.clock.today().year, self.serial)

    def body(self, service: str, person: str | None, **changes: Any) -> dict[str, Any]:
        """The body of a case_submitted fact, everything right unless changed."""
        item = pack.services()[service]
        given = changes.pop("given", {})
        answers = self.answers(service, person, **given) if person else given
        body = {
            "case_id": ids.new_id(), "service": service, "service_version": item.version, "pack": pack.pack_hash(),
            "mode": item.mode_for(answers), "legal": item.legal_for(answers),
            "person_id": self.county.persons[person] if person else None, "person_name": person or given.get("name"),
            "township": self.township, "receipt_no": self.next_receipt(), "answers": answers,
            "materials": [m.id for m in item.materials_for(answers)], "findings": [],
            "new_person": None if person else answers,
        }  # fmt: skip
        return body | changes

    def fact(self, kind: str, subject: bytes, body: dict[str, Any], **changes: Any) -> Fact:
        """A signed fact of this station, received now."""
        self.seq += 1
        officer, now = changes.pop("officer", self.clerk), stamp(self.county.hub.clock.now())
        made = Fact(
            ids.new_id(), self.station, self.epoch, self.seq, self.prev, kind, 1, subject, officer,
            changes.pop("stated_at", now), body,
        ).signed(self.county.keys[officer])  # fmt: skip
        self.prev = made.hash
        return replace(made, received_at=now)

    def deliver(self, fact: Fact) -> None:
        """As the inbox does: stored and taken in, or neither."""
        hub = self.county.hub
        with publish.transaction(hub.store, clock=hub.clock) as pub, database.savepoint(pub.db, "fact"):
            events.store(pub.db, fact)
            intake(pub, fact)

    def submit(self, service: str, person: str | None, **changes: Any) -> bytes:
        """Take a case and deliver it; its id."""
        stated_at = changes.pop("stated_at", stamp(self.county.hub.clock.now()))
        body = self.body(service, person, **changes)
        self.deliver(self.fact("case_submitted", body["case_id"], body, stated_at=stated_at))
        return bytes(body["case_id"])


@dataclass
class Browser:
    """A page visitor with a session: posts carry the token of the page before, as a form would."""

    client: FlaskClient
    token: str = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        answer = self.client.get(path, **more)
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token} | (data or {}), **more)

    def log_in(self, operator_no: str) -> Browser:
        self.get("/login")
        answer = self.post("/login", {"operator_no": operator_no, "password": PASSWORD, "next": "/"})
        assert answer.status_code == 302, answer.text
        self.get("/")
        return self


Browse = Callable[..., Browser]
AGREE = {"decision": "agree"}
