# SPDX-License-Identifier: Apache-2.0
"""Work in the background, in the same process as the pages: exchanges with the hub, the evening's backup and audit.

The queue file holds the names of tasks and nothing about anybody. A task that fails says so in the log and is tried
again at its next time; nothing it does depends on having succeeded before.
"""

from __future__ import annotations

import logging
import math
from typing import Any

from huey import SqliteHuey, crontab
from huey.consumer import Consumer

from node.exchange import Exchange
from node.station import Station
from schema import backup
from schema.errors import TownshipError
from sync.equality import audit

log = logging.getLogger("township.node")
MINUTE_S = 60  # the timer looks once a minute: what is due sooner asks for its own turn


class Tasks:
    """The station's queue, its tasks and their worker thread."""

    def __init__(self, station: Station, exchange: Exchange, *, immediate: bool = False) -> None:
        """`immediate`: tasks run where they are asked for; for tests."""
        self._station = station
        self._exchange = exchange
        self.huey = SqliteHuey("station", filename=str(station.home.tasks), immediate=immediate, results=False)
        self.sync_now = self.huey.task(name="sync_now")(self._sync_by_hand)
        self._sync_soon = self.huey.task(name="sync_soon")(self._sync_when_due)
        self.huey.periodic_task(crontab(minute="*"), name="sync_when_due")(self._sync_when_due)
        self.huey.periodic_task(crontab(minute="*/10"), name="backup_when_due")(self._backup_when_due)
        self._consumer: Consumer | None = None

    def start(self) -> None:
        """Start the worker and ask for an exchange and, when owed, a backup at once."""
        self.huey.storage.flush_queue()  # what an earlier run left is due anyway
        self._consumer = _QuietConsumer(self.huey, workers=1, worker_type="thread", check_worker_health=False)
        self._consumer.start()
        self._sync_soon()  # not before the hub wants us, if it said so before the restart
        if backup.due(self._station.home.backups, self._station.clock):
            self.huey.task(name="backup_now")(self._backup_when_due)()

    def stop(self) -> None:
        """Let the running task finish, then stop."""
        if self._consumer:
            self._consumer.stop(graceful=True)

    def _sync_by_hand(self) -> None:
        self._sync(by_hand=True)

    def _sync(self, *, by_hand: bool = False) -> None:
        try:
            report = self._exchange.run(by_hand=by_hand)
        except TownshipError as error:
            log.warning("exchange not begun: %s", error.code)
            return
        log.info("exchange %s %s", "ok" if report.ok else "not done", report.error_code)
        if not report.ok and self._exchange.due_in_s() < MINUTE_S:
            self._sync_soon.schedule(delay=max(1, math.ceil(self._exchange.due_in_s())))

    def _sync_when_due(self) -> None:
        if self._exchange.due():
            self._sync()

    def _backup_when_due(self) -> None:
        station = self._station
        if not backup.due(station.home.backups, station.clock):
            return
        try:
            copy = backup.make(station.store, station.secrets.db_key, station.home.backups, station.clock)
            log.info("backup %s", copy.path.name)
            audit.nightly(station.store, station.clock)
        except (TownshipError, OSError) as error:
            log.error("backup failed: %s", type(error).__name__)


class _QuietConsumer(Consumer):
    """A consumer inside another program: that program handles the signals."""

    def _set_signal_handlers(self) -> None:
        pass


def queue_of(app: Any) -> Tasks | None:
    """The tasks of the app that serves this request; None where it runs without a worker."""
    tasks: Tasks | None = app.extensions.get("tasks")
    return tasks
