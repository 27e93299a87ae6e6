# SPDX-License-Identifier: Apache-2.0
"""Work in the background: asked for, done in a thread of its own, and stopped when it is finished."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from node import exchange
from node.exchange import Exchange
from node.station import Station
from node.tasks import Tasks
from schema import backup
from schema.clock import FixedClock
from tests.node.conftest import Cut


def wait_for(what: Any) -> None:
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until, "the worker did nothing"
        time.sleep(0.05)


@pytest.fixture
def line(station: Station) -> Exchange:
    return Exchange(station, Cut)


def test_the_worker_exchanges_and_copies_at_once_and_stops_when_asked(station: Station, line: Exchange) -> None:
    tasks = Tasks(station, line)
    tasks.start()
    wait_for(lambda: backup.copies(station.home.backups))
    tasks.stop()
    with station.store.read() as db:
        assert exchange.history(db)[0]["code"] == "unreachable"
    assert not [t for t in threading.enumerate() if t.name.startswith(("Worker", "Scheduler")) and t.is_alive()]


def test_an_exchange_that_is_running_already_is_not_an_error_of_the_worker(station: Station, line: Exchange) -> None:
    tasks = Tasks(station, line, immediate=True)
    with line.alone():
        tasks.sync_now()
    with station.store.read() as db:
        assert exchange.history(db) == []


def test_the_timer_exchanges_only_when_it_is_due(station: Station, line: Exchange) -> None:
    tasks = Tasks(station, line, immediate=True)
    tasks._sync_when_due()
    line._due_at = float("inf")
    tasks._sync_when_due()
    with station.store.read() as db:
        assert len(exchange.history(db)) == 1 and "again" not in exchange.history(db)[0]


def test_the_timer_makes_the_evenings_copy_once(station: Station, line: Exchange, clock: FixedClock) -> None:
    tasks = Tasks(station, line, immediate=True)
    tasks._backup_when_due()
    tasks._backup_when_due()
    assert len(backup.copies(station.home.backups)) == 1
    clock.advance(hours=10)
    tasks._backup_when_due()
    assert len(backup.copies(station.home.backups)) == 2


def test_a_copy_that_fails_is_logged_without_stopping_anything(
    station: Station, line: Exchange, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left for 张建国")

    monkeypatch.setattr(backup, "make", full)
    Tasks(station, line, immediate=True)._backup_when_due()
    assert "backup failed: OSError" in caplog.text and "张建国" not in caplog.text


def test_the_queue_file_names_tasks_and_nobody(station: Station, line: Exchange) -> None:
    Tasks(station, line).sync_now()
    content = b"".join(path.read_bytes() for path in station.home.path.glob("tasks.db*"))
    assert b"sync_now" in content and "陈桂英".encode() not in content


def test_with_the_evenings_copy_rows_that_nobody_tracks_are_looked_for(station: Station, line: Exchange) -> None:
    with station.store.merging() as db:
        db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
        db.execute("INSERT INTO contact (id) VALUES (zeroblob(16))")
    Tasks(station, line, immediate=True)._backup_when_due()
    with station.store.read() as db:
        assert [tuple(row) for row in db.execute("SELECT kind, peer, detail FROM incident")] == [
            ("untracked", "0100-1", "contact 1")
        ]
