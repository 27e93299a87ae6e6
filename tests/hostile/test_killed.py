# SPDX-License-Identifier: Apache-2.0
"""A hub and a station as real processes, killed at any moment: afterwards everything is there, and once.

Also what only a real process shows: what its log says of a day, and what rubbish at its ports does.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from schema.database import Store, is_encrypted
from schema.tables import triggers
from tests.story import audit, people
from tests.story.clerk import Clerk
from tests.story.counters import ACCOUNT
from tests.story.office import AGREE, Reviewer
from tests.story.people import Residents
from tests.story.world import BIN, World

STATION, TOWNSHIP, CLERK = "0100-1", "330683100", "3011"
OFFICERS = {"accept": "2101", "review": "2103"}
KILLS = 10
WATCHED = 3  # cases taken while every address and log line is watched
pytestmark = pytest.mark.xdist_group("processes")


@dataclass
class Story:
    """The place, who comes to the counter, and what the counter was told."""

    world: World
    who: Residents
    acknowledged: set[bytes] = field(default_factory=set)
    turn: int = 0

    def work(self, forms: int) -> None:
        """Take cases until the station is gone; only a slip that came back counts as acknowledged."""
        papers = ["id_card", "household_book", "bank_book"]
        try:
            clerk = Clerk(STATION, self.world.station_url(STATION), CLERK, self.world.passwords[CLERK])
            for _ in range(forms):
                person = self.who.unenrolled[self.turn]
                self.turn += 1
                answers = {**ACCOUNT, "holder": self.who.names[person], "grade": "500"}
                clerk.find(self.who.numbers[person])
                self.acknowledged.add(clerk.take("resident_pension_enrolment", person, answers, papers).case_id)
        except (httpx.HTTPError, LookupError):
            return

    def review(self) -> None:
        """Two officers decide what waits; the hub may go away under them."""
        for number in OFFICERS.values():
            try:
                ca_file, password = str(self.world.hub.ca_file), self.world.passwords[number]
                Reviewer(self.world.hub_url, ca_file, number, password).work_queue(lambda case_id: AGREE, limit=2)
            except (httpx.HTTPError, RuntimeError, LookupError):
                continue


class Noted(httpx.Client):
    """A browser that remembers where it went, and can be closed whoever lost sight of it when its server died."""

    opened: ClassVar[list[httpx.Client]] = []
    addresses: ClassVar[list[str]] = []

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.event_hooks["request"].append(lambda request: self.addresses.append(str(request.url)))
        self.opened.append(self)

    @classmethod
    def close_all(cls) -> None:
        while cls.opened:
            cls.opened.pop().close()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "Client", Noted)
        yield from _story(tmp_path_factory)
    Noted.close_all()


def _story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    world = World(tmp_path_factory.mktemp("world") / "place")
    world.make_hub(persons=2400, seed=11)
    for role, number in OFFICERS.items():
        world.add_officer(number, f"中心{number}", role)
    world.new_station(STATION, "甘霖镇劳动保障所", TOWNSHIP)
    world.add_officer(CLERK, "王丽萍", "clerk", STATION)
    hub = world.open_hub()
    who = people.residents(hub, TOWNSHIP, world.today())
    hub.close()
    try:
        world.start_hub()
        world.install_station(STATION)
        assert world.sync(STATION)["ok"]
        assert len(who.unenrolled) >= 2 * KILLS + WATCHED
        yield Story(world, who)
    finally:
        world.stop_all()


def start_what_is_down(world: World) -> None:
    if "hub" not in world.running:
        world.start_hub()
    if STATION not in world.running:
        world.start_station(STATION)


def kill(world: World, name: str) -> None:
    """As a power cut does it."""
    process = world.running.pop(name)
    process.send_signal(signal.SIGKILL)
    process.wait()


def sync_in_background(world: World) -> subprocess.Popen[bytes]:
    words = [BIN / "township-node", "sync", "--dir", world.station(STATION).path, "--json"]
    return subprocess.Popen(words, env=world._env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_killed_ten_times_at_any_moment_nothing_is_lost_or_doubled(story: Story) -> None:
    world, chance = story.world, random.Random(20261123)
    targets = ["hub", STATION, "sync"] * (KILLS // 3) + ["hub"] * (KILLS % 3)
    chance.shuffle(targets)
    for target in targets:
        start_what_is_down(world)
        syncing = sync_in_background(world)
        hands = [threading.Thread(target=story.work, args=(2,)), threading.Thread(target=story.review)]
        for hand in hands:
            hand.start()
        time.sleep(chance.uniform(0.0, 1.2))  # the moment is the test
        if target == "sync":
            syncing.kill()
        else:
            kill(world, target)
        for hand in hands:
            hand.join()
        syncing.communicate()
        Noted.close_all()
    start_what_is_down(world)
    for _ in range(2):
        report = world.sync(STATION)
        assert report["ok"], report
    assert report["equal"] is True
    world.stop_all()
    hub, station = world.open_hub(), world.open_station(STATION)
    try:
        require_everything_once(story, hub, station)
    finally:
        hub.close()
        station.close()


def require_everything_once(story: Story, hub: Store, station: Store) -> None:
    at_hub, taken = audit.hub_cases(hub), audit.submitted(station)
    assert len(story.acknowledged) >= KILLS // 2
    assert story.acknowledged <= set(taken) == set(at_hub)
    assert audit.lost_facts(hub, station) == []
    assert audit.duplicated(hub) == 0
    assert audit.differing_rows(hub, station, ["county", TOWNSHIP, f"node:{STATION}"]) == []
    for store in (hub, station):
        assert audit.count(store, "SELECT count(*) FROM refusal") == 0
        with store.read() as db:
            assert db.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            numbers = [row[0] for row in db.execute("SELECT seq FROM fact WHERE origin = ? ORDER BY seq", (STATION,))]
            kept = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(triggers(store.side)) <= len(kept)
    with station.read() as db:
        receipts = [row[0] for row in db.execute("SELECT receipt_no FROM case_file WHERE state <> 'draft'")]
    assert len(set(receipts)) == len(receipts) == len(taken)


def test_rubbish_at_the_ports_ends_no_process_and_leaves_no_trace_in_the_log(story: Story) -> None:
    world = story.world
    start_what_is_down(world)
    rubbish = [
        b"", b"\x00" * 2000, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 600, b"GET /" + b"a" * 70_000,
        b"POST /login HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"X" * 9000 + b"\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET \xff\xfe HTTP/9.9\r\n\r\n",
    ]  # fmt: skip
    context = ssl.create_default_context(cafile=str(world.hub.ca_file))
    for data in rubbish:
        _send(world.ports["hub"], data, None)
        _send(world.ports["hub"], data, context)
        _send(world.ports[STATION], data, None)
    for url in (world.station_url(STATION), world.hub_url):
        with httpx.Client(verify=context, trust_env=False) as client:
            assert client.get(f"{url}/login").status_code == 200
    for name in ("hub", STATION):
        assert "Traceback" not in world.log(name)


def _send(port: int, data: bytes, context: ssl.SSLContext | None) -> None:
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=2)
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain as line:
            line.settimeout(0.1)
            line.sendall(data)
            line.recv(4096)
    except OSError:
        return


def test_a_body_larger_than_any_page_takes_is_refused_by_the_real_server(story: Story) -> None:
    start_what_is_down(story.world)
    context = ssl.create_default_context(cafile=str(story.world.hub.ca_file))
    with httpx.Client(base_url=story.world.hub_url, verify=context, trust_env=False) as client:
        answer = client.post("/login", content=b"operator_no=" + b"9" * (18 * 1024 * 1024),
                             headers={"content-type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert answer.status_code == 413
    assert "没有收下" in answer.text and "Traceback" not in answer.text


def test_the_logs_and_addresses_of_the_whole_story_name_nobody_and_the_files_lie_closed(story: Story) -> None:
    world, who = story.world, story.who
    start_what_is_down(world)
    story.work(WATCHED)
    assert world.sync(STATION)["ok"]
    story.review()
    hub, station = world.open_hub(), world.open_station(STATION)
    with hub.read() as db:
        numbers = {row[0] for row in db.execute("SELECT id_number FROM person")}
        phones = {row[0] for row in db.execute("SELECT phone FROM contact WHERE phone IS NOT NULL")}
        names = {row[0] for row in db.execute("SELECT name FROM person")}
        accounts = {row[0] for row in db.execute("SELECT account_no FROM bank_account")}
    secrets = set(world.passwords.values()) | {world.unlock.read_text()}
    secrets |= {value.hex() for value in vars(world.station(STATION).unlock(world.unlock.read_bytes())).values()}
    hub.close()
    station.close()
    said = "\n".join([world.log("hub"), world.log(STATION), *Noted.addresses])
    assert len(Noted.addresses) > 5 * WATCHED and "exchange" in world.log(STATION)
    found = [text for text in numbers | phones | names | accounts | secrets if text in said]
    assert found == []
    folders = (world.hub.path, world.station(STATION).path)
    taken = {who.numbers[p] for p in who.unenrolled} | {who.names[p] for p in who.unenrolled} | secrets
    for path in (p for folder in folders for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        if path.name in ("hub.db", "station.db") or path.parent.name == "backups":
            assert is_encrypted(path), path
        if path.name == "tasks.db":
            assert _readable_rows(path) is not None
        assert not any(text.encode() in content for text in taken), path
    for path in (*(f / "secrets.sealed" for f in folders), world.hub.server_key):
        assert path.stat().st_mode & 0o077 == 0, path


def _readable_rows(path: Path) -> list[Any]:
    """The task queue is a plain file on purpose: it holds names of tasks, nothing about anybody."""
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT queue, data FROM task").fetchall()
    assert all(len(json.dumps([r[0], repr(r[1])])) < 2000 for r in rows)
    return rows
