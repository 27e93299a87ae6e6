# SPDX-License-Identifier: Apache-2.0
"""Every hub write that stations must learn of goes through here, in one transaction with the feed that tells them.

    with publish.transaction(store) as pub:
        pub.put("person", row)                  # reference row: written and fed only if anything differs
        pub.cells("contact", person_id, {"phone": "0575-83000000"})
        pub.fact(fact, "0100-1")

Each published row takes the next number of `feed_head`, so a page of a feed can end behind any row and a cut bootstrap
goes on where it stopped. The numbers are ours: the extension's own version counter can go back (guard P2).

A row that goes to another slice, alone or with its person (`members`), is taken back from the one it was in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from schema import crsqlite, database, tables
from schema.clock import Clock, SystemClock
from schema.database import Store
from schema.errors import Refusal, StoreError
from schema.events import Fact
from schema.table import Table
from sync import slices
from sync.hub import bulk, members
from sync.hub.fill import fill
from sync.hub.members import DELETED, LEAVE, UPSERT
from sync.wire.words import words

__all__ = ["DELETED", "LEAVE", "UPSERT", "Publication", "fill", "transaction"]

REGISTRY_NAMES = tuple(t.name for t in tables.REGISTRY)
slices_of = slices.slices_of


class Publication:
    """One open hub transaction. `db` for plain writes, `clock` for the day on which a person leaves a slice."""

    def __init__(self, db: Any, clock: Clock) -> None:
        self.db, self.clock = db, clock
        self._began = head(db)

    @property
    def seq(self) -> int:
        """The last feed number given. Kept in the database alone, so a savepoint takes it back with its rows."""
        return head(self.db)

    def next(self) -> int:
        """Take the next feed number."""
        sql = (
            "INSERT INTO feed_head (name, seq) VALUES ('feed', 1) "
            "ON CONFLICT (name) DO UPDATE SET seq = seq + 1 RETURNING seq"
        )
        return int(self.db.execute(sql).fetchall()[0][0])

    def put(self, table: str, row: Mapping[str, Any]) -> bool:
        """Write a reference row if it is new or differs (`rev` is set here); feed it to its slices. True if written.

        Columns left out keep their value. A person not placed anywhere is placed in the township of the village.
        """
        declared = _declared(table, "reference")
        key = {c: row[c] for c in declared.key}
        before = _fetch(self.db, declared, key)
        given = {c: v for c, v in row.items() if c != "rev"}
        _require_fit(declared, given)
        if before is not None and all(before[c] == v for c, v in given.items()):
            return False
        seq = self.next()
        after = {**(before or dict.fromkeys(declared.names)), **given, "rev": seq}
        database.upsert(self.db, table, after)
        if table == "person" and (before is None or before["village"] != after["village"]):
            self._follow(before, after)
        into = slices.slices_of(self.db, table, after)
        self._feed(seq, declared, slices.feed_key(declared, after), into, UPSERT)
        if before is not None and any(before[c] != after[c] for c in slices.deciding(declared)):
            left = set(slices.slices_of(self.db, table, before)) - set(into)
            self.feed(declared, slices.feed_key(declared, before), sorted(left), LEAVE)
        return True

    def _follow(self, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        """A person's home follows the village, and so does the family book of whoever is the last of it to go."""
        old, new = (slices.home_of_person(self.db, row) if row else "" for row in (before, after))
        members.follow(self, after["id"], old, new)
        if old in ("", new) or not after["household_id"]:
            return
        book = _fetch(self.db, tables.TABLES["household"], {"id": after["household_id"]})
        others = "SELECT village FROM person WHERE household_id = ? AND id <> ?"
        left = self.db.execute(others, (after["household_id"], after["id"])).fetchall()
        rest = {slices.home_of_person(self.db, row) for row in left}
        if book and slices.home_of_person(self.db, book) == old and old not in rest:
            self.put("household", {"id": book["id"], "village": after["village"]})

    def put_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """`put` for many rows with the same columns, at a tenth of the cost each; returns how many were written.

        Not for `person`: a person must be placed. Raises IntegrityError when a key is given twice.
        """
        declared = _declared(table, "reference")
        if declared.name == "person":
            raise StoreError("人员要逐个发布", "persons are published one by one")
        if not rows:
            return 0
        for row in rows:
            _require_fit(declared, row)
        before = self.seq
        written, after = bulk.put_many(self.db, declared, rows, before)
        if after != before:
            database.upsert(self.db, "feed_head", {"name": "feed", "seq": after})
        return written

    def cells(self, table: str, row_id: bytes, changes: Mapping[str, Any]) -> bool:
        """Write registry cells as the hub: insert, or update only what differs (P7). True if anything was written."""
        declared = _declared(table, "registry")
        _require_fit(declared, changes)
        if self.db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (row_id,)).fetchone() is None:
            database.insert(self.db, table, {"id": row_id, **changes})
        elif not database.update(self.db, table, {"id": row_id}, dict(changes)):
            return False
        self.touch(declared.name, [row_id])
        return True

    def touch(self, table: str, row_ids: Sequence[bytes]) -> None:
        """Feed registry rows whose cells were changed in this transaction, in the order given."""
        declared = _declared(table, "registry")
        if row_ids:
            database.upsert(self.db, "feed_head", {"name": "feed", "seq": self.seq + len(row_ids)})
            bulk.feed_rows(self.db, declared, row_ids, self.seq - len(row_ids))

    def fact(self, fact: Fact, station: str) -> None:
        """Send a stored fact of the hub to one station."""
        self._feed(self.next(), tables.TABLES["fact"], fact.id, [slices.NODE_PREFIX + station], UPSERT)

    def place(self, person_id: bytes, wanted: Iterable[str], reason: str = members.GRANTED) -> None:
        """Make the person a member of these slices as well, wherever the village is; they get all rows."""
        members.grant(self, person_id, wanted, reason)

    def move(self, person_id: bytes, wanted: Iterable[str]) -> None:
        """Make the person a member of exactly these slices: all rows leave the others and enter the new ones."""
        members.move(self, person_id, wanted)

    def erase(self, person_id: bytes) -> None:
        """Delete a person with all rows that travel, here and at every station that holds them."""
        members.erase(self, person_id)

    def feed(self, table: Table, key: bytes, into: Sequence[str], op: int) -> None:
        """Tell these slices that a row comes, leaves or is deleted; it takes the next number."""
        if into:
            self._feed(self.next(), table, key, into, op)

    def _feed(self, seq: int, table: Table, key: bytes, into: Iterable[str], op: int) -> None:
        for slice_ in into:
            self.db.execute(
                "INSERT INTO slice_feed (slice, tbl, pk, channel, seq, op) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (slice, tbl, pk) DO UPDATE SET seq = excluded.seq, op = excluded.op",
                (slice_, table.name, key, tables.CHANNEL[table.kind], seq, op),
            )

    def finish(self) -> None:
        """Note, before the commit, which CRDT version the feed's head stands at."""
        if self.seq != self._began:
            remember_clock(self.db, self.seq)


