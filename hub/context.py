# SPDX-License-Identifier: Apache-2.0
"""The opened hub: its folder, its secrets, its store and its clock, handed to pages, commands and tasks alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from hub import pack
from schema import crsqlite, programs
from schema.clock import Clock, SystemClock
from schema.database import Store
from schema.errors import ConfigError
from schema.home import HubConfig, HubHome, HubSecrets, passphrase_from

EXTENSION = "hub"


@dataclass(frozen=True)
class Hub:
    """Everything the hub's parts need; nothing in it changes while a process runs."""

    home: HubHome
    config: HubConfig
    secrets: HubSecrets
    store: Store
    clock: Clock

    def __post_init__(self) -> None:
        """The rules of this process are those of this hub's database."""
        pack.use(self.store)

    def close(self) -> None:
        """Close every database connection."""
        pack.leave(self.store)
        self.store.close()


def open_hub(
    folder: Path | str,
    unlock_file: str | None = None,
    *,
    clock: Clock | None = None,
    ask: Callable[[], str] | None = None,
) -> Hub:
    """Open the hub in that folder. The passphrase comes from a file, the environment, or `ask`; never from argv.

    Raises ConfigError, WrongPassword, StoreError.
    """
    home = HubHome(folder)
    config = home.config()
    crsqlite.self_test()
    passphrase = passphrase_from(unlock_file)
    if passphrase is None:
        if ask is None:
            raise ConfigError("没有给口令文件（--unlock-file）", "no unlock file was given (--unlock-file)")
        passphrase = ask().encode()
    secrets = home.unlock(passphrase)
    if not home.database.is_file():
        raise ConfigError(
            f"没有找到数据库 {home.database}。请不要新建，先从备份恢复",
            f"database {home.database} not found: make no new one, restore it from a backup",
        )
    return Hub(home, config, secrets, Store(home.database, secrets.db_key, side="hub"), clock or SystemClock())


with_hub = programs.with_folder(open_hub, "中心文件夹 / the hub's folder")
"""Decorates a command: `--dir`, `--unlock-file`, and the opened hub as its first argument."""


def current() -> Hub:
    """The hub of the app that serves this request."""
    hub: Hub = current_app.extensions[EXTENSION]
    return hub
