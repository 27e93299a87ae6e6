# SPDX-License-Identifier: Apache-2.0
"""A copy that stands in the folder can be restored; nothing half made or unproven ever does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.station import Station
from schema import backup, database, events
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import StoreError, WrongKey


def make(station: Station) -> backup.Copy:
    return backup.make(station.store, station.secrets.db_key, station.home.backups, station.clock)


def test_a_copy_opens_with_the_stations_key_and_holds_everything(station: Station, enrol: Callable[..., Any]) -> None:
    done = enrol()
    copy = make(station)
    assert copy.facts == 1 and database.is_encrypted(copy.path)
    restored = Store(copy.path, station.secrets.db_key, side="node")
    with restored.read() as db:
        assert [f.kind for f in events.of_subject(db, done.case_id)] == ["case_submitted"]
        assert db.execute("SELECT count(*) FROM person").fetchone()[0] == 7
    restored.close()
    with pytest.raises(WrongKey):
        Store(copy.path, bytes(32), side="node")


def test_work_goes_on_while_a_copy_is_made_and_is_not_lost(station: Station, enrol: Callable[..., Any]) -> None:
    make(station)
    assert enrol().receipt_no
    assert make_later(station).facts == 1


def make_later(station: Station) -> backup.Copy:
    assert isinstance(station.clock, FixedClock)
    station.clock.advance(hours=1)
    return make(station)


def test_the_oldest_copies_go_and_files_of_others_stay(station: Station) -> None:
    station.home.backups.mkdir()
    (station.home.backups / "backup-notes.db").write_text("ours? no")
    for _ in range(backup.KEEP + 2):
        make_later(station)
    kept = backup.copies(station.home.backups)
    assert len(kept) == backup.KEEP and kept[0].made_at == station.clock.now()
    assert (station.home.backups / "backup-notes.db").exists()


def test_a_copy_that_does_not_prove_itself_is_thrown_away(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(store: Store, key: bytes, target: Path) -> None:
        Store(target, key, side="node").close()
        content = bytearray(target.read_bytes())
        content[-2000:-1900] = bytes(100)
        target.write_bytes(content)

    monkeypatch.setattr(backup, "_copy", damaged)
    with pytest.raises(StoreError):
        make(station)
    assert list(station.home.backups.iterdir()) == []


def test_a_copy_of_another_stations_database_is_thrown_away(
    station: Station, make_store: Callable[..., Store], enrol: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol()
    copied = backup._copy

    def foreign(store: Store, key: bytes, target: Path) -> None:
        copied(store, key, target)
        other = Store(target, key, side="node")
        with other.write() as db:
            db.execute("DROP TRIGGER fact_never_changes")
            db.execute("UPDATE fact SET hash = randomblob(32)")
        other.close()

    monkeypatch.setattr(backup, "_copy", foreign)
    with pytest.raises(StoreError):
        make(station)
    assert list(station.home.backups.iterdir()) == []


def test_one_copy_is_owed_each_evening_and_made_when_the_pc_is_on_again(station: Station, clock: FixedClock) -> None:
    folder = station.home.backups
    assert backup.due(folder, clock)
    make(station)  # Monday 09:00
    assert not backup.due(folder, clock)
    clock.advance(hours=8, minutes=59)
    assert not backup.due(folder, clock)
    clock.advance(minutes=1)  # Monday 18:00
    assert backup.due(folder, clock)
    clock.advance(hours=14)  # Tuesday 08:00: the PC was off in the evening
    assert backup.due(folder, clock)
    make(station)
    assert not backup.due(folder, clock)
