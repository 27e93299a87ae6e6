# SPDX-License-Identifier: Apache-2.0
"""Nothing about a person in a log, an address, a QR or a file that lies open; no secret anywhere."""

from __future__ import annotations

import io
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from huey import SqliteHuey
from markupsafe import escape

from hub.tasks import Tasks as HubTasks
from node import slips
from node.cases import Submitted
from node.station import Station
from node.tasks import Tasks as StationTasks
from schema import backup, ids, logs
from schema.database import Store, is_encrypted
from schema.web.door import Officer
from tests.hostile.evil import post
from tests.hostile.faults import Disk, plant
from tests.hub.county import ACCEPT, AGREE, CLAIM, Browse, County, Desk
from tests.node.conftest import ENROLMENT, PAPERS, PASSWORD, PERSONS, Counter, number_of

Person = Callable[[str], bytes]


def personal(*more: str) -> set[str]:
    """What must not be read anywhere: numbers, names, phones, accounts of everybody in these tests."""
    known = {number_of(body) for body, *_ in PERSONS} | {name for _, name, *_ in PERSONS}
    known |= {phone for *_, phone, _ in PERSONS if phone}
    known |= {"周建根", "13857582046", "6228480402564890018", "施家岙 12 号", PASSWORD, "清水 runs downhill 7", *more}
    return known | {ENROLMENT[field] for field in ("id_number", "phone", "account_no", "holder")}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that anything in this process logs, at every level, as the programs write it."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    handler.addFilter(logs.WithoutValues())
    root.addHandler(handler)
    before = root.level
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for before the station: its connections are to a disk that can fail."""
    plant(monkeypatch)


def test_a_day_at_the_counter_leaves_nothing_personal_in_the_log_or_an_address(
    disk: None, counter: Counter, station: Station, person: Person, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.client.application.testing = False
    chen, case = person("陈桂英").hex(), ids.new_id().hex()
    addresses = []

    def send(path: str, fields: dict[str, object]) -> None:
        counter.get("/")
        answer = counter.post(path, fields)
        addresses.extend([path, answer.headers.get("Location", "")])

    for typed in (ENROLMENT["id_number"], "陈桂英", ENROLMENT["phone"], "cgy"):
        send("/search", {"q": typed})
    form = ENROLMENT | {"service": "resident_pension_enrolment", "person": chen, "materials": PAPERS}
    send(f"/drafts/{case}", form | {"do": "keep"})
    send(f"/drafts/{case}/auto", form)
    send(f"/drafts/{case}", form)
    send(f"/persons/{chen}/contact", {"phone": ENROLMENT["phone"], "address": "陈家路 4 号"})
    Disk.left = 0
    send(f"/drafts/{ids.new_id().hex()}", form)
    Disk.left = None
    monkeypatch.setattr("node.search.find", lambda db, q, township: {}[f"{ENROLMENT['id_number']} {q}"])
    send("/search", {"q": "陈桂英"})
    send("/unsent/send", {})
    send("/login", {"operator_no": "3012", "password": PASSWORD})
    said, where = log.getvalue(), " ".join(addresses)
    assert "OperationalError" in said and "KeyError" in said
    for secret in personal(station.secrets.db_key.hex(), station.secrets.node_key.hex()):
        assert secret not in said and secret not in where, secret


def test_a_day_at_the_hub_leaves_nothing_personal_in_the_log_or_an_address(
    county: County, desk: Desk, browse: Browse, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    county.add_pensioner_to_be()
    case = desk.submit(CLAIM, "周建根").hex()
    browser = browse(county.hub, ACCEPT)
    browser.client.application.testing = False
    addresses = []
    for typed in ("周建根", "13857582046", county.one("SELECT id_number FROM person")):
        addresses.append(browser.post("/search", {"q": typed}).headers.get("Location", ""))
    addresses.append(browser.post(f"/cases/{case}/decide", AGREE).headers["Location"])
    for path in (f"/cases/{case}", f"/persons/{county.persons['周建根'].hex()}", "/conflicts", "/stations"):
        browser.get(path)
    monkeypatch.setattr("hub.search.find", lambda db, q: int(f"not a number: {q}"))
    browser.get("/registry")
    assert browser.post("/search", {"q": "周建根"}).status_code == 500
    said = log.getvalue()
    assert f"case {case} opened by {ACCEPT}" in said and "ValueError" in said
    for secret in personal(county.one("SELECT id_number FROM person"), county.hub.secrets.db_key.hex()):
        assert secret not in said and secret not in " ".join(addresses), secret


def test_a_task_that_fails_unexpectedly_does_not_quote_what_it_failed_on(tmp_path: Path, log: io.StringIO) -> None:
    huey = SqliteHuey("t", filename=str(tmp_path / "tasks.db"), results=False)

    @huey.task()
    def fails() -> None:
        raise KeyError(ENROLMENT["name"])

    fails()
    huey.execute(huey.dequeue())
    assert "KeyError" in log.getvalue() and ENROLMENT["name"] not in log.getvalue()


def files(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_no_file_beside_the_unlock_file_holds_anything_readable(
    counter: Counter, station: Station, person: Person, county: County, desk: Desk, tmp_path: Path
) -> None:
    """Database, write-ahead log, copies, task queue, locks, after work on both sides and while both are open."""
    county.add_pensioner_to_be()
    desk.submit(CLAIM, "周建根")
    counter.get("/")
    form = ENROLMENT | {"service": "resident_pension_enrolment", "person": person("陈桂英").hex(), "materials": PAPERS}
    assert counter.post(f"/drafts/{ids.new_id().hex()}", form).status_code == 302
    backup.make(station.store, station.secrets.db_key, station.home.backups, station.clock)
    backup.make(county.store, county.hub.secrets.db_key, county.hub.home.backups, county.hub.clock)
    StationTasks(station, counter.client.application.extensions["exchange"]).sync_now()
    HubTasks(county.hub, _hub_app(county)).huey.storage.enqueue(b"x")
    found = files(station.home.path, county.hub.home.path)
    databases = [path for path in found if path.suffix == ".db" and path.name != "tasks.db"]
    assert len(databases) == 4 and any(path.name.endswith("-wal") for path in found)
    assert all(is_encrypted(path) for path in databases)
    secret = personal(station.secrets.db_key.hex(), "甘霖镇", "苍岩村", "resident_pension_enrolment", "case_submitted")
    for path in found:
        if path.name in ("station.toml", "unlock"):
            continue
        content = path.read_bytes()
        for text in secret:
            assert text.encode() not in content and text.encode("utf-16-le") not in content, (path.name, text)
        for raw in (station.secrets.db_key, station.secrets.node_key, county.hub.secrets.hub_key):
            assert raw not in content, path.name


def _hub_app(county: County) -> object:
    from hub.app import create_app

    return create_app(county.hub)


def test_a_stolen_file_opens_with_no_other_key(station: Station, tmp_path: Path) -> None:
    copy = backup.make(station.store, station.secrets.db_key, station.home.backups, station.clock).path
    for path in (copy, Path(shutil.copyfile(station.home.database, tmp_path / "stolen.db"))):
        for key in (bytes(32), bytes(reversed(station.secrets.db_key)), station.secrets.node_key):
            with pytest.raises(Exception, match="does not open"):
                Store(path, key, side="node")


def test_the_qr_of_a_slip_holds_number_and_code_alone_and_the_slip_masks_the_rest(
    counter: Counter, station: Station, enrol: Callable[..., Submitted], clerk: tuple[Officer, Ed25519PrivateKey]
) -> None:
    done = enrol()
    counter.get("/")
    assert post(counter.client, f"/cases/{done.case_id.hex()}/slip", {}, counter.token).status_code == 302
    with station.store.read() as db:
        slip = slips.read(db, done.case_id, 1, station.desk.services, station.config.hub_url)
    pattern = re.escape(station.config.hub_url) + r"/check\?no=[0-9-]+&code=[0-9A-Z]{4}-[0-9A-Z]{2}"
    assert re.fullmatch(pattern, slip.proof.address) and f"no={done.receipt_no}&" in slip.proof.address
    drawn = segno.make(slip.proof.address, error="m").svg_inline(scale=1, border=2, omitsize=True, svgclass=None)
    page = counter.get(f"/cases/{done.case_id.hex()}/slip/1").text
    assert drawn in page
    for field in ("id_number", "account_no"):
        assert str(escape(ENROLMENT[field])) not in page, field
