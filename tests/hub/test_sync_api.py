# SPDX-License-Identifier: Apache-2.0
"""A station speaks to the hub's app: certificate, cases in, decisions and numbers back; without any login."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from hub.app import create_app
from schema import crsqlite, database, events
from schema.clock import FixedClock
from schema.database import Store
from sync.hub import life
from sync.station import hello, rebase
from sync.station.session import Session
from sync.wire import enrolment
from sync.wire.transport import Response
from tests.hub.county import CHEAP, CLAIM, CLERK, STATION, County, Desk
from tests.hub.deciding import walk


class Wire:
    """A transport into the hub's app, as its server would hand requests over."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        answer = self._client.open(path, method=method, query_string=dict(query), headers=dict(headers), data=body)
        return Response(answer.status_code, {k.lower(): v for k, v in answer.headers}, answer.data)


@pytest.fixture
def wire(county: County) -> Wire:
    return Wire(create_app(county.hub, cost=CHEAP).test_client())


@pytest.fixture
def code(county: County) -> str:
    """The one-time code of the station."""
    made = enrolment.new_code(date(2026, 12, 7))
    with county.store.write() as db:
        changes = {"enrol_code_hash": enrolment.hash_code(made), "not_after": "2027-11-23"}
        database.update(db, "node_record", {"id": STATION}, changes)
    return made


def post(wire: Wire, path: str, body: bytes) -> Response:
    return wire.request("POST", path, {}, {}, body)


class Station:
    """The other end: its store, its keys, its sessions."""

    def __init__(self, store: Store, county: County, wire: Wire, code: str) -> None:
        self.store, self.county, self.wire = store, county, wire
        self.key = Ed25519PrivateKey.generate()
        self.told: list[str] = []
        epoch = os.urandom(16)
        with store.write() as db:
            database.set_setting(db, "node_id", STATION.encode())
            database.set_setting(db, "epoch", epoch)
            site = crsqlite.site_id(db)
        asked = enrolment.make_request(self.key, node=STATION, code=code, site_id=site, epoch=epoch)
        answer = post(wire, "/s1/enrol", asked)
        assert answer.status == 200, answer.body
        self.certificate = answer.body

    def sync(self) -> Any:
        hub_public = self.county.hub.secrets.signing.public_key().public_bytes_raw()
        session = Session(
            self.store, self.key, self.certificate, hub_public, self.wire, self.county.hub.clock,
            lambda db, fact: self.told.append(fact.kind),
        )  # fmt: skip
        return session.run()

    def submit(self, body: dict[str, Any]) -> None:
        with self.store.write() as db:
            events.state(
                db, "case_submitted", body["case_id"], body, officer=CLERK, key=self.county.keys[CLERK],
                clock=self.county.hub.clock,
            )  # fmt: skip


@pytest.fixture
def station(county: County, wire: Wire, code: str, make_store: Callable[..., Store]) -> Station:
    return Station(make_store("node"), county, wire, code)


def test_a_case_arrives_is_decided_and_its_station_is_told(county: County, desk: Desk, station: Station) -> None:
    county.add_pensioner_to_be()
    body = desk.body(CLAIM, "周建根")
    station.submit(body)
    report = station.sync()
    assert (report.ok, report.refused, report.error_code) == (True, 0, "")
    assert county.rows("SELECT state, step FROM hub_case") == [("submitted", "accept")]
    walk(county, body["case_id"], "accept", "calculate", "review", "approve")
    report = station.sync()
    assert report.ok and report.equal
    assert station.told == ["case_accepted", "case_calculated", "case_reviewed", "case_approved"]
    with station.store.read() as db:
        assert db.execute("SELECT state FROM case_state").fetchone()[0] == "effective"
        assert db.execute("SELECT count(*) FROM benefit").fetchone()[0] == 1
        assert db.execute("SELECT first, last FROM receipt_block").fetchone()[:] == (1, 1000)
        officers = db.execute("SELECT operator_no FROM officer").fetchall()
    assert [row[0] for row in officers] == [CLERK], "the hub's officers and their keys stay at the hub"


