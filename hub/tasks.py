# SPDX-License-Identifier: Apache-2.0
"""Work in the background, in the same process as the pages.

The queue file holds the names of tasks and nothing about anybody. Each task can be cut off at any point and does the
rest at its next time.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask
from huey import SqliteHuey, crontab
from huey.consumer import Consumer

from hub import elsewhere
from hub.context import Hub
from schema import backup
from schema.errors import TownshipError
from schema.web.keyring import KeyRing
from sync.equality import audit

log = logging.getLogger("township.hub")


class Tasks:
    """The hub's queue, its tasks and their worker thread."""

    def __init__(self, hub: Hub, app: Flask, *, immediate: bool = False) -> None:
        """`immediate`: tasks run where they are asked for; for tests."""
        self._hub = hub
        self._ring: KeyRing = app.extensions["auth"].ring
        self.huey = SqliteHuey("hub", filename=str(hub.home.tasks), immediate=immediate, results=False)
        self.sweep = self.huey.periodic_task(crontab(minute="*"), name="forget_idle_keys")(self._forget_idle_keys)
        self.tidy = self.huey.periodic_task(crontab(minute="30", hour="18"), name="tidy_database")(self._tidy_database)
        self.copy = self.huey.periodic_task(crontab(minute="*/10"), name="backup_when_due")(self._backup_when_due)
        self.known = self.huey.periodic_task(crontab(minute="*/5"), name="renew_digest_of_persons")(self._renew_digest)
        self._consumer: Consumer | None = None

    def start(self) -> None:
        """Start the worker."""
        self.huey.storage.flush_queue()  # what an earlier run left is due anyway
        self._consumer = _QuietConsumer(self.huey, workers=1, worker_type="thread", check_worker_health=False)
        self._consumer.start()

    def stop(self) -> None:
        """Let the running task finish, then stop."""
        if self._consumer:
            self._consumer.stop(graceful=True)

    def _forget_idle_keys(self) -> None:
        """An unlocked signing key must not lie in memory all night because nobody asked for a page."""
        self._ring.sweep()

    def _tidy_database(self) -> None:
        """At 02:30 in China: let SQLite look at its indexes, fold the write-ahead log back, audit the clocks."""
        db: Any = self._hub.store.connection()
        db.execute("PRAGMA optimize")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        audit.nightly(self._hub.store, self._hub.clock)
        log.info("database tidied")

    def _renew_digest(self) -> None:
        """Stations learn who is registered elsewhere soon after the register does."""
        if done := elsewhere.refresh_all(self._hub.store, self._hub.clock):
            log.info("digest of persons renewed: %d", done)

    def _backup_when_due(self) -> None:
        """One encrypted, proven copy each evening."""
        hub = self._hub
        if not backup.due(hub.home.backups, hub.clock):
            return
        try:
            log.info("backup %s", backup.make(hub.store, hub.secrets.db_key, hub.home.backups, hub.clock).path.name)
        except (TownshipError, OSError) as error:
            log.error("backup failed: %s", type(error).__name__)


class _QuietConsumer(Consumer):
    """A consumer inside another program: that program handles the signals."""

    def _set_signal_handlers(self) -> None:
        pass
