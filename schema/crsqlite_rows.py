# SPDX-License-Identifier: Apache-2.0
"""Second half of `schema.crsqlite`: rows and their clocks written directly, past the extension's triggers.

The extension tracks a write by the sync bit of its connection; here it is on, so clocks are ours to write. Every
function clears it again (P1). A write that could lower the highest version in the tables raises the extension's floor
first (P9): a number used twice is an edit that is never sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from schema import crsqlite
from schema.crsqlite import FLOOR, ROW_SENTINEL, Connection, Guards

_ROWS_AT_ONCE = 10_000


class InstalledRow(NamedTuple):
    """A row as it is to stand, clocks included.

    `values`, `versions`, `sites`: one per column in declared order, without the id. A version of None: the cell has no
    clock row. A site of None is this database. An even `causal_length` is a deleted row: its values do not count.
    `deleter`: who wrote the last deletion or return, where `causal_length` is above 1.
    """

    row_id: bytes
    values: tuple[Any, ...]
    versions: tuple[int | None, ...]
    sites: tuple[bytes | None, ...]
    causal_length: int = 1
    deleter: bytes | None = None


def install(db: Connection, table: str, rows: Iterable[InstalledRow], *, own_version: int) -> int:
    """Put rows exactly as given, in place of whatever stands under their ids; returns how many.

    Cells of this database itself get `own_version`, which must not lie above what is in frames already, or they would
    be sent again; all others get a version above every one in use. The caller holds a merging transaction
    (`database.merging`) and has made sure that nothing unsent is lost with the cells replaced.
    """
    newest = raise_floor(db) + 1
    place = _Places(db, newest, own_version)
    tracked = _tracked(db, table)
    count = 0
    db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
    try:
        for batch in crsqlite.batches(rows, _ROWS_AT_ONCE):
            keys = _keys(db, table, [row.row_id for row in batch])
            marks = ", ".join("?" * len(tracked))
            db.executemany(
                f"INSERT INTO {table} (id, {', '.join(tracked)}) VALUES (?, {marks})",
                ((row.row_id, *row.values) for row in batch if row.causal_length % 2),
            )
            alike: dict[tuple[Any, ...], list[int]] = {}
            for row in batch:
                kind = (tuple(row.versions), tuple(row.sites), row.causal_length, row.deleter)
                alike.setdefault(kind, []).append(keys[row.row_id])
            for clocks, found in alike.items():
                _add_clocks(db, table, found, [*_clocks(tracked, place, *clocks)])
            count += len(batch)
    finally:
        crsqlite.clear_sync_bit(db)
    return count


class NewerRow(NamedTuple):
    """What one author wrote into a row: (value, column version) of each column.

    `seen`: the highest version of this database that the author knew of.
    """

    row_id: bytes
    seen: int
    cells: Sequence[tuple[Any, int]]


def overwrite(
    db: Connection, table: str, columns: Sequence[str], rows: Iterable[NewerRow], site: bytes, *, step: int
) -> set[bytes]:
    """Merge rows about which there is nothing to decide, all at once; returns the ids of those it left as they were.

    Nothing to decide: the row lives and was never deleted, each of the `columns` stands there with a lower column
    version (by `step` at most), and nobody else wrote any of its cells above `seen`. Three times as fast as through the
    extension, whose rule is the same: within one causal length the higher column version wins.
    Raises what the database says of a value, half done: the caller holds a savepoint of a merging transaction.
    """
    _fill_newer(db, table, columns, rows)
    known = db.execute("SELECT ordinal FROM crsql_site_id WHERE site_id = ?", (site,)).fetchone()
    clock = f"{table}__crsql_clock"
    rising = "(SELECT c.col_version FROM {0} c WHERE c.key = newer.key AND c.col_name = '{1}')"
    plain = [
        f"{rising.format(clock, column)} BETWEEN version{i} - {step} AND version{i} - 1"
        for i, column in enumerate(columns)
    ]
    left = db.execute(
        f"DELETE FROM temp.newer WHERE NOT coalesce({' AND '.join(plain)}, 0) OR EXISTS (SELECT 1 FROM {clock} c "
        f"WHERE c.key = newer.key AND (c.col_name = '{ROW_SENTINEL}' OR (c.db_version > seen AND c.site_id <> ?))) "
        "RETURNING id",
        (known[0] if known else -1,),
    ).fetchall()
    if db.execute("SELECT 1 FROM temp.newer").fetchone():  # else not even the author is written down
        _overwrite(db, table, columns, *_Places(db, _highest(db) + 1, 0)[site])
    db.execute("DROP TABLE temp.newer")
    return {bytes(row[0]) for row in left}


def put_in_place(db: Connection, table: str, column: str, row: NewerRow, site: bytes) -> None:
    """Put an author's cell in the place of one with a higher version that no other database has merged."""
    _fill_newer(db, table, (column,), (row,))
    _overwrite(db, table, (column,), *_Places(db, _highest(db) + 1, 0)[site])
    db.execute("DROP TABLE temp.newer")


