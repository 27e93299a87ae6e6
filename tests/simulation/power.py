# SPDX-License-Identifier: Apache-2.0
"""Power cuts at any SQL statement: every connection counts what its machine executes, and one of them is the last.

A machine dies before a statement, or right after a COMMIT: that is the reply nobody ever gets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlcipher3 import dbapi2 as sqlcipher

from schema.database import Remembering


class Crashed(BaseException):
    """The power went off at a station or at the hub: no code of ours may catch it."""

    def __init__(self, who: str) -> None:
        super().__init__(who)
        self.who = who


@dataclass
class Fate:
    """Which machine dies in how many statements. `paused`: what runs now is not that machine's own program."""

    machine: str = ""
    left: int = 0
    after: bool = False
    paused: bool = True
    died: str = ""

    def doom(self, machine: str, statements: int, *, after: bool) -> None:
        """The machine (the stem of its file: 'hub', '0', '1') dies at that statement of its own program; with `after`,
        when the next COMMIT from there on is done."""
        self.machine, self.left, self.after, self.died = machine, statements, after, ""

    def spare(self) -> None:
        """Nobody dies."""
        self.machine, self.paused = "", True

    def autopsy(self, machine: str) -> str:
        """How it died, '' when it was not here; told once."""
        how, self.died = self.died, ""
        return how and f"{machine} dies {'after a commit' if how == 'commit' else 'at a statement'}"

    def counts(self, db: Mortal, sql: str) -> bool:
        """Whether this statement is the last; counts it."""
        if self.paused or db.machine != self.machine or "crsql_finalize" in sql:
            return False  # a dead machine leaves no file open: here the process goes on, and would
        self.left -= 1
        return self.left <= 0 and (not self.after or sql == "COMMIT")

    def strike(self, db: Mortal) -> None:
        """The power goes."""
        self.died = "commit" if self.after else "statement"
        self.spare()
        raise Crashed(db.machine)


FATE = Fate()


class Mortal(Remembering):
    """A connection of a machine that can lose its power."""

    machine = ""

    def execute(self, sql: str, *values: Any) -> Any:
        if not FATE.machine or not FATE.counts(self, sql):
            return super().execute(sql, *values)
        if FATE.after:
            super().execute(sql, *values)
        return FATE.strike(self)

    def executemany(self, sql: str, *values: Any) -> Any:
        if not FATE.machine or not FATE.counts(self, sql):
            return super().executemany(sql, *values)
        return FATE.strike(self)


@contextmanager
def mortal_connections() -> Iterator[None]:
    """Connections opened in here belong to machines that can die."""
    connect = sqlcipher.connect

    def opened(path: str, **options: Any) -> Any:
        db = connect(path, **{**options, "factory": Mortal})
        db.machine = Path(path).name.split(".")[0]
        return db

    FATE.spare()
    with patch.object(sqlcipher, "connect", opened):
        yield
    FATE.spare()

