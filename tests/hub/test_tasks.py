# SPDX-License-Identifier: Apache-2.0
"""What the hub does by itself."""

from __future__ import annotations

from hub.app import create_app
from hub.tasks import Tasks
from schema import backup, database
from schema.web.keyring import KeyRing
from tests.hub.county import ACCEPT, CHEAP, County


def test_idle_keys_leave_the_memory_though_nobody_asks_for_a_page(county: County) -> None:
    app = create_app(county.hub, cost=CHEAP)
    ring: KeyRing = app.extensions["auth"].ring
    token = ring.hold(ACCEPT, county.keys[ACCEPT])
    tasks = Tasks(county.hub, app, immediate=True)
    tasks.sweep()
    assert ring.key(token) is not None
    ring.idle_s = 0
    tasks.sweep()
    assert not ring._held


def test_the_database_is_tidied_and_stays_whole(county: County) -> None:
    tasks = Tasks(county.hub, create_app(county.hub, cost=CHEAP), immediate=True)
    tasks.tidy()
    assert county.one("SELECT count(*) FROM officer") == 9


def test_each_night_rows_that_nobody_tracks_are_looked_for(county: County) -> None:
    with county.store.merging() as db:
        db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
        db.execute("INSERT INTO contact (id) VALUES (zeroblob(16))")
    Tasks(county.hub, create_app(county.hub, cost=CHEAP), immediate=True).tidy()
    assert county.one("SELECT kind || ' ' || detail FROM incident") == "untracked contact 1"


def test_the_worker_starts_beside_the_pages_and_stops(county: County) -> None:
    tasks = Tasks(county.hub, create_app(county.hub, cost=CHEAP))
    tasks.start()
    tasks.stop()
    assert county.hub.home.tasks.is_file()


def test_each_evening_one_proven_copy_is_made_and_no_second(county: County) -> None:
    tasks = Tasks(county.hub, create_app(county.hub, cost=CHEAP), immediate=True)
    for _ in range(2):
        tasks.copy()
    (made,) = backup.copies(county.hub.home.backups)
    assert database.is_encrypted(made.path)
    with database.Store(made.path, county.hub.secrets.db_key, side="hub").read() as db:
        assert db.execute("SELECT count(*) FROM officer").fetchone()[0] == 9
