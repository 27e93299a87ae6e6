# SPDX-License-Identifier: Apache-2.0
"""Proof that station and hub hold the same: a tree of hashes over all rows of a family of slices.

Three families share no table (`slices.family`): the county's rows, the station's own, and those of its townships
together (a person may be in two of them, so several townships count as one set). A row lies in one of BUCKETS by its
owner, so that a change costs one bucket and a difference is found in two questions:

    bucket = BLAKE2b over its rows, table by table in order of names, rows in order of owner and key
    group  = BLAKE2b over its buckets          root = BLAKE2b over all groups

Reference rows count whole; registry cells with col_version, causal length and value. Not counted: author, db_version
and order, which differ rightly between equal replicas; facts, which their chain proves; a station's conflict rows that
the hub has not confirmed yet (rev 0 or less). No secret is needed: rows are hashed in order and not added up, so nobody
can make two that cancel each other out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from schema import crsqlite, tables
from schema.crsqlite import ROW_SENTINEL
from schema.table import Table
from sync import slices
from sync.wire import codec

DIGEST_BYTES = 16
GROUPS = BUCKETS_IN_GROUP = 64
BUCKETS = GROUPS * BUCKETS_IN_GROUP
EMPTY = bytes(DIGEST_BYTES)
_BUCKET_BITS = 12
_EVERYTHING = (("", "ff" * 17),)


def families(held: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """family -> its slices among those held, in a fixed order."""
    out: dict[str, tuple[str, ...]] = {}
    for slice_ in sorted(held):
        name = slices.family(slice_)
        out[name] = (*out.get(name, ()), slice_)
    return dict(sorted(out.items()))


@dataclass(frozen=True)
class Scope:
    """Whose rows count: those a station of these slices should hold, or, with no slices, all that lie here."""

    family: str
    slices: tuple[str, ...] = ()

    @staticmethod
    def at_hub(wanted: tuple[str, ...]) -> Scope:
        """What a station of these slices (one family) should hold."""
        return Scope(slices.family(wanted[0]), wanted)

    @property
    def tables(self) -> list[Table]:
        """The tables of the family, in order of names."""
        travelling = (*tables.REGISTRY, *tables.REFERENCE)
        return sorted((t for t in travelling if slices.family_of_table(t.name) == self.family), key=lambda t: t.name)


class Row(NamedTuple):
    """A row as it counts: all its values in declared order, for a registry row followed by its versions."""

    bucket: int
    values: tuple[Any, ...]


def bucket_of(owner: bytes) -> int:
    """The bucket of rows whose owner is this id."""
    return int.from_bytes(owner[:2], "big") >> (16 - _BUCKET_BITS)


def bucket_of_key(key: Sequence[Any]) -> int:
    """The bucket of a row of a table without ids."""
    return bucket_of(blake2b(codec.dump(list(key)), digest_size=DIGEST_BYTES).digest())


def bucket_of_row(table: Table, row: Mapping[str, Any]) -> int:
    """The bucket a row lies in."""
    owner = table.owner_column
    return bucket_of(row[owner]) if owner else bucket_of_key([row[c] for c in table.key])


def of_hub(db: Any, wanted: tuple[str, ...]) -> bytes:
    """The digest of what a station of these slices should hold, from its rows."""
    return root(hashes(db, Scope.at_hub(wanted)))


def of_node(db: Any, family: str) -> bytes:
    """The digest of what this station holds of that family, from its rows."""
    return root(hashes(db, Scope(family)))


def hashes(db: Any, scope: Scope, wanted: Iterable[int] | None = None) -> dict[int, bytes]:
    """Hash of each bucket that holds a row; all buckets, or those wanted."""
    chosen = None if wanted is None else sorted(set(wanted))
    found: dict[int, Any] = {}
    for table in scope.tables:
        for bucket, part in groupby(rows(db, scope, table, chosen), key=itemgetter(0)):
            whole = found.setdefault(bucket, blake2b(digest_size=DIGEST_BYTES))
            whole.update(codec.dump([table.name, [values for _, values in part]]))
    return {bucket: whole.digest() for bucket, whole in found.items()}


def group(buckets: Mapping[int, bytes], number: int) -> bytes:
    """The hashes of one group's buckets, joined; EMPTY for a bucket without rows."""
    first = number * BUCKETS_IN_GROUP
    return b"".join(buckets.get(bucket, EMPTY) for bucket in range(first, first + BUCKETS_IN_GROUP))


