# SPDX-License-Identifier: Apache-2.0
"""Exchanges with a real hub in the same process: one at a time, remembered, and planned so that none come in step."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import receipt_blocks
from node import case_state, contacts, exchange, unsent
from node.exchange import Exchange
from node.station import Station, certificate_of
from node.tasks import Tasks
from schema import database, events
from schema.clock import FixedClock, stamp
from schema.database import Store
from schema.errors import Refusal, Unreachable, WrongState
from schema.events import Fact
from sync.hub import publish
from sync.hub.server import SyncServer
from sync.wire.transport import InProcess, Response
from tests.node.conftest import STATION, Cut


class Hub:
    """A hub that knows this station, its officers and its persons, and answers each case with a return."""

    def __init__(
        self, station: Station, store: Store, key: Ed25519PrivateKey, authority: Ed25519PrivateKey | None = None
    ) -> None:
        self.store, self.key = store, key
        self.station = station
        self.officer = Ed25519PrivateKey.generate()
        self.refuse = False
        certificate = certificate_of(station)
        with store.write() as db:
            database.set_setting(db, "node_id", b"hub")
            database.set_setting(db, "epoch", bytes(16))
            record = {"id": STATION, "name": STATION, "slices": " ".join(certificate.slices), "serial": 1, "unsent": 0}
            keys = {"public_key": certificate.public_key, "epoch": certificate.epoch, "site_id": certificate.site_id}
            database.insert(db, "node_record", record | keys)
        with station.store.read() as db:
            copied = {
                table: [dict(row) for row in db.execute(f"SELECT * FROM {table}")]
                for table in ("officer", "officer_key", "person", "household", "division", "station", "receipt_block")
            }
        with store.write() as db:
            for table, rows in copied.items():
                for row in rows:
                    database.insert(db, table, row)
            publish.fill(db)
        self.server = SyncServer(
            store,
            key,
            bytes.fromhex(station.config.authority_public),
            b"token secret of this test",
            station.clock,
            self.take,
            lambda pub, node, info: None,
            authority_key=authority,
            on_grant=lambda pub, node, fork: receipt_blocks.begin_fresh(
                pub, node, station.clock.today(), stamp(station.clock.now())
            ),
        )

    def take(self, pub: publish.Publication, fact: Fact) -> None:
        """Return every case at once, as a hub clerk would who finds a paper missing."""
        if fact.kind != "case_submitted":
            return
        if self.refuse:
            raise WrongState("中心不收", "the hub refuses")
        number = fact.body["receipt_no"]
        if pub.db.execute("SELECT 1 FROM case_state WHERE receipt_no = ?", (number,)).fetchone():
            raise Refusal("回执号已用在另一件上", "the number is on another case", code="receipt_twice")
        body = {"case_id": fact.subject, "step": "accept", "reason": "缺户口簿", "missing": ["household_book"]}
        returned = events.state(
            pub.db, "case_returned", fact.subject, body, officer="2001", key=self.officer, clock=self.station.clock,
            received_at=fact.received_at,
        )  # fmt: skip
        pub.fact(returned, STATION)
        row = {
            "case_id": fact.subject, "station": STATION, "service": fact.body["service"], "state": "returned",
            "receipt_no": fact.body["receipt_no"], "received_at": fact.received_at, "reason": "缺户口簿",
            "result": '{"missing":["household_book"]}',
        }  # fmt: skip
        pub.put("case_state", row)


@pytest.fixture
def hub(station: Station, make_store: Callable[..., Store], hub_key: Ed25519PrivateKey) -> Hub:
    return Hub(station, make_store("hub"), hub_key)


@pytest.fixture
def online(station: Station, hub: Hub) -> Exchange:
    return Exchange(station, lambda: InProcess(hub.server))


def test_a_case_goes_to_the_hub_and_its_answer_comes_back(station: Station, online: Exchange, enrol: Any) -> None:
    done = enrol()
    report = online.run()
    assert report.ok, report
    with station.store.read() as db:
        assert unsent.count(db) == 0
        case = case_state.one(db, done.case_id)
        assert (case["state"], case["reason"], case["sent"]) == ("returned", "缺户口簿", "acknowledged")
        assert [f.kind for f in events.of_subject(db, done.case_id)] == ["case_submitted", "case_returned"]


def test_a_changed_phone_reaches_the_hub_and_is_no_longer_marked(
    station: Station, online: Exchange, hub: Hub, person: Callable[[str], bytes]
) -> None:
    with station.store.write() as db:
        contacts.change(db, person("章金国"), {"phone": "13811112222"}, "3012", station.clock)
    assert online.run().ok
    with station.store.read() as db:
        assert contacts.unsent_columns(db, person("章金国")) == {}
    with hub.store.read() as db:
        assert db.execute("SELECT phone FROM contact WHERE id = ?", (person("章金国"),)).fetchone()[0] == "13811112222"


def test_what_the_hub_refuses_is_kept_here_with_its_reason(
    station: Station, online: Exchange, hub: Hub, enrol: Any
) -> None:
    hub.refuse = True
    done = enrol()
    report = online.run()
    assert (report.ok, report.refused) == (True, 1)
    with station.store.read() as db:
        (row,) = db.execute("SELECT * FROM refusal WHERE channel = 'evt'").fetchall()
        assert (row["direction"], row["reason"], row["handled_at"]) == ("out", "中心不收", None)
        assert case_state.one(db, done.case_id)["sent"] == "returned"


def test_a_broken_line_loses_nothing_and_says_so(station: Station, enrol: Any) -> None:
    enrol()
    report = Exchange(station, Cut).run()
    assert (report.ok, report.error_code) == (False, "unreachable")
    with station.store.read() as db:
        assert unsent.count(db) >= 1
        (entry,) = exchange.history(db)
    assert (entry["ok"], entry["code"]) == (False, "unreachable")


def test_days_without_a_line_are_one_entry_and_do_not_push_the_good_ones_out(
    station: Station, online: Exchange
) -> None:
    online.run()
    cut = Exchange(station, Cut)
    for _ in range(exchange.HISTORY_KEPT + 5):
        cut.run()
    with station.store.read() as db:
        entries = exchange.history(db)
    assert [entry["ok"] for entry in entries] == [False, True]
    assert entries[0]["again"] == exchange.HISTORY_KEPT + 4


def test_only_one_exchange_runs_at_a_time_whoever_asks(station: Station) -> None:
    inside: list[str] = []

    class Asking(Cut):
        def request(self, *given: Any) -> Any:
            for other in (Exchange(station, Cut), running):
                with pytest.raises(WrongState) as busy:
                    other.run()
                inside.append(busy.value.code)
            return super().request(*given)

    running = Exchange(station, Asking)
    running.run()
    assert inside == ["busy", "busy"]
    assert Exchange(station, Cut).run().error_code == "unreachable"


def test_a_page_can_see_how_far_it_is(station: Station, online: Exchange, enrol: Any) -> None:
    enrol()
    seen: list[tuple[str, str | None]] = []
    online.run(lambda stage, done: seen.append((stage, online.step.stage if online.step else None)))
    assert ("push", "push") in seen and online.step is None


def test_the_next_one_is_due_after_the_interval_and_sooner_after_a_failure(station: Station) -> None:
    now_s = [0.0]
    failing = Exchange(station, Cut, monotonic=lambda: now_s[0], rng=random.Random(1))
    assert failing.due()
    waits = []
    for _ in range(12):
        failing.run()
        began = now_s[0]
        while not failing.due():
            now_s[0] += 0.5
        waits.append(now_s[0] - began)
    assert waits[0] <= 2.5 and max(waits) > 60 and max(waits) <= 901


def test_a_good_exchange_is_followed_by_the_interval_with_some_jitter(station: Station, hub: Hub) -> None:
    now_s = [0.0]
    good = Exchange(station, lambda: InProcess(hub.server), monotonic=lambda: now_s[0], rng=random.Random(1))
    assert good.run().ok
    now_s[0] = 0.89 * station.config.sync_every_s
    assert not good.due()
    now_s[0] = 1.11 * station.config.sync_every_s
    assert good.due()


def test_the_lock_leaves_no_trace_that_could_block_the_next_start(station: Station) -> None:
    lock = Path(station.home.path / "exchange.lock")
    lock.write_bytes(b"left by a process that was killed")
    assert Exchange(station, Cut).run().error_code == "unreachable"


class Busy:
    """A hub that sends everybody away for two minutes."""

    def request(self, *args: Any) -> Response:
        headers = {"date": "Mon, 23 Nov 2026 01:00:00 GMT", "retry-after": "Mon, 23 Nov 2026 01:02:00 GMT"}
        return Response(503, headers, b'{"code": "overload"}')


def test_the_hubs_wish_for_a_pause_outlives_a_restart(station: Station, clock: FixedClock) -> None:
    assert Exchange(station, Busy).run().error_code == "overload"

    restarted = Exchange(station, Busy, monotonic=lambda: 0.0)

    assert not restarted.due() and restarted.due_in_s() == 120
    clock.advance(seconds=121)
    assert restarted.due()


def test_a_pause_beyond_reason_does_not_silence_a_station_whose_clock_was_set_back(
    station: Station, clock: FixedClock
) -> None:
    Exchange(station, Busy).run()
    clock.advance(days=-30)
    assert Exchange(station, Busy, monotonic=lambda: 0.0).due()


def test_the_worker_asks_again_within_the_minute_when_it_is_due_within_it(station: Station) -> None:
    tasks = Tasks(station, Exchange(station, Cut, monotonic=lambda: 0.0, rng=random.Random(1)))
    tasks._sync()
    assert tasks.huey.pending_count() == 1
    busy = Tasks(station, Exchange(station, Busy, monotonic=lambda: 0.0))
    busy.huey.flush()
    busy._sync()
    assert busy.huey.pending_count() == 0


def test_a_line_that_carried_something_is_tried_again_soon(station: Station, hub: Hub, enrol: Any) -> None:
    enrol()
    exchange = Exchange(station, lambda: CutBehind(InProcess(hub.server)), monotonic=lambda: 0.0)
    exchange._failures = 9

    assert not exchange.run().ok

    assert exchange.due_in_s() <= 2


class CutBehind:
    """Breaks behind the first frame that was taken."""

    def __init__(self, inner: InProcess) -> None:
        self.inner, self.taken = inner, False

    def request(self, method: str, *rest: Any) -> Response:
        if self.taken:
            raise Unreachable("线断了", "the line is cut")
        self.taken = method == "PUT"
        return self.inner.request(method, *rest)
