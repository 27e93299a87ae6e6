# SPDX-License-Identifier: Apache-2.0
"""A station with many persons and a roster that names them all, for the roster's bench."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.cases import Desk
from node.roster import NewRoster
from schema import database, ids
from schema.clock import SystemClock
from schema.database import Store
from schema.rulebook import RuleBook
from schema.web.door import Officer
from tests.node.conftest import number_of
from tests.rostering import ITEM, add_unit, put_in_force, sheet


@contextmanager
def station_with(persons: int) -> Iterator[tuple[Desk, bytes, NewRoster, Officer, Ed25519PrivateKey]]:
    """An open desk, the file, what the clerk says of it, the clerk and the key."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "station.db", bytes(32), side="node")
        try:
            yield _fill(store, persons)
        finally:
            store.close()


def _fill(store: Store, persons: int) -> tuple[Desk, bytes, NewRoster, Officer, Ed25519PrivateKey]:
    station: Any = SimpleNamespace(store=store)
    put_in_force(station)
    lines = []
    with store.write() as db:
        database.set_setting(db, "node_id", b"0100-1")
        database.set_setting(db, "epoch", ids.new_id())
        unit_id = add_unit(db)
        block = {"station": "0100-1", "year": date(2026, 1, 1).year, "first": 1, "last": persons + 100, "rev": 1}
        database.insert(db, "receipt_block", block)
        for n in range(persons):
            born = date(1970, 1, 1) + timedelta(days=n % 9000)
            number = number_of(f"330683{born:%Y%m%d}{n // 9000 * 2 + 11:03d}0")
            row = {"id": ids.new_id(), "id_number": number, "name": "王小明", "sex": "1", "birth_on": born.isoformat()}
            database.insert(db, "person", row | {"village": "330683100201", "life_status": "1", "rev": 1})
            lines.append((number, "王小明", 5000 + n, "调整", "2026-11"))
    rules, clock = RuleBook(store), SystemClock()
    now = rules.current()
    desk = Desk(store, "0100-1", "330683100", clock, now.services, now.parameters, now.hash, rules)
    clerk = Officer("3012", "王丽萍", ("clerk",), "0100-1", b"", b"")
    new = NewRoster(ITEM, unit_id, ["sheet"], "工资.xlsx", clerk)
    return desk, sheet(lines), new, clerk, Ed25519PrivateKey.generate()
