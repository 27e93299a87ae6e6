# SPDX-License-Identifier: Apache-2.0
"""What every test may use: a clock that stands, stores that close themselves, a random database key."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schema.clock import FixedClock
from schema.database import KEY_BYTES, Store


@pytest.fixture
def clock() -> FixedClock:
    """2026-11-23 09:00 in China, a Monday."""
    return FixedClock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))


@pytest.fixture
def db_key() -> bytes:
    return os.urandom(KEY_BYTES)


@pytest.fixture
def make_store(tmp_path: Path, db_key: bytes) -> Iterator[Callable[..., Store]]:
    """`make_store("hub")` or `make_store("node", "a")`: a real encrypted file with the real extension."""
    opened: list[Store] = []

    def make(side: str, name: str = "") -> Store:
        store = Store(tmp_path / f"{name or side}.db", db_key, side=side)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def hub_store(make_store: Callable[..., Store]) -> Store:
    return make_store("hub")


@pytest.fixture
def node_store(make_store: Callable[..., Store]) -> Store:
    return make_store("node")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, or one worker goes on alone long after the others have finished."""
    long = ("tests/browser/", "tests/test_journey.py", "tests/simulation/", "tests/provisioning/test_demo.py")
    items.sort(key=lambda item: not item.nodeid.startswith(long))
