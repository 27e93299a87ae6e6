# SPDX-License-Identifier: Apache-2.0
"""Persons who move between townships: whole ones, and what is left of them where they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schema import ids, tables
from sync.hub import publish

A, B, C = "330683100", "330683101", "330683102"
OF_PERSONS = {t.name for t in tables.REGISTRY} - tables.OF_NOBODY


def settled(world: Any, village: str = A + "201") -> bytes:
    """A person with a row in every table that has persons, and a family book."""
    book = ids.new_id()
    with publish.transaction(world.hub) as pub:
        pub.put("household", {"id": book, "head_name": "测试甲", "village": village})
    person = world.person(village, household_id=book)
    with publish.transaction(world.hub) as pub:
        for table in tables.REFERENCE:
            if table.person_column:
                pub.put(table.name, example(table, person))
        for name in OF_PERSONS - {"contact"}:
            pub.cells(name, person, {tables.TABLES[name].columns[1].name: "yes"})
        pub.put("conflict", example(tables.TABLES["conflict"], person) | {"tbl": "contact", "row_id": person})
    return person


def example(table: Any, person: bytes) -> dict[str, Any]:
    made = {"id": ids.new_id, "int": lambda: 1, "text": lambda: "1", "blob": lambda: b"1"}
    row = {c.name: made[c.type]() for c in table.columns if c.required and c.name != "rev"}
    return row | {table.person_column or "row_id": person}


def move(world: Any, person: bytes, township: str) -> None:
    """The village changes, as a decided case or a register file changes it."""
    with publish.transaction(world.hub, clock=world.clock) as pub:
        pub.put("person", {"id": person, "village": township + "201"})


def traces(side: Any, person: bytes) -> dict[str, int]:
    """Tables that still speak of the person, read off the schema and not off the code under test."""
    out = {}
    kept = [] if hasattr(side, "hub") else [tables.TABLES["local_edit"]]
    for table in (*tables.REGISTRY, *tables.REFERENCE, *kept):
        for column in table.columns:
            sql = f"SELECT count(*) FROM {table.name} WHERE {column.name} = ?"
            if column.type == "id" and (n := side.rows(sql, person)[0][0]):
                out[table.name] = n
    clocks = "SELECT count(*) FROM contact__crsql_pks WHERE id = ?"
    if n := side.rows(clocks, person)[0][0]:
        out["contact__crsql_pks"] = n
    return out


def everything(world: Any) -> set[str]:
    owned = {t.name for t in tables.REFERENCE if t.person_column}
    return owned | OF_PERSONS | {"person", "contact__crsql_pks", "conflict"}


class Before:
    """Calls `act` once, before request `at` or before the first that `when` names."""

    def __init__(self, inner: Any, act: Callable[[], None], *, at: int = 0, when: Any = None) -> None:
        self.inner, self.act, self.at, self.when, self.count = inner, act, at, when, 0

    def request(self, method: str, path: str, query: Any, *rest: Any) -> Any:
        self.count += 1
        if self.count == self.at or self.when == (path.rsplit("/", 1)[-1], query.get("chan")):
            self.when = None
            self.act()
        return self.inner.request(method, path, query, *rest)


def late(world: Any) -> list[tuple[Any, ...]]:
    return world.rows("SELECT station, cols, state FROM late_edit ORDER BY cols")


def incidents(world: Any) -> list[tuple[Any, ...]]:
    return world.rows("SELECT kind, peer, detail FROM incident")