def _overwrite(db: Connection, table: str, columns: Sequence[str], version: int, author: int) -> None:
    clock = f"{table}__crsql_clock"
    db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
    try:
        sets = ", ".join(f"{column} = n.value{i}" for i, column in enumerate(columns))
        db.execute(f"UPDATE {table} SET {sets} FROM temp.newer n WHERE {table}.id = n.id")
        for i, column in enumerate(columns):
            db.execute(
                f"UPDATE {clock} SET col_version = n.version{i}, db_version = ?, site_id = ? "
                f"FROM temp.newer n WHERE {clock}.key = n.key AND {clock}.col_name = '{column}'",
                (version, author),
            )
    finally:
        crsqlite.clear_sync_bit(db)


def _fill_newer(db: Connection, table: str, columns: Sequence[str], rows: Iterable[NewerRow]) -> None:
    """In order of ids: the look-ups that follow then go through the file once, not to and fro."""
    names = [f"{kind}{i}" for i in range(len(columns)) for kind in ("value", "version")]
    db.execute("DROP TABLE IF EXISTS temp.newer")
    db.execute(f"CREATE TEMP TABLE newer (key INTEGER, id BLOB, seen INTEGER, {', '.join(names)})")
    db.executemany(
        f"INSERT INTO newer (id, seen, {', '.join(names)}) VALUES (?, ?, {', '.join('?' * len(names))})",
        [(row.row_id, row.seen, *chain.from_iterable(row.cells)) for row in sorted(rows)],
    )
    db.execute(f"UPDATE newer SET key = (SELECT p.__crsql_key FROM {table}__crsql_pks p WHERE p.id = newer.id)")


def evict(db: Connection, table: str, row_ids: Iterable[bytes]) -> None:
    """Remove rows with their clocks and keys, as if they had never been here: no trace that would travel.

    The caller holds a merging transaction and has made sure that nothing unsent is in these rows. A row that is not
    there is no error. Not a deletion: that one would spread, and win over every edit (P8).
    """
    if Guards.floor:
        raise_floor(db)
    db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
    try:
        for batch in crsqlite.batches(row_ids, _ROWS_AT_ONCE):
            listed = (crsqlite.listed(batch),)
            keys = f"SELECT p.__crsql_key FROM {table}__crsql_pks p WHERE p.id IN ({crsqlite.WANTED})"
            db.execute(f"DELETE FROM {table}__crsql_clock WHERE key IN ({keys})", listed)
            db.execute(f"DELETE FROM {table}__crsql_pks WHERE id IN ({crsqlite.WANTED})", listed)
            db.execute(f"DELETE FROM {table} WHERE id IN ({crsqlite.WANTED})", listed)
    finally:
        crsqlite.clear_sync_bit(db)


def restamp_own(db: Connection, table: str, cells: Iterable[tuple[bytes, str, int]], version: int) -> None:
    """Give cells (row id, column, column version) of this database itself a version not above `version`.

    A row that comes back brings cells that were written here once; merged, they look like new work. A cell that has
    another column version by now is new work and keeps its own. The caller holds a merging transaction.
    """
    raise_floor(db)
    db.executemany(
        f"UPDATE {table}__crsql_clock SET db_version = ?1 WHERE site_id = 0 AND db_version > ?1 AND col_name = ?3 "
        f"AND col_version = ?4 AND key = (SELECT p.__crsql_key FROM {table}__crsql_pks p WHERE p.id = ?2)",
        ((version, *cell) for cell in cells),
    )