@contextmanager
def transaction(store: Store, *, merging: bool = False, clock: Clock | None = None) -> Iterator[Publication]:
    """One hub write transaction with its feed. `merging`: on a connection of its own, for cells of a peer (P1)."""
    if store.side != "hub":
        raise StoreError("只有中心可以发布", "only the hub publishes")
    with store.merging() if merging else store.write() as db:
        publication = Publication(db, clock or SystemClock())
        yield publication
        publication.finish()


def head(db: Any) -> int:
    """The last feed number given."""
    found = db.execute("SELECT seq FROM feed_head WHERE name = 'feed'").fetchone()
    return int(found[0]) if found else 0


def remember_clock(db: Any, seq: int) -> None:
    """Note the CRDT version that feed number `seq` stands at, if it moved: rule H translates a base with it."""
    version = crsqlite.max_version(db, REGISTRY_NAMES)
    last = db.execute("SELECT version FROM feed_clock ORDER BY seq DESC LIMIT 1").fetchone()
    if version != (last[0] if last else 0):
        database.upsert(db, "feed_clock", {"seq": seq, "version": version})


def version_at(db: Any, seq: int) -> int:
    """The CRDT version at which feed number `seq` stood."""
    found = db.execute("SELECT version FROM feed_clock WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (seq,)).fetchone()
    return int(found[0]) if found else 0


def _declared(table: str, kind: str) -> Table:
    declared = tables.TABLES[table]
    if declared.kind != kind:
        raise StoreError(f"{table} 不是这一类表", f"{table} is not a {kind} table")
    return declared


def _require_fit(table: Table, row: Mapping[str, Any]) -> None:
    """What stations would refuse is not published: each would refuse the whole page, and never get past it."""
    for name, value in row.items():
        column = table.column(name)
        reason = "column" if column is None else column.accepts(value)
        if reason:
            zh, en = words(reason)
            raise Refusal(f"{table.name}.{name}：{zh}", f"{table.name}.{name}: {en}", code="unfit")


def _fetch(db: Any, table: Table, key: dict[str, Any]) -> dict[str, Any] | None:
    where = " AND ".join(f"{c} = ?" for c in key)
    row = db.execute(f"SELECT * FROM {table.name} WHERE {where}", tuple(key.values())).fetchone()
    return dict(row) if row else None