def ungroup(joined: bytes, number: int) -> dict[int, bytes]:
    """The hashes of a group's buckets, by bucket."""
    first = number * BUCKETS_IN_GROUP
    parts = range(0, len(joined), DIGEST_BYTES)
    return {first + i // DIGEST_BYTES: joined[i : i + DIGEST_BYTES] for i in parts}


def root(buckets: Mapping[int, bytes]) -> bytes:
    """The digest, from the hashes of the buckets."""
    return root_of(group(buckets, number) for number in range(GROUPS))


def root_of(groups: Iterable[bytes]) -> bytes:
    """The digest, from the joined hashes of each group's buckets."""
    return hash_of(b"".join(map(hash_of, groups)))


def group_hashes(groups: Iterable[bytes]) -> bytes:
    """The hash of each group, joined."""
    return b"".join(map(hash_of, groups))


def hash_of(data: bytes) -> bytes:
    """The hash of a group's joined buckets, or of the joined groups."""
    return blake2b(data, digest_size=DIGEST_BYTES).digest()


def rows(db: Any, scope: Scope, table: Table, wanted: Sequence[int] | None = None) -> Iterator[Row]:
    """Rows of a table that count, ordered by bucket, owner and key; of all buckets, or of those wanted (ascending)."""
    owner = table.owner_column
    columns = ", ".join(f"t.{name}" for name in table.names)
    if table.kind == "registry":
        columns += f", ({_versions(table)})"
    if owner:
        return _by_owner(db, scope, table, columns, owner, wanted)
    return _by_key(db, scope, table, columns, wanted)


def _by_owner(
    db: Any, scope: Scope, table: Table, columns: str, owner: str, wanted: Sequence[int] | None
) -> Iterator[Row]:
    place = table.names.index(owner)
    between = "BETWEEN unhex(w.value ->> 0) AND unhex(w.value ->> 1)"
    listed = json.dumps(_EVERYTHING if wanted is None else [_range(bucket) for bucket in wanted])
    marks = ", ".join("?" * len(scope.slices))
    if scope.slices and slices.person_column(table):
        # The members first: in a county's table only one row of twenty is the station's.
        members = (
            f"SELECT DISTINCT m.person_id AS id FROM json_each(?) w CROSS JOIN slice_member m "
            f"ON m.slice IN ({marks}) AND m.person_id {between}"
        )
        source, values = f"({members}) o CROSS JOIN {table.name} t ON t.{owner} = o.id", (listed, *scope.slices)
    else:
        source, values = f"json_each(?) w CROSS JOIN {table.name} t ON t.{owner} {between}", (listed,)
        if scope.slices:
            source += f" WHERE {slices.expression(table.name, 't.')} IN ({marks})"
            values = (*values, *scope.slices)
        elif table.name == "conflict":
            source += " WHERE t.rev > 0"
    order = ", ".join(f"t.{c}" for c in dict.fromkeys((owner, *table.key)))
    cursor = db.cursor()
    cursor.row_factory = None  # plain tuples: a first load reads all rows of a township
    for row in cursor.execute(f"SELECT {columns} FROM {source} ORDER BY {order}", values):
        first, second = row[place][:2]
        yield Row(first << 4 | second >> 4, row)


def _by_key(db: Any, scope: Scope, table: Table, columns: str, wanted: Sequence[int] | None) -> Iterator[Row]:
    """Tables without ids are small and seldom change: they are read whole."""
    where = f"{slices.expression(table.name, 't.')} IN ({', '.join('?' * len(scope.slices))})" if scope.slices else "1"
    sql = f"SELECT {columns} FROM {table.name} t WHERE {where} ORDER BY {', '.join(f't.{c}' for c in table.key)}"
    places = [table.names.index(c) for c in table.key]
    found = [Row(bucket_of_key([row[i] for i in places]), tuple(row)) for row in db.execute(sql, scope.slices)]
    chosen = None if wanted is None else frozenset(wanted)
    return iter(sorted((r for r in found if chosen is None or r.bucket in chosen), key=lambda r: r.bucket))


def _range(bucket: int) -> tuple[str, str]:
    """First and last owner of a bucket, in hex."""
    return f"{bucket:03x}0", f"{bucket:03x}f" + "ff" * 16


def _versions(table: Table) -> str:
    """SQL for `column:col_version` of each cell of a row; the sentinel's is the causal length."""
    names = [c for c in table.names if c not in table.key]
    number = " ".join(f"WHEN '{c}' THEN {i}" for i, c in enumerate(names))
    return (
        f"SELECT group_concat(v, ' ') FROM (SELECT CASE col {number} WHEN '{ROW_SENTINEL}' THEN -1 END || ':' || "
        f"col_version AS v FROM ({crsqlite.cells_sql(table.name)}) WHERE id = t.id ORDER BY col)"
    )
