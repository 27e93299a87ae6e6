# SPDX-License-Identifier: Apache-2.0
"""The page where sticks from stations are taken in and answered."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, database
from schema.database import Store
from sync.courier import node as courier_node
from sync.wire.certificate import Certificate, issue
from tests.hub.county import ADMIN, REVIEW, STATION, Browse, Browser, County


class Station:
    """A bare station that the county knows, with a database of its own."""

    def __init__(self, county: County, folder: Path) -> None:
        key, epoch = Ed25519PrivateKey.generate(), os.urandom(16)
        self.store = Store(folder / "node.db", os.urandom(32), side="node")
        with self.store.write() as db:
            database.set_setting(db, "node_id", STATION.encode())
            database.set_setting(db, "epoch", epoch)
            site = crsqlite.site_id(db)
        with county.store.write() as db:
            record = db.execute("SELECT slices, serial FROM node_record WHERE id = ?", (STATION,)).fetchone()
            public = key.public_key().public_bytes_raw()
            keys = {"public_key": public, "epoch": epoch, "site_id": site}
            database.update(db, "node_record", {"id": STATION}, keys)
        slices = tuple(record["slices"].split())
        days = ("2026-01-01", "2027-12-31")
        stated = Certificate(STATION, public, site, epoch, slices, "station", *days, record["serial"])
        hub = county.hub.secrets
        self.node = courier_node.Node(
            self.store, key, issue(stated, hub.authority), hub.signing.public_key().public_bytes_raw(),
            county.hub.clock, lambda db, fact: None,
        )  # fmt: skip

    def export(self) -> bytes:
        sink = BytesIO()
        courier_node.export(self.node, sink)
        return sink.getvalue()


@pytest.fixture
def station(county: County, tmp_path: Path) -> Any:
    made = Station(county, tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def desk_officer(county: County, browse: Browse) -> Browser:
    return browse(county.hub, ADMIN)


def sent(browser: Browser, *files: bytes) -> Any:
    browser.get("/usb")
    fields: dict[str, Any] = {"file": [(BytesIO(data), f"a{n}.s1b") for n, data in enumerate(files)]}
    return browser.post("/usb", fields, content_type="multipart/form-data")


def test_a_stations_file_is_taken_in_and_its_answer_goes_back(desk_officer: Browser, station: Station) -> None:
    taken = sent(desk_officer, station.export())
    assert taken.status_code == 200 and f"{STATION} 已收" in taken.text

    answer = desk_officer.post(f"/usb/{STATION}/answer", buffered=True)

    assert answer.headers["Content-Disposition"].startswith(f"attachment; filename=hub-to-{STATION}-")
    assert courier_node.take(station.node, BytesIO(answer.data)).equal is True


def test_a_bad_file_has_its_word_and_the_good_one_is_taken(desk_officer: Browser, station: Station) -> None:
    answer = sent(desk_officer, b"shopping list", station.export())
    assert answer.status_code == 422
    assert "文件损坏" in answer.text and f"{STATION} 已收" in answer.text


def test_no_file_is_said_beside_the_form(desk_officer: Browser) -> None:
    assert "请先选文件" in sent(desk_officer).text


def test_a_station_that_never_brought_a_stick_has_no_answer(desk_officer: Browser) -> None:
    desk_officer.get("/usb")
    assert desk_officer.post(f"/usb/{STATION}/answer").status_code == 404


def test_the_way_there_is_on_the_page_of_stations_for_those_who_may(county: County, browse: Browse) -> None:
    assert 'href="/usb"' in browse(county.hub, ADMIN).get("/stations").text
    reviewer = browse(county.hub, REVIEW)
    assert 'href="/usb"' not in reviewer.get("/stations").text
    assert reviewer.get("/usb").status_code == 403


@pytest.mark.parametrize("path", ["/usb", f"/usb/{STATION}/answer"])
def test_without_the_forms_token_nothing_is_taken_or_written(desk_officer: Browser, path: str) -> None:
    assert desk_officer.client.post(path, data={}).status_code == 400
