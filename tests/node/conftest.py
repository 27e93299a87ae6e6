# SPDX-License-Identifier: Apache-2.0
"""A small township at a station, filled by plain inserts, and a browserless client with an officer logged in.

All persons are synthetic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import cbor2
import certifi
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from stdnum.cn import ric
from werkzeug.test import TestResponse

from node import cases
from node.app import create_app
from node.exchange import Exchange
from node.station import Station, open_station
from schema import crsqlite, database, ids, keys, names
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import Unreachable
from schema.home import StationConfig, StationHome, StationSecrets, write_toml
from schema.web.door import Officer
from sync.wire.certificate import Certificate, issue

STATION = "0100-1"
TOWNSHIP = "330683100"
PASSWORD = "counter window 3012"
CHEAP = keys.Cost(64, 1, 1)
HUB_SITE = bytes(range(16, 32))
UNLOCK = b"a passphrase for tests"
OFFICERS = {"3012": ("王丽萍", 0), "3007": ("俞国平", 0), "3019": ("蒋伟", 1)}

LONG_AGO = "2026-11-01T00:00:00.000Z"
LINK = {
    "state": "down",
    "since": "2026-11-21T22:00:00.000Z",
    "last_contact_at": "2026-11-20T22:40:00.000Z",
    "last_equal_at": "2026-11-20T22:40:00.000Z",
}

# number, name, village, phone, household
PERSONS = (
    ("330683196508120010", "张建国", "330683100201", "13857582064", 1),
    ("330683196702145026", "吕秀珍", "330683100201", None, 1),
    ("330683199011240016", "张伟", "330683100201", "13957580016", 1),
    ("330683198111030421", "陈桂英", "330683100202", "15857501162", 2),
    ("330683197905271158", "章金国", "330683100202", None, 2),
    ("330623195603071236", "郑俊刚", "330683100203", "0575-83270000", 3),
    ("330683200104153228", "张俊格", "330683100203", None, 3),
)


class Cut:
    """A line that is down."""

    def request(self, *_: Any) -> Any:
        raise Unreachable("连不上中心", "the hub does not answer")


def number_of(body: str) -> str:
    """An ID number with the right check digit, from its first 17."""
    return body[:17] + str(ric.calc_check_digit(body[:17] + "0"))


@pytest.fixture(scope="session")
def officer_keys() -> dict[str, tuple[bytes, bytes]]:
    """One key per officer, all with the same password."""
    return {number: keys.new_officer_key(PASSWORD, CHEAP) for number in OFFICERS}


@pytest.fixture
def hub_key() -> Ed25519PrivateKey:
    """The key with which the hub signs its frames."""
    return Ed25519PrivateKey.generate()


@pytest.fixture
def authority() -> Ed25519PrivateKey:
    """The key with which the county signs certificates."""
    return Ed25519PrivateKey.generate()


@pytest.fixture
def home(
    tmp_path: Path, clock: FixedClock, hub_key: Ed25519PrivateKey, authority: Ed25519PrivateKey
) -> StationHome:
    """An installed station folder: settings, sealed secrets, database, certificate."""
    place = StationHome(tmp_path / "station")
    place.path.mkdir()
    node = Ed25519PrivateKey.generate()
    secrets = StationSecrets(bytes(range(32)), node.private_bytes_raw(), bytes(range(32, 64)))
    # Sealed as `StationHome.seal` does, at a cost that tests can pay.
    place.secrets_file.write_bytes(keys.seal(cbor2.dumps(asdict(secrets)), UNLOCK, CHEAP))
    write_toml(
        place.config_file,
        StationConfig(
            id=STATION,
            name="甘霖镇劳动保障所",
            name_en="Ganlin labour office",
            township=TOWNSHIP,
            hub_url="https://127.0.0.1:9",
            port=8100,
            hub_public=hub_key.public_key().public_bytes_raw().hex(),
            authority_public=authority.public_key().public_bytes_raw().hex(),
            phone="0575-00000000",
        ),
    )
    (place.path / "unlock").write_bytes(UNLOCK)
    place.ca_file.write_bytes(Path(certifi.where()).read_bytes())
    store = Store(place.database, secrets.db_key, side="node")
    epoch = ids.new_id()
    with store.write() as db:
        database.set_setting(db, "node_id", STATION.encode())
        database.set_setting(db, "epoch", epoch)
        site = crsqlite.site_id(db)
    store.close()
    today = clock.today()
    certificate = Certificate(
        STATION,
        node.public_key().public_bytes_raw(),
        site,
        epoch,
        ("county", TOWNSHIP, f"node:{STATION}"),
        "station",
        (today - timedelta(days=1)).isoformat(),
        (today + timedelta(days=700)).isoformat(),
        1,
    )
    place.certificate_file.write_bytes(issue(certificate, authority))
    return place


@pytest.fixture
def station(home: StationHome, clock: FixedClock, officer_keys: dict[str, tuple[bytes, bytes]]) -> Iterator[Station]:
    """The opened station with its township."""
    opened = open_station(home.path, str(home.path / "unlock"), clock=clock)
    with opened.store.write() as db:
        fill(db, officer_keys)
    with opened.store.merging() as db:
        fill_contacts(db)
    yield opened
    opened.close()


def fill(db: Any, officer_keys: dict[str, tuple[bytes, bytes]]) -> None:
    """What the hub would have sent: places, officers, a block of numbers, persons and everything of theirs."""
    _places(db)
    for number, (name, must_change) in OFFICERS.items():
        public, wrapped = officer_keys[number]
        row = {"operator_no": number, "name": name, "roles": "clerk", "public_key": public, "rev": 1}
        database.insert(db, "officer", row | {"station": STATION, "wrapped_key": wrapped, "must_change": must_change})
        database.insert(db, "officer_key", row | {"valid_from": "2026-01-01T00:00:00.000Z"})
    block = {"station": STATION, "year": 2026, "first": 401, "last": 900, "rev": 1}
    database.insert(db, "receipt_block", block)
    for body, name, village, _, household in PERSONS:
        add_person(db, body, name, village, household)
    _relations(db)
    for name, value in LINK.items():
        database.insert(db, "link", {"name": name, "value": value})


def _places(db: Any) -> None:
    places = [("330683100", "甘霖镇", "Ganlin", "township", "330683")]
    villages = (("201", "苍岩村", "Cangyan"), ("202", "施家岙村", "Shijia'ao"), ("203", "东王村", "Dongwang"))
    places += [(TOWNSHIP + code, zh, en, "village", TOWNSHIP) for code, zh, en in villages]
    for code, zh, en, level, parent in places:
        row = {"code": code, "name": zh, "name_en": en, "level": level, "parent": parent, "rev": 1}
        database.insert(db, "division", row)
    database.insert(db, "station", {"id": STATION, "name": "甘霖镇劳动保障所", "township": TOWNSHIP, "rev": 1})


def fill_contacts(db: Any) -> None:
    """Phones and addresses, merged as the hub's own cells: nothing of them is this station's news."""
    for _, name, _, phone, _ in PERSONS:
        if phone:
            person_id = person_named(db, name)
            values = {"phone": phone, "address": f"{name[0]}家路 4 号"}
            cells = [crsqlite.Cell("contact", person_id, c, v, 1, 0, 1, None) for c, v in values.items()]
            crsqlite.apply(db, cells, HUB_SITE)


def add_person(db: Any, body: str, name: str, village: str, household: int | None = None) -> bytes:
    """One person with a right ID number; returns the id."""
    number = number_of(body)
    full, initials = names.pinyin(name)
    person_id = ids.new_id()
    household_id = household.to_bytes(16, "big") if household else None
    person = {
        "id": person_id,
        "id_number": number,
        "name": name,
        "initials": initials,
        "pinyin": full,
        "sex": "1" if int(number[16]) % 2 else "2",
        "birth_on": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        "ethnic": "01",
        "village": village,
        "household_id": household_id,
        "life_status": "1",
        "rev": 1,
    }
    database.insert(db, "person", person)
    return person_id


def _relations(db: Any) -> None:
    zhang, gang = person_named(db, "张建国"), person_named(db, "郑俊刚")
    for person, began, months, balance in ((zhang, "2012-01", 178, 1_820_000), (gang, "2011-01", 180, 950_000)):
        enrolment = {"id": ids.new_id(), "person_id": person, "insurance": "resident_pension", "began_month": began}
        database.insert(db, "enrolment", enrolment | {"state": "active", "grade_fen": 100_000, "rev": 1})
        account = {"person_id": person, "insurance": "resident_pension", "balance_fen": balance}
        database.insert(db, "account", account | {"paid_months": months, "as_of_month": "2026-10", "rev": 1})
    paid = {"person_id": gang, "insurance": "resident_pension", "contribution_fen": 0, "subsidy_fen": 0, "rev": 1}
    for month in ("2026-09", "2026-10"):
        line = {"month": month, "benefit_fen": 41_835, "from_account_fen": 6_835, "balance_fen": 936_330}
        database.insert(db, "statement", paid | line | {"paid_on": f"{month}-10"})
    benefit = {"id": ids.new_id(), "person_id": gang, "kind": "resident_pension", "state": "active"}
    amounts = {"basic_fen": 35_000, "account_fen": 6_835, "extra_fen": 0, "paid_through": "2026-10"}
    database.insert(db, "benefit", benefit | amounts | {"from_month": "2016-04", "rev": 1})
    bank = {"person_id": gang, "bank": "农商银行", "account_no": "6228580399001234560", "holder": "郑俊刚"}
    database.insert(db, "bank_account", bank | {"rev": 1})


def person_named(db: Any, name: str) -> bytes:
    """The id of a person by name."""
    return bytes(db.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()[0])


@pytest.fixture
def person(station: Station) -> Callable[[str], bytes]:
    """`person("张建国")` is the id."""

    def named(name: str) -> bytes:
        with station.store.read() as db:
            return person_named(db, name)

    return named


@pytest.fixture
def exchange(station: Station) -> Exchange:
    """An exchange over a line that is down."""
    return Exchange(station, Cut)


@pytest.fixture
def app(station: Station, exchange: Exchange) -> Flask:
    made = create_app(station, exchange, cost=CHEAP)
    made.testing = True
    return made


class Counter:
    """An officer at the pages. `get` and `post` follow nothing; `post` sends the CSRF token of the last page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._kept(self.client.get(path, **options))

    def post(self, path: str, data: Any = None, **options: Any) -> TestResponse:
        values = {"csrf_token": self.token, **(data or {})}
        return self._kept(self.client.post(path, data=values, **options))

    def log_in(self, operator_no: str = "3012", password: str = PASSWORD) -> TestResponse:
        self.get("/login")
        answer = self.post("/login", {"operator_no": operator_no, "password": password})
        self.get("/")
        return answer

    def _kept(self, answer: TestResponse) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        if found:
            self.token = found[1]
        return answer


