# SPDX-License-Identifier: Apache-2.0
"""The queue of rows that people changed without knowing of each other: what waits for a person, what merged by itself,
what was decided.

One entry is a row of the register (a person's contact data), because whoever decides must see it whole.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

SHOWN = 200
OPEN, MERGED, DECIDED = "open", "merged", "decided"
VIEWS = (OPEN, MERGED, DECIDED)
KINDS = ("cell", "row", "group")

# What travels and what does not, in one form: whose value, against whose, in which columns.
ITEMS = (
    "SELECT id, kind, tbl, row_id, col, '' AS other_col, kept_by AS one, lost_by AS other, found_at FROM conflict "
    "UNION ALL SELECT id, kind, tbl, row_id, col, other_col, station, other_station, found_at FROM parallel_edit"
)
# A decision stands until a later one takes it back.
STANDS = (
    "EXISTS (SELECT 1 FROM conflict_decision d WHERE d.about = i.id AND d.undoes IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM conflict_decision u WHERE u.about = d.about AND u.undoes = d.id))"
)
_IN_VIEW = {
    OPEN: f"i.kind <> 'disjoint' AND NOT {STANDS}",
    MERGED: "i.kind = 'disjoint'",
    DECIDED: f"i.kind <> 'disjoint' AND {STANDS}",
}


@dataclass(frozen=True)
class Wanted:
    """Which part of the queue. Empty means all; `township` is a code, `station` a station's number."""

    show: str = OPEN
    kind: str = ""
    township: str = ""
    station: str = ""

    @staticmethod
    def of(asked: dict[str, str]) -> Wanted:
        """What an address asks for; anything unknown is left out."""
        given = {f.name: asked.get(f.name, "") for f in fields(Wanted)}
        given["show"] = given["show"] if given["show"] in VIEWS else OPEN
        given["kind"] = given["kind"] if given["kind"] in KINDS else ""
        return Wanted(**given)


@dataclass(frozen=True)
class Entry:
    """One row in the queue: the columns and kinds that met, since when."""

    row_id: bytes
    person_name: str
    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    since: str


def queue(db: Any, wanted: Wanted) -> list[Entry]:
    """Oldest first; what is decided or merged by itself, newest first."""
    where, values = _where(wanted)
    order = "since" if wanted.show == OPEN else "max(i.found_at) DESC"
    rows = db.execute(
        "SELECT i.row_id, p.name, min(i.found_at) AS since, group_concat(DISTINCT i.kind) AS kinds, "
        "group_concat(DISTINCT trim(i.col || ' ' || i.other_col)) AS columns "
        f"FROM ({ITEMS}) i LEFT JOIN person p ON p.id = i.row_id WHERE {where} GROUP BY i.row_id "
        f"ORDER BY {order}, i.row_id LIMIT {SHOWN}",
        values,
    )
    return [
        Entry(bytes(r["row_id"]), r["name"] or "", _words(r["kinds"]), _words(r["columns"]), r["since"]) for r in rows
    ]


def counts(db: Any, wanted: Wanted) -> dict[str, int]:
    """How many rows each view has under the same filters."""
    out = {}
    for view in VIEWS:
        where, values = _where(Wanted(view, wanted.kind if view != MERGED else "", wanted.township, wanted.station))
        sql = f"SELECT count(DISTINCT i.row_id) FROM ({ITEMS}) i LEFT JOIN person p ON p.id = i.row_id WHERE {where}"
        out[view] = int(db.execute(sql, values).fetchone()[0])
    return out


def waiting(db: Any) -> int:
    """How many rows wait for a person."""
    return counts(db, Wanted())[OPEN]


def of_person(db: Any, row_id: bytes) -> list[Any]:
    """What of this row waits for a person, newest first: for the person's page."""
    sql = f"SELECT i.* FROM ({ITEMS}) i WHERE i.row_id = ? AND {_IN_VIEW[OPEN]} ORDER BY i.found_at DESC, i.col"
    return list(db.execute(sql, (row_id,)).fetchall())


def _where(wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """The condition over `i` (items) and `p` (person)."""
    filters = [
        ("i.kind = ?", (wanted.kind,) if wanted.show != MERGED else ("",)),
        ("substr(p.village, 1, 9) = ?", (wanted.township,)),
        ("? IN (i.one, i.other)", (wanted.station,)),
    ]
    used = [(sql, values) for sql, values in filters if values[0]]
    return " AND ".join([_IN_VIEW[wanted.show], *(sql for sql, _ in used)]), tuple(v for _, vs in used for v in vs)


def _words(joined: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(joined.replace(",", " ").split()))
