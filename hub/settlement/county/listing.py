# SPDX-License-Identifier: Apache-2.0
"""Lists over a month file, as pages and Excel files show them: columns, sorted, a page at a time.

Figures come from the file as arrays; the words about a row (name, number, village) are asked from the register, for
the rows of one page only, unless the list is sorted by them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.settlement.county.columns import Ints

PAGE_ROWS = 50
Said = dict[str, Any]
Words = Callable[[Any, list[bytes]], dict[bytes, Said]]


@dataclass(frozen=True)
class Column:
    """`kind`: how it is shown: text, idno, fen, count, month, fund, held. `figure`: it comes from the file."""

    name: str
    kind: str

    @property
    def figure(self) -> bool:
        return self.kind not in ("text", "idno")

    @property
    def right(self) -> bool:
        """Shown at the right, with a sum at the foot for amounts."""
        return self.kind in ("fen", "count")


@dataclass(frozen=True)
class Listing:
    """Rows `0..len(ids)`. `words`: asks about ids; `first`: the column it is sorted by unless told otherwise; `links`:
    whose the ids are, person or payer; `sums`: of the columns at the right, over all rows.
    """

    columns: tuple[Column, ...]
    ids: list[bytes]
    figures: dict[str, Ints]
    words: Words
    first: str
    links: str
    sums: dict[str, int]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Page:
    """Some rows of a list and where they stand in it. `order`: the places of all rows."""

    listing: Listing
    order: list[int]
    rows: list[Said]
    sort: str
    descending: bool
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.listing) // PAGE_ROWS))


def page(db: Any, listing: Listing, sort: str, descending: bool | None, number: int) -> Page:
    """One page. An unknown column sorts as the list does by itself; a page beyond the last one is the last."""
    column = next((c for c in listing.columns if c.name == sort), None)
    column = column or next(c for c in listing.columns if c.name == listing.first)
    down = column.right if descending is None else descending
    order = _order(db, listing, column, down)
    number = min(max(1, number), max(1, -(-len(order) // PAGE_ROWS)))
    shown = order[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    return Page(listing, order, rows(db, listing, shown), column.name, down, number)


def rows(db: Any, listing: Listing, places: Iterable[int]) -> list[Said]:
    """The rows at these places, figures and words together."""
    at = [int(n) for n in places]
    said = listing.words(db, [listing.ids[n] for n in at])
    return [
        said.get(listing.ids[n], {}) | {"id": listing.ids[n]} | {k: int(v[n]) for k, v in listing.figures.items()}
        for n in at
    ]  # fmt: skip


def _order(db: Any, listing: Listing, column: Column, descending: bool) -> list[int]:
    if column.figure:
        values = listing.figures[column.name]
        return [int(n) for n in np.argsort(-values if descending else values, kind="stable")]
    said = listing.words(db, listing.ids)
    key = [str(said.get(id_, {}).get(column.name) or "") for id_ in listing.ids]
    return sorted(range(len(key)), key=key.__getitem__, reverse=descending)


def persons(db: Any, ids: list[bytes]) -> dict[bytes, Said]:
    """Name, ID number and village of persons."""
    found = db.execute(
        "SELECT p.id, p.name, p.id_number, coalesce(d.name, p.village) AS village FROM json_each(?) w "
        "CROSS JOIN person p ON p.id = unhex(w.value) LEFT JOIN division d ON d.code = p.village",
        (_as_json(ids),),
    )
    return {bytes(row["id"]): {k: row[k] for k in ("name", "id_number", "village")} for row in found}


def payers(db: Any, ids: list[bytes]) -> dict[bytes, Said]:
    """Name and number of payers: employers, and flexible workers, who pay for themselves (`own`)."""
    units = db.execute(
        "SELECT u.id, u.name, u.uscc AS id_number FROM json_each(?) w CROSS JOIN unit u ON u.id = unhex(w.value)",
        (_as_json(ids),),
    )
    out: dict[bytes, Said] = {
        bytes(row["id"]): {"name": row["name"], "id_number": row["id_number"], "own": False} for row in units
    }
    rest = [id_ for id_ in ids if id_ not in out]
    return out | {id_: words | {"own": True} for id_, words in persons(db, rest).items()}


def _as_json(ids: list[bytes]) -> str:
    return json.dumps([id_.hex() for id_ in ids])
