# SPDX-License-Identifier: Apache-2.0
"""One county of 3,000 persons, loaded once into a real hub database, for all tests that look at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from provisioning.county import load, places
from provisioning.county.load import Loaded
from provisioning.county.register import Register
from schema import parameter
from schema.clock import FixedClock
from schema.database import KEY_BYTES, Store
from sync.hub import publish

PERSONS, SEED, MONTH = 3000, 2, "2026-10"


@dataclass
class County:
    """The loaded hub, what the load said, and SQL by hand."""

    store: Store
    loaded: Loaded

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as db:
            return [tuple(r) for r in db.execute(sql, values).fetchall()]

    def one(self, sql: str, *values: Any) -> Any:
        return self.rows(sql, *values)[0][0]


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    store = Store(tmp_path_factory.mktemp("county") / "hub.db", os.urandom(KEY_BYTES), side="hub")
    with publish.transaction(store) as pub:
        for row in places.divisions():
            pub.put("division", row)
    yield County(store, load.load(store, Register(PERSONS, SEED, MONTH, parameter.load())))
    store.close()


@pytest.fixture(scope="session")
def last_day() -> FixedClock:
    """The day the register is as of."""
    return FixedClock(datetime(2026, 10, 31, 4, 0, tzinfo=UTC))
