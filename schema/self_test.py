# SPDX-License-Identifier: Apache-2.0
"""Self-tests of a hub or a station: a list of looks, each answering what was found and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from schema import crsqlite
from schema.errors import TownshipError

Level = Literal["ok", "warn", "fail"]
DISK_LOW_BYTES = 2 * 1024**3


_Place = TypeVar("_Place")


@dataclass(frozen=True)
class Check:
    """One thing looked at: `level` ok, warn or fail, and what was found in both languages."""

    name: str
    level: Level
    zh: str
    en: str


def examine(place: _Place, looks: Iterable[Callable[[_Place], Iterable[Check]]]) -> list[Check]:
    """Every look at a hub or a station; one that raises an error of ours is a failed check, not the end."""
    found: list[Check] = []
    for look in looks:
        try:
            found += look(place)
        except TownshipError as error:
            found.append(Check(look.__name__.strip("_"), "fail", error.zh, error.en))
    return found


def worst(checks: list[Check]) -> Level:
    """The worst level among them."""
    levels = {check.level for check in checks}
    return "fail" if "fail" in levels else "warn" if "warn" in levels else "ok"


def extension(_: object) -> list[Check]:
    """The CRDT extension works here."""
    found = crsqlite.self_test()
    versions = f"SQLite {found['sqlite']} · cr-sqlite {found['crsqlite']}"
    return [Check("extension", "ok", f"{versions}，自检通过", f"{versions}, self-test passed")]


def disk(folder: Path) -> list[Check]:
    """Room enough on the disk that holds this folder."""
    free_bytes = shutil.disk_usage(folder).free
    free = f"{free_bytes / 1024**3:.1f} GB"
    if free_bytes < DISK_LOW_BYTES:
        return [Check("disk", "warn", f"磁盘只剩 {free}，请清理", f"{free} left on disk: free some space")]
    return [Check("disk", "ok", f"磁盘剩余 {free}", f"{free} left on disk")]
