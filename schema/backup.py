# SPDX-License-Identifier: Apache-2.0
"""Encrypted copies of a hub's or a station's database, each proven by opening it.

A copy has the same key as the database, so a stolen one tells nothing. It is written under another name, opened,
checked and compared, and only then takes its place: a copy that stands in the folder is one that can be restored.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from schema import crsqlite, database
from schema.clock import CHINA, Clock
from schema.database import Store
from schema.errors import StoreError
from schema.self_test import Check

KEEP = 14
EVERY_EVENING = time(18, 0)
_PREFIX = "backup-"
_STAMP = "%Y%m%d-%H%M%S"


@dataclass(frozen=True)
class Copy:
    """A proven copy: where, when, how big, how many facts it holds."""

    path: Path
    made_at: datetime
    size_bytes: int
    facts: int = 0


def make(store: Store, key: bytes, folder: Path, clock: Clock) -> Copy:
    """Make and prove one copy, then drop the oldest beyond KEEP. Raises StoreError, and leaves no half copy behind."""
    folder.mkdir(parents=True, exist_ok=True)
    made_at = clock.now()
    target = folder / f"{_PREFIX}{made_at.strftime(_STAMP)}.db"
    partial = target.with_suffix(".part")
    try:
        partial.unlink(missing_ok=True)
        _copy(store, key, partial)
        facts = _prove(store, key, partial)
        partial.replace(target)
    except database.DatabaseError as error:
        raise StoreError("备份打不开，已丢弃", "the copy cannot be opened; it was thrown away") from error
    finally:
        for rest in folder.glob(partial.name + "*"):
            rest.unlink()
    for old in copies(folder)[KEEP:]:
        old.path.unlink()
    return Copy(target, made_at, target.stat().st_size, facts)


def copies(folder: Path) -> list[Copy]:
    """The copies in the folder, newest first."""
    found = []
    for path in folder.glob(f"{_PREFIX}*.db"):
        try:
            made_at = datetime.strptime(path.stem.removeprefix(_PREFIX) + "+0000", _STAMP + "%z")
        except ValueError:
            continue  # somebody's own file: not ours to count or drop
        found.append(Copy(path, made_at, path.stat().st_size))
    return sorted(found, key=lambda c: c.made_at, reverse=True)


def put_back(copy: Copy, database_file: Path, key: bytes, clock: Clock) -> Path:
    """Put a proven copy in the database's place; returns where the present one was moved to, log and all.

    The program must not be running. Raises StoreError when the copy does not open, and then nothing has changed.
    """
    partial = database_file.with_suffix(".restored")
    aside = database_file.with_name(f"{database_file.stem}-before-{clock.now().strftime(_STAMP)}.db")
    try:
        shutil.copyfile(copy.path, partial)
        _check(partial, key)
        for suffix in ("", "-wal", "-shm"):
            present = database_file.with_name(database_file.name + suffix)
            if present.exists():
                present.replace(aside.with_name(aside.name + suffix))
        partial.replace(database_file)
    except database.DatabaseError as error:
        raise StoreError("备份打不开，没有恢复", "the copy cannot be opened; nothing was restored") from error
    finally:
        for rest in database_file.parent.glob(partial.name + "*"):
            rest.unlink()
    return aside


def chosen(folder: Path, name: str | None) -> Copy:
    """The copy of that file name in the folder, the newest when none is named. Raises StoreError."""
    found = [c for c in copies(folder) if name in (None, c.path.name, str(c.path))]
    if not found:
        listed = ", ".join(c.path.name for c in copies(folder)) or "--"
        raise StoreError(f"{folder} 里没有这份备份。现有：{listed}", f"no such copy in {folder}. There are: {listed}")
    return found[0]


def due(folder: Path, clock: Clock) -> bool:
    """Whether the evening's copy is still owed. A PC that was off at that hour makes it when it is on again."""
    now = clock.now().astimezone(CHINA)
    evening = datetime.combine(now.date(), EVERY_EVENING, CHINA)
    if now < evening:
        evening -= timedelta(days=1)
    newest = next(iter(copies(folder)), None)
    return newest is None or newest.made_at < evening


def look(folder: Path, clock: Clock) -> list[Check]:
    """For a self-test: is there a recent copy?"""
    newest = next(iter(copies(folder)), None)
    if newest is None or due(folder, clock):
        return [Check("backup", "warn", "还没有最近的备份，请备份一次", "no recent copy: back up now")]
    return [Check("backup", "ok", f"最近一份 {newest.path.name}", f"newest is {newest.path.name}")]


def _copy(store: Store, key: bytes, target: Path) -> None:
    """SQLite's own page copy: consistent while the counter goes on working."""
    with store.read() as source:
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        copy = database.connect(target, key)
        try:
            source.backup(copy)
        finally:
            crsqlite.close(copy)


def _prove(store: Store, key: bytes, path: Path) -> int:
    """Open the copy, check every page, and find the same last fact in it; returns how many facts it holds."""
    if not database.is_encrypted(path):
        raise StoreError("备份没有加密，已丢弃", "the copy is not encrypted; it was thrown away")
    facts, head = _check(path, key)
    with store.read() as db:
        now, _ = _facts(db)
        known = head is None or db.execute("SELECT 1 FROM fact WHERE hash = ?", (head,)).fetchone()
    if not known or facts > now:
        raise StoreError("备份核对没有通过，已丢弃", "the copy failed its check; it was thrown away")
    return facts


def _check(path: Path, key: bytes) -> tuple[int, bytes | None]:
    """(how many facts, hash of the last one) of a copy whose every page is right. Raises StoreError."""
    copy = database.connect(path, key)
    try:
        damage = [row[0] for row in copy.execute("PRAGMA cipher_integrity_check")]
        whole = copy.execute("PRAGMA integrity_check").fetchone()[0]
        found = _facts(copy)
    finally:
        crsqlite.close(copy)
    if damage or whole != "ok":
        raise StoreError("备份核对没有通过，不能用", "the copy failed its check and cannot be used")
    return found


def _facts(db: Any) -> tuple[int, bytes | None]:
    count = db.execute("SELECT count(*) FROM fact").fetchone()[0]
    head = db.execute("SELECT hash FROM fact ORDER BY rowid DESC LIMIT 1").fetchone()
    return int(count), bytes(head[0]) if head else None
