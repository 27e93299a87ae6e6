# SPDX-License-Identifier: Apache-2.0
"""How checkers look at databases: plain SQL, nothing of sync/ is asked how things stand."""

from __future__ import annotations

from collections import Counter
from typing import Any

from schema.database import Store
from tests.simulation.model import HUB, Broken, Cell, Pair
from tests.simulation.world import Station, World


def stores(world: World) -> list[tuple[str, Store]]:
    """Every database with its name."""
    return [(HUB, world.hub), *((s.name, s.store) for s in world.stations)]


def station_of(world: World, name: str) -> Station:
    """The station of that name."""
    return next(s for s in world.stations if s.name == name)


def need(kept: bool, checker: Any, what: str) -> None:
    """Go on only if it was kept. `checker`: the function whose promise it is."""
    if not kept:
        raise Broken(checker.__name__, what[:1000])


def rows(store: Store, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with store.read() as db:
        return [tuple(row) for row in db.execute(sql, values)]


def one(store: Store, sql: str, *values: Any) -> Any:
    """Its first value."""
    return rows(store, sql, *values)[0][0]


def shown(store: Store, columns: tuple[str, ...]) -> dict[Cell, Any]:
    """Every registry cell as plain SQL finds it."""
    found: dict[Cell, Any] = {}
    for row_id, *values in rows(store, f"SELECT id, {', '.join(columns)} FROM contact"):
        found.update({(row_id, column): value for column, value in zip(columns, values, strict=True)})
    return found


def conflicts(store: Store) -> Counter[Pair]:
    """The conflict records of a database."""
    found = rows(store, "SELECT row_id, col, kept, lost FROM conflict WHERE kind = 'cell'")
    return Counter(((row_id, column), frozenset((kept, lost))) for row_id, column, kept, lost in found)
