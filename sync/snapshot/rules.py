# SPDX-License-Identifier: Apache-2.0
"""What a snapshot need not carry because it follows from what it does: checked at the hub row by row, never assumed.

A value that does not follow travels beside its place, so a register full of dirt costs bytes and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from schema import ids
from schema.table import Table
from sync import slices

Columns = dict[str, list[Any]]
# Tables whose ids others refer to, in this order before all others.
LISTED = ("household", "person")


class Known:
    """Ids of the listed tables in the order of the file, and what rules ask of them."""

    def __init__(self) -> None:
        self.ids: dict[str, list[bytes]] = {name: [] for name in LISTED}
        self.places: dict[str, dict[bytes, int]] = {name: {} for name in LISTED}
        self.names: list[str] = []

    def add(self, table: str, columns: Columns) -> None:
        """Rows of a listed table, in their order."""
        if table not in self.ids:
            return
        start = len(self.ids[table])
        self.ids[table] += columns["id"]
        self.places[table] |= {row_id: start + i for i, row_id in enumerate(columns["id"])}
        if table == "person":
            self.names += columns["name"]

    def name_of(self, person_id: bytes | None) -> str | None:
        """The person's name, None for someone not in the file."""
        place = self.places["person"].get(person_id) if person_id else None
        return None if place is None else self.names[place]


def referred(table: Table) -> dict[str, str]:
    """Columns that hold ids of a listed table."""
    if table.name in LISTED:
        return {"household_id": "household"} if table.name == "person" else {}
    owner = slices.person_column(table)
    return {owner: "person"} if owner else {}


Rule = Callable[[Columns, Known], Iterable[Any]]


def _birth(columns: Columns, known: Known) -> Iterable[Any]:
    return (f"{n[6:10]}-{n[10:12]}-{n[12:14]}" for n in columns["id_number"])


def _sex(columns: Columns, known: Known) -> Iterable[Any]:
    return ("1" if n[16:17] in "13579" else "2" for n in columns["id_number"])


def _holder(columns: Columns, known: Known) -> Iterable[Any]:
    return (known.name_of(person_id) for person_id in columns["person_id"])


def _row_id(table: str, column: str) -> Rule:
    def row_ids(columns: Columns, known: Known) -> Iterable[Any]:
        cases = columns.get("case_id") or [None] * len(columns["person_id"])
        for person_id, value, case_id in zip(columns["person_id"], columns[column], cases, strict=True):
            yield ids.derived_id(case_id, table) if case_id else ids.owned_id(table, person_id, value)

    return row_ids


# In the order of their columns; a rule may use every column that has none.
RULES: dict[str, dict[str, Rule]] = {
    "person": {"sex": _sex, "birth_on": _birth},
    "bank_account": {"holder": _holder},
    **{name: {"id": _row_id(name, column)} for name, column in ids.FOLLOWS.items()},
}