def stored(db: Connection, table: str, columns: Sequence[str], row_ids: Iterable[bytes]) -> list[tuple[Any, ...]]:
    """Rows as `InstalledRow` has them, flat and in the order asked: id, values, versions, authors, causal length, who
    deleted or restored the row. This database itself is named as an author. Rows without any clock are left out.
    """
    clock, some = f"{table}__crsql_clock", range(len(columns))
    values = [f"CASE WHEN c{i}.key IS NOT NULL THEN t.{column} END" for i, column in enumerate(columns)]
    parts = [*values, *(f"c{i}.col_version" for i in some), *(f"c{i}.site_id" for i in some)]
    joined = [f"LEFT JOIN {clock} c{i} ON c{i}.key = p.__crsql_key AND c{i}.col_name = '{columns[i]}'" for i in some]
    cursor = db.cursor()
    cursor.row_factory = None
    rows = cursor.execute(
        f"SELECT p.id, {', '.join(parts)}, coalesce(s.col_version, 1), s.site_id FROM ({crsqlite.WANTED}) w "
        f"CROSS JOIN {table}__crsql_pks p ON p.id = w.id LEFT JOIN {table} t ON t.id = p.id LEFT JOIN {clock} s "
        f"ON s.key = p.__crsql_key AND s.col_name = '{ROW_SENTINEL}' {' '.join(joined)} "
        f"WHERE {' OR '.join(f'{one}.key IS NOT NULL' for one in ('s', *(f'c{i}' for i in some)))}",
        (crsqlite.listed(row_ids),),
    ).fetchall()
    sites = {row[0]: bytes(row[1]) for row in db.execute("SELECT ordinal, site_id FROM crsql_site_id")}
    first = 1 + 2 * len(columns)
    last = first + len(columns)
    return [
        (*row[:first], *[sites.get(n) for n in row[first:last]], row[last], sites[row[-1]] if row[last] > 1 else None)
        for row in rows
    ]


def known_ids(db: Connection, table: str) -> list[bytes]:
    """Ids of all rows of which anything is known here, deleted ones too."""
    return [bytes(row[0]) for row in db.execute(f"SELECT id FROM {table}__crsql_pks")]


def count_untracked(db: Connection, table: str) -> int:
    """P1: rows without any clock. Written while the extension did not look, they would never be sent."""
    tracked = f"SELECT p.id FROM {table}__crsql_pks p JOIN {table}__crsql_clock c ON c.key = p.__crsql_key"
    return int(db.execute(f"SELECT count(*) FROM {table} WHERE id NOT IN ({tracked})").fetchone()[0])


def raise_floor(db: Connection) -> int:
    """P9: keep the highest version in use from being given again, whatever rows go now. Returns it."""
    highest = _highest(db)
    db.execute(
        "INSERT INTO crsql_master (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (FLOOR, highest),
    )
    return highest


def _highest(db: Connection) -> int:
    """The highest version in use in any table: they share one counter, and whoever asks what is new asks all."""
    clocks = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '*__crsql_clock'")
    return crsqlite.max_version(db, [row[0].removesuffix("__crsql_clock") for row in clocks.fetchall()])


class _Places(dict[bytes | None, tuple[int, int]]):
    """Author -> (version of the author's cells, the author's number in this database)."""

    def __init__(self, db: Connection, newest: int, own_version: int) -> None:
        self._db, self._newest = db, newest
        own = (own_version, 0)
        super().__init__({None: own, crsqlite.site_id(db): own})

    def __missing__(self, site: bytes | None) -> tuple[int, int]:
        known = "SELECT ordinal FROM crsql_site_id WHERE site_id = ?"
        found = self._db.execute(known, (site,)).fetchone()
        if found is None:
            self._db.execute("INSERT INTO crsql_site_id (site_id) VALUES (?)", (site,))
            found = self._db.execute(known, (site,)).fetchone()
        self[site] = (self._newest, found[0])
        return self[site]