@pytest.fixture
def visitor(app: Flask) -> Counter:
    """Somebody who has not logged in."""
    return Counter(app.test_client())


@pytest.fixture
def counter(app: Flask) -> Counter:
    """Officer 3012 at the counter."""
    at = Counter(app.test_client())
    at.log_in()
    return at


@pytest.fixture
def colleague(app: Flask) -> Counter:
    """Officer 3007, at another window of the same station."""
    at = Counter(app.test_client())
    at.log_in("3007")
    return at


@pytest.fixture
def clerk(station: Station, officer_keys: dict[str, tuple[bytes, bytes]]) -> tuple[Officer, Ed25519PrivateKey]:
    """Officer 3012 with the unlocked key, for verbs without pages."""
    public, wrapped = officer_keys["3012"]
    officer = Officer("3012", "王丽萍", ("clerk",), STATION, wrapped, public)
    return officer, keys.unwrap(wrapped, PASSWORD)


ENROLMENT = {
    "name": "陈桂英",
    "id_number": number_of("330683198111030421"),
    "phone": "15857501162",
    "village": "330683100202",
    "ethnic": "01",
    "grade": "1000",
    "start_month": "2026-11",
    "bank": "农商银行",
    "account_no": "6228580399001234560",
    "holder": "陈桂英",
}
PAPERS = ["id_card", "household_book", "bank_book"]


@pytest.fixture
def enrol(station: Station, clerk: tuple[Officer, Ed25519PrivateKey], person: Any) -> Callable[..., cases.Submitted]:
    """Take a pension enrolment for 陈桂英 without pages; returns what came of it."""

    def take(case_id: bytes | None = None, **changes: str) -> cases.Submitted:
        item = station.desk.service("resident_pension_enrolment")
        made = case_id or ids.new_id()
        given = cases.trim(item, ENROLMENT | changes, PAPERS)
        cases.save(station.desk, made, item, given, clerk[0], person("陈桂英"))
        return cases.submit(station.desk, made, *clerk)

    return take