def test_a_refused_fact_is_kept_on_both_sides_and_the_rest_goes_on(
    county: County, desk: Desk, station: Station
) -> None:
    county.add_pensioner_to_be()
    good, bad = desk.body(CLAIM, "周建根"), desk.body(CLAIM, "周建根", township="330683101")
    station.submit(bad)
    station.submit(good)
    report = station.sync()
    assert (report.ok, report.refused) == (True, 1)
    assert county.rows("SELECT code FROM refusal") == [("slice",)]
    assert county.rows("SELECT id FROM hub_case") == [(good["case_id"],)]
    with station.store.read() as db:
        assert db.execute("SELECT code FROM refusal").fetchone()[0] == "slice"


def test_the_hello_is_seen_and_brings_receipt_numbers(county: County, station: Station, clock: FixedClock) -> None:
    with county.store.write() as db:
        db.execute("DELETE FROM receipt_block")
    assert station.sync().ok
    assert county.one("SELECT last_seen_at FROM node_record WHERE id = ?", STATION) == "2026-11-23T01:00:00.000Z"
    assert county.rows("SELECT station, first, last FROM receipt_block") == [(STATION, 1, 1000)]


def test_a_station_with_a_roster_in_hand_comes_home_with_enough_receipt_numbers(
    county: County, station: Station
) -> None:
    with station.store.write() as db:
        database.set_setting(db, hello.NUMBERS_WANTED, b"2500")
    assert station.sync().ok and station.sync().ok
    with station.store.read() as db:
        leased = [tuple(row) for row in db.execute("SELECT first, last FROM receipt_block ORDER BY first")]
    assert leased == [(1, 1000), (1001, 2000), (2001, 3000)]


def test_a_wrong_code_is_refused_in_both_languages(county: County, wire: Wire, code: str) -> None:
    key = Ed25519PrivateKey.generate()
    other = enrolment.new_code(date(2026, 12, 7))
    asked = enrolment.make_request(key, node=STATION, code=other, site_id=bytes(16), epoch=bytes(16))
    answer = post(wire, "/s1/enrol", asked)
    assert answer.status == 403
    assert b'"enrol_code"' in answer.body and "注册码不对" in answer.body.decode("unicode_escape")
    assert county.one("SELECT public_key FROM node_record WHERE id = ?", STATION) is None


@pytest.mark.parametrize("path", ["/s1/hello", "/s1/enrol"])
def test_rubbish_is_answered_with_a_code_and_no_page(county: County, wire: Wire, path: str) -> None:
    answer = post(wire, path, b"\x00rubbish")
    assert 400 <= answer.status < 500
    assert answer.body.startswith(b"{") and b'"code"' in answer.body


def test_a_body_too_large_is_turned_away_before_it_is_read(county: County, wire: Wire) -> None:
    answer = post(wire, "/s1/hello", bytes(700 * 1024))
    assert answer.status == 413
    assert b"size" in answer.body


def test_a_revoked_station_is_refused_from_that_moment(county: County, station: Station) -> None:
    assert station.sync().ok
    with county.store.write() as db:
        db.execute("UPDATE node_record SET revoked_at = '2026-11-23T01:00:00.000Z' WHERE id = ?", (STATION,))
    report = station.sync()
    assert (report.ok, report.error_code) == (False, "revoked")


def test_a_station_that_came_back_from_a_copy_is_led_back_with_fresh_serials(county: County, station: Station) -> None:
    assert station.sync().ok
    with station.store.write() as db:
        rebase.want(db, "restored")

    report = station.sync()

    assert (report.ok, report.equal) == (True, True)
    blocks = county.rows("SELECT first, ended_at IS NULL FROM receipt_block WHERE station = ? ORDER BY first", STATION)
    assert blocks == [(1, 0), (1001, 1)]


def test_behind_the_fence_nobody_is_answered_or_enrolled(county: County, station: Station, wire: Wire) -> None:
    assert station.sync().ok
    with county.store.write() as db:
        life.begin_anew(db, "2026-11-22T10:00:00.000Z", "2026-11-23T01:00:00.000Z")
    assert station.sync().error_code == "fenced"
    assert post(wire, "/s1/enrol", b"x").status == 503
    with county.store.write() as db:
        life.open_again(db, "2026-11-23T01:00:00.000Z")
    assert station.sync().ok
    assert county.one("SELECT max(last) FROM receipt_block WHERE station = ?", STATION) == 21_000
