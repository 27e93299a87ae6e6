# SPDX-License-Identifier: Apache-2.0
"""The one door to a database keeps its promises: encrypted, whole or nothing, tracked, and only changed cells move."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from schema import crsqlite, database, migrations, tables
from schema.database import Store
from schema.errors import WrongKey

ROW = bytes(range(16))


def phone_of(db: database.Connection) -> str | None:
    found = db.execute("SELECT phone FROM contact WHERE id = ?", (ROW,)).fetchone()
    return found[0] if found else None


def test_the_file_is_encrypted_and_its_text_is_not_in_it(node_store: Store) -> None:
    with node_store.write() as db:
        database.insert(db, "contact", {"id": ROW, "address": "甘霖镇苍岩村一号"})
    node_store.close()
    assert database.is_encrypted(node_store.path)
    assert "甘霖镇苍岩村".encode() not in node_store.path.read_bytes()


def test_a_wrong_key_opens_nothing_and_says_so(node_store: Store) -> None:
    node_store.close()
    with pytest.raises(WrongKey):
        Store(node_store.path, os.urandom(32), side="node")
    with pytest.raises(WrongKey):
        Store(node_store.path, b"short", side="node")


def test_a_write_that_fails_leaves_nothing(node_store: Store) -> None:
    with pytest.raises(RuntimeError), node_store.write() as db:
        database.insert(db, "contact", {"id": ROW, "phone": "13800000000"})
        raise RuntimeError
    with node_store.read() as db:
        assert phone_of(db) is None


def test_a_nested_write_is_part_of_the_outer_one(node_store: Store) -> None:
    with pytest.raises(RuntimeError), node_store.write():
        with node_store.write() as db:
            database.insert(db, "contact", {"id": ROW, "phone": "13800000000"})
        raise RuntimeError
    with node_store.read() as db:
        assert phone_of(db) is None


def test_a_read_sees_one_state_while_another_thread_writes(node_store: Store) -> None:
    with node_store.write() as db:
        database.insert(db, "contact", {"id": ROW, "phone": "1"})

    def change() -> None:
        with node_store.write() as db:
            database.update(db, "contact", {"id": ROW}, {"phone": "2"})

    with node_store.read() as db:
        before = phone_of(db)
        thread = threading.Thread(target=change)
        thread.start()
        thread.join()
        assert phone_of(db) == before == "1"
    with node_store.read() as db:
        assert phone_of(db) == "2"


def test_an_update_writes_only_the_cells_that_differ(node_store: Store) -> None:
    with node_store.write() as db:
        database.insert(db, "contact", {"id": ROW, "phone": "1", "address": "甲"})
    with node_store.write() as db:
        assert database.update(db, "contact", {"id": ROW}, {"phone": "2", "address": "甲"}) == 1
        assert database.update(db, "contact", {"id": ROW}, {"phone": "2"}) == 0
    with node_store.read() as db:
        versions = {c.column: c.col_version for c in crsqlite.cells_of(db, "contact", ROW)}
    assert (versions["phone"], versions["address"]) == (2, 1)


def test_an_upsert_changes_the_columns_given_and_keeps_the_others(node_store: Store) -> None:
    with node_store.write() as db:
        database.upsert(db, "station", {"id": "0100-1", "name": "甲", "township": "330683100", "rev": 1})
        database.upsert(db, "station", {"id": "0100-1", "name": "乙", "township": "330683100", "rev": 2})
        assert db.execute("SELECT name, rev FROM station").fetchall()[0][:] == ("乙", 2)


def test_opening_again_applies_no_migration_twice(make_store: Callable[..., Store], db_key: bytes) -> None:
    store = make_store("hub")
    store.close()
    again = Store(store.path, db_key, side="hub")
    assert set(again.utils.table_names()) >= {t.name for t in tables.on_side("hub")}
    assert len(list(again.utils["_sqlite_migrations"].rows)) == migrations.SCHEMA_VERSION
    again.close()


def test_closing_a_store_releases_every_thread_s_connection(node_store: Store, tmp_path: Path) -> None:
    thread = threading.Thread(target=lambda: node_store.connection().execute("SELECT 1").fetchone())
    thread.start()
    thread.join()
    node_store.connection()
    node_store.close()
    held = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert not [name for name in held if name.startswith(str(tmp_path))]


def test_a_full_disk_inside_a_savepoint_is_told_as_such_and_ends_the_whole_transaction(node_store: Store) -> None:
    db = node_store.connection()
    db.execute("PRAGMA max_page_count = 1").fetchone()
    with pytest.raises(database.OperationalError, match="full"), node_store.write(), database.savepoint(db):
        for n in range(200):
            database.set_setting(db, f"much{n}", bytes(4000))
    assert db.execute("SELECT count(*) FROM setting WHERE name LIKE 'much%'").fetchone()[0] == 0


def test_a_thread_that_ends_leaves_no_connection_behind_it(hub_store: Store) -> None:
    def work() -> None:
        hub_store.widen()
        with hub_store.write() as db:
            database.set_setting(db, "made", b"1")
        hub_store.leave()
        hub_store.leave()

    before = len(hub_store._open)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(hub_store._open) == before
    with hub_store.read() as db:
        assert database.setting(db, "made") == b"1"
