# SPDX-License-Identifier: Apache-2.0
"""Hub: who is in which slice, and what the slices are told when that changes: every row of the person comes or goes.

Here a member is a person, or a row that is nobody's (a vacancy), with an id of its own.

A person is in the township of the village (the home), and in others for as long as somebody granted it (`granted`
says why: insured there, say). When the village changes, the home moves; what was granted stays. What ended is kept in
`slice_left`: an edit made before is judged by what its station had been shown (rule H), or is a late one (`late`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from schema import database, tables
from schema.clock import stamp
from schema.table import Table
from sync import slices

if TYPE_CHECKING:
    from sync.hub.publish import Publication

UPSERT, LEAVE, DELETED = 1, 2, 3
GRANTED = "granted"


def of(db: Any, person_id: bytes) -> dict[str, str | None]:
    """slice -> why it was granted, None where it is only the home."""
    found = db.execute("SELECT slice, granted FROM slice_member WHERE person_id = ?", (person_id,))
    return {row[0]: row[1] for row in found}


def grant(pub: Publication, person_id: bytes, wanted: Iterable[str], reason: str) -> None:
    """Make the person a member of these slices as well, for this reason, wherever the village is."""
    wanted, held = set(wanted), of(pub.db, person_id)
    _enter(pub, person_id, wanted - held.keys(), reason)
    for slice_ in wanted & held.keys():
        key = {"person_id": person_id, "slice": slice_}
        database.update(pub.db, "slice_member", key, {"granted": reason})


def move(pub: Publication, person_id: bytes, wanted: Iterable[str]) -> None:
    """Make the person a member of exactly these slices."""
    wanted, held = set(wanted), of(pub.db, person_id)
    home = _home(pub.db, person_id)
    _leave(pub, person_id, held.keys() - wanted)
    entered = wanted - held.keys()
    _enter(pub, person_id, entered & {home}, None)
    _enter(pub, person_id, entered - {home}, GRANTED)


def follow(pub: Publication, person_id: bytes, old: str, new: str) -> None:
    """The home moves with the village; slices granted for another reason stay. `old`: '' for a new person."""
    held = of(pub.db, person_id)
    if old != new and old in held and held[old] is None:
        _leave(pub, person_id, {old})
    _enter(pub, person_id, {new} - held.keys(), None)


def erase(pub: Publication, person_id: bytes) -> None:
    """Delete all that travels of a person, here and at every station that holds it (个人信息保护法 47).

    A registry row keeps its tombstone, so that no old copy brings it back. Registry rows go last: the database lets
    them go only when the person is gone (P8).
    """
    held = sorted(of(pub.db, person_id))
    for table, key in sorted(_rows(pub.db, person_id), key=lambda row: row[0].kind == "registry"):
        pub.feed(table, key, held, DELETED)
        where = " AND ".join(f"{c} = ?" for c in table.key)
        pub.db.execute(f"DELETE FROM {table.name} WHERE {where}", slices.key_values(table, key))
    for row in pub.db.execute("SELECT id, station FROM late_edit WHERE row_id = ?", (person_id,)).fetchall():
        pub.feed(tables.TABLES["late_edit"], bytes(row["id"]), [slices.NODE_PREFIX + row["station"]], DELETED)
        pub.db.execute("DELETE FROM late_value WHERE late_id = ?", (row["id"],))
    for name in (t.name for t in tables.on_side("hub") if t.column("tbl") and t.column("row_id")):
        pub.db.execute(f"DELETE FROM {name} WHERE row_id = ?", (person_id,))
    pub.db.execute("DELETE FROM slice_member WHERE person_id = ?", (person_id,))
    pub.db.execute("DELETE FROM slice_left WHERE person_id = ?", (person_id,))


def _home(db: Any, person_id: bytes) -> str:
    row = db.execute("SELECT village FROM person WHERE id = ?", (person_id,)).fetchone()
    return slices.home_of_person(db, row) if row else ""


def _enter(pub: Publication, person_id: bytes, entered: set[str], granted: str | None) -> None:
    if not entered:
        return
    for table, key in _rows(pub.db, person_id, stored_only=True):
        pub.feed(table, key, sorted(entered), UPSERT)
    # The number behind all of them: a reader who stopped half way must still get whole rows, or an evicted
    # row that comes back as a few cells becomes a row of NULLs (P10).
    since = pub.next()
    for slice_ in sorted(entered):
        row = {"person_id": person_id, "slice": slice_, "since_seq": since, "granted": granted}
        database.insert(pub.db, "slice_member", row)


def _leave(pub: Publication, person_id: bytes, left: set[str]) -> None:
    if not left:
        return
    for table, key in _rows(pub.db, person_id):
        pub.feed(table, key, sorted(left), LEAVE)
    for slice_ in sorted(left):
        sql = "DELETE FROM slice_member WHERE person_id = ? AND slice = ? RETURNING since_seq"
        since = pub.db.execute(sql, (person_id, slice_)).fetchall()[0][0]
        database.insert(pub.db, "slice_left", {
            "person_id": person_id, "slice": slice_, "since_seq": since, "left_seq": pub.seq,
            "left_at": stamp(pub.clock.now()),
        })  # fmt: skip


def _rows(db: Any, person_id: bytes, *, stored_only: bool = False) -> Iterator[tuple[Table, bytes]]:
    """All rows of the person. A registry row counts when only a station has it: that one must go as well."""
    for table in (*tables.REGISTRY, *tables.REFERENCE):
        owner, of_persons = slices.person_column(table), table.name not in tables.OF_NOBODY
        if not owner:
            continue
        sql = f"SELECT {', '.join(table.key)} FROM {table.name} WHERE {owner} = ?"
        keys = [slices.feed_key(table, row) for row in db.execute(sql, (person_id,)).fetchall()]
        if not keys and table.kind == "registry" and (owner,) == table.key and not stored_only and of_persons:
            keys = [person_id]
        yield from ((table, key) for key in keys)
