# SPDX-License-Identifier: Apache-2.0
"""A database that fails at its Nth write: what a full disk, a broken disk or a cut does, at every place it can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from schema import database
from schema.database import Store
from tests.hostile.evil import rows

_WRITES = ("INSERT", "UPDATE", "DELETE", "COMMIT", "RELEASE")


class Disk:
    """How many writes still work. None: all of them."""

    left: int | None = None
    done = 0


class Failing(database.Remembering):
    """A connection to that disk. Undoing works always, as it does after a cut."""

    def execute(self, sql: str, *values: Any) -> Any:
        self._write(sql)
        return super().execute(sql, *values)

    def executemany(self, sql: str, *values: Any) -> Any:
        self._write(sql)
        return super().executemany(sql, *values)

    @staticmethod
    def _write(sql: str) -> None:
        if not sql.lstrip().startswith(_WRITES):
            return
        Disk.done += 1
        if Disk.left is not None:
            Disk.left -= 1
            if Disk.left < 0:
                raise sqlcipher.OperationalError("disk I/O error")


def plant(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every connection is to that disk."""
    monkeypatch.setattr(Disk, "left", None)
    monkeypatch.setattr(database, "Remembering", Failing)


def fail_everywhere(store: Store, act: Callable[[], Any], *but_not: str) -> tuple[int, Any]:
    """Let `act` fail at its first write, its second ..., until it works; each time nothing may have been written.

    Returns the number of writes it takes and its answer.
    """
    before = rows(store, *but_not)
    for n in range(10_000):
        Disk.left = n
        try:
            answer = act()
        except sqlcipher.OperationalError:
            Disk.left = None
            assert rows(store, *but_not) == before, f"something was left behind by a failure at write {n + 1}"
            continue
        finally:
            Disk.left = None
        return n, answer
    raise AssertionError("it never works")