def _clocks(
    tracked: list[str], place: _Places, versions: Sequence[int | None], sites: Sequence[bytes | None], length: int,
    deleter: bytes | None,
) -> Iterable[tuple[Any, ...]]:  # fmt: skip
    """The clock rows of a row, without its key; `InstalledRow` says what the parameters are."""
    if length > 1:
        yield ROW_SENTINEL, len(tracked), length, *place[deleter]
    if length % 2:
        for seq, (column, version, site) in enumerate(zip(tracked, versions, sites, strict=True)):
            if version is not None:
                yield column, seq, version, *place[site]


def _add_clocks(db: Connection, table: str, keys: list[int], clocks: list[tuple[Any, ...]]) -> None:
    """The same clocks for many rows in one statement: a register fresh from an import has one kind of row."""
    if not clocks:
        return
    listed = ", ".join(["(?, ?, ?, ?, ?)"] * len(clocks))
    db.execute(
        f"INSERT INTO {table}__crsql_clock (key, col_name, seq, col_version, db_version, site_id) "
        f"WITH c AS (VALUES {listed}) SELECT k.value, c.* FROM json_each(?) k CROSS JOIN c",
        (*chain.from_iterable(sorted(clocks)), json.dumps(keys)),
    )


def _keys(db: Connection, table: str, row_ids: list[bytes]) -> dict[bytes, int]:
    """The extension's keys of these ids: old ones with everything behind them removed, new ones made."""
    sql = f"SELECT p.id, p.__crsql_key FROM ({crsqlite.WANTED}) w CROSS JOIN {table}__crsql_pks p ON p.id = w.id"
    keys = {bytes(row[0]): int(row[1]) for row in db.execute(sql, (crsqlite.listed(row_ids),)).fetchall()}
    db.executemany(f"DELETE FROM {table}__crsql_clock WHERE key = ?", ((key,) for key in keys.values()))
    # Of the others too: a row written past the extension (P1) has no key and stands in the way.
    db.execute(f"DELETE FROM {table} WHERE id IN ({crsqlite.WANTED})", (crsqlite.listed(row_ids),))
    start = _last_key(db, table)
    new = {row_id: start + i for i, row_id in enumerate((r for r in row_ids if r not in keys), 1)}
    db.executemany(f"INSERT INTO {table}__crsql_pks (id, __crsql_key) VALUES (?, ?)", new.items())
    return keys | new


def _tracked(db: Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] != "id"]


def _last_key(db: Connection, table: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(__crsql_key), 0) FROM {table}__crsql_pks").fetchone()[0])


def take_site_id(db: Connection, site: bytes) -> None:
    """P11: from now on this database writes as another author. What it wrote before must be gone (`evict`)."""
    db.execute("UPDATE crsql_site_id SET site_id = ? WHERE ordinal = 0", (site,))


def bulk_insert(db: Connection, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> int:
    """Insert new rows and their clocks directly: about ten times faster than through the triggers.

    For a first load only (a synthetic county, an imported register): each row's first value is its new id, every
    other column gets version 1 as if inserted here. Untracked rows would never reach a station, hence the clocks.
    """
    version = _highest(db) + 1
    names = ", ".join(columns)
    marks = ", ".join("?" * len(columns))
    tracked = _tracked(db, table)
    db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
    try:
        start = _last_key(db, table)
        count = 0
        for batch in crsqlite.batches(rows, 20000):
            db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", batch)
            db.executemany(
                f"INSERT INTO {table}__crsql_pks (__crsql_key, id) VALUES (?, ?)",
                [(start + count + i, row[0]) for i, row in enumerate(batch, 1)],
            )
            for seq, column in enumerate(tracked):
                db.execute(
                    f"INSERT INTO {table}__crsql_clock (key, col_name, col_version, db_version, site_id, seq) "
                    f"SELECT __crsql_key, ?, 1, ?, 0, ? FROM {table}__crsql_pks WHERE __crsql_key > ?",
                    (column, version, seq, start + count),
                )
            count += len(batch)
        return count
    finally:
        crsqlite.clear_sync_bit(db)
