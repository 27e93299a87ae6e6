# SPDX-License-Identifier: Apache-2.0
"""Rows written past the extension's triggers are what the extension itself would have made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schema import crsqlite, crsqlite_rows, database, ids
from schema.crsqlite import Cell
from schema.crsqlite_rows import InstalledRow
from schema.database import Store

HUB, OTHER = bytes([0x11]) * 16, bytes([0x22]) * 16
ROW, SECOND = bytes(range(16)), bytes(range(16, 32))
NOBODY = (None,) * 5


def contact(
    row_id: bytes = ROW, phone: str | None = "13800000001", *, version: int = 1, site: bytes | None = HUB
) -> InstalledRow:
    """A row of the hub whose telephone was written `version` times, last by `site`."""
    return InstalledRow(row_id, (phone, *NOBODY[1:]), (version, 1, 1, 1, 1), (site, HUB, HUB, HUB, HUB))


def install(store: Store, *rows: InstalledRow, own_version: int = 0) -> None:
    with store.merging() as db:
        assert crsqlite_rows.install(db, "contact", iter(rows), own_version=own_version) == len(rows)


def cells(store: Store, row_id: bytes = ROW) -> list[tuple[Any, ...]]:
    """What replicas must agree on, and the author."""
    with store.read() as db:
        found = crsqlite.cells_of(db, "contact", row_id)
        return [(c.column, c.value, c.col_version, c.causal_length, c.site) for c in found]


def version_of(store: Store, column: str = "phone") -> int:
    with store.read() as db:
        return next(c.db_version for c in crsqlite.cells_of(db, "contact", ROW) if c.column == column)


def merge(store: Store, *cells: Cell, site: bytes = HUB) -> None:
    with store.merging() as db:
        crsqlite.apply(db, cells, site)


def cell(value: str | None, version: int, length: int = 1, column: str = "phone", row_id: bytes = ROW) -> Cell:
    return Cell("contact", row_id, column, value, version, 0, length, None)


def test_an_installed_row_is_what_a_merge_makes_of_its_cells(make_store: Callable[..., Store]) -> None:
    merged, installed = make_store("node", "merged"), make_store("node", "installed")
    names = ("address", "address_village", "education", "note")
    merge(merged, cell("13800000001", 3), *(cell(None, 1, column=c) for c in names))
    install(installed, contact(version=3))
    assert cells(installed) == cells(merged) != []


def test_a_row_installed_over_another_leaves_nothing_of_it(node_store: Store) -> None:
    merge(node_store, cell("13700000000", 9), cell("x", 7, column="note"), site=OTHER)
    with node_store.write() as db:
        database.update(db, "contact", {"id": ROW}, {"address": "东街"})
    install(node_store, contact(version=2), contact(SECOND))
    assert cells(node_store) == [
        ("address", None, 1, 1, HUB), ("address_village", None, 1, 1, HUB), ("education", None, 1, 1, HUB),
        ("note", None, 1, 1, HUB), ("phone", "13800000001", 2, 1, HUB),
    ]  # fmt: skip
    with node_store.read() as db:
        assert db.execute("SELECT count(*) FROM contact").fetchone()[0] == 2
        assert db.execute("SELECT count(*) FROM contact__crsql_pks").fetchone()[0] == 2


def test_a_row_installed_as_deleted_stays_deleted_against_old_cells(node_store: Store) -> None:
    merge(node_store, cell("13700000000", 9))
    install(node_store, InstalledRow(ROW, NOBODY, NOBODY, NOBODY, 2, HUB))
    merge(node_store, cell("13700000001", 10), site=OTHER)
    assert cells(node_store) == [("-1", None, 2, 2, HUB)]
    with node_store.read() as db:
        assert db.execute("SELECT count(*) FROM contact").fetchone()[0] == 0


def test_a_row_that_came_back_keeps_its_length_and_its_zero_versions(make_store: Callable[..., Store]) -> None:
    merged, installed = make_store("node", "merged"), make_store("node", "installed")
    merge(merged, cell("13700000000", 9), Cell("contact", ROW, "-1", None, 2, 0, 2, None))
    merge(merged, Cell("contact", ROW, "-1", None, 3, 0, 3, None), cell("13800000001", 0, 3))
    install(installed, InstalledRow(ROW, ("13800000001", *NOBODY[1:]), (0, *NOBODY[1:]), (HUB, *NOBODY[1:]), 3, HUB))
    assert cells(installed) == cells(merged) == [("-1", None, 3, 3, HUB), ("phone", "13800000001", 0, 3, HUB)]


def test_own_cells_are_installed_as_already_sent_and_edits_afterwards_are_not(node_store: Store) -> None:
    with node_store.write() as db:
        database.insert(db, "contact", {"id": SECOND, "phone": "139"})
        own, framed = crsqlite.site_id(db), crsqlite.max_version(db, ["contact"])
    install(node_store, contact(site=None, version=4), contact(SECOND, site=own), own_version=framed)
    with node_store.read() as db:
        assert list(crsqlite.changed_since(db, "contact", framed, own_only=True)) == []
    with node_store.write() as db:
        database.update(db, "contact", {"id": ROW}, {"phone": "13900000000"})
        found = list(crsqlite.changed_since(db, "contact", framed, own_only=True))
    assert [(c.value, c.col_version) for c in found] == [("13900000000", 5)]


def test_cells_of_others_get_a_version_above_all_in_use(node_store: Store) -> None:
    with node_store.write() as db:
        database.insert(db, "contact", {"id": SECOND, "phone": "139"})
        before = crsqlite.max_version(db, ["contact"])
    install(node_store, contact())
    assert version_of(node_store) == before + 1


def test_p9_a_version_that_an_installed_row_removed_is_not_given_again(
    make_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    def next_version(store: Store) -> tuple[int, int]:
        with store.write() as db:
            database.insert(db, "contact", {"id": ROW, "phone": "139"})
        with store.write() as db:
            database.update(db, "contact", {"id": ROW}, {"phone": "138"})
        last = version_of(store)
        install(store, InstalledRow(ROW, ("1", *NOBODY[1:]), (5,) * 5, NOBODY), own_version=0)
        with store.write() as db:
            database.update(db, "contact", {"id": ROW}, {"phone": "137"})
        return version_of(store), last

    following, last = next_version(make_store("node", "guarded"))
    assert following > last
    monkeypatch.setattr(crsqlite_rows, "raise_floor", lambda db: crsqlite.max_version(db, ["contact"]))
    following, last = next_version(make_store("node", "naive"))
    assert following <= last


def test_an_install_that_fails_leaves_nothing_and_tracking_on(node_store: Store) -> None:
    broken = InstalledRow(SECOND, (b"no text", *NOBODY[1:]), (1,) * 5, (HUB,) * 5)
    db = node_store.connection()
    db.execute("BEGIN IMMEDIATE")
    with pytest.raises(database.DatabaseError):
        crsqlite_rows.install(db, "contact", [contact(), broken], own_version=0)
    crsqlite.assert_tracking(db)
    db.execute("ROLLBACK")
    assert cells(node_store) == []


def test_a_bulk_load_is_tracked_like_ordinary_inserts(make_store: Callable[..., Store]) -> None:
    slow, fast = make_store("hub", "slow"), make_store("hub", "fast")
    rows = [(ids.new_id(), f"1380000{i:04d}") for i in range(50)]
    with slow.write() as db:
        for row_id, phone in rows:
            database.insert(db, "contact", {"id": row_id, "phone": phone})
    with fast.write() as db:
        assert crsqlite_rows.bulk_insert(db, "contact", ["id", "phone"], iter(rows)) == 50
    seen = []
    for store in (slow, fast):
        with store.read() as db:
            cells = crsqlite.changed_since(db, "contact", 0, own_only=True)
            seen.append({(c.row_id, c.column, c.value, c.col_version, c.causal_length) for c in cells})
    assert seen[0] == seen[1]
    with fast.write() as db:
        database.update(db, "contact", {"id": rows[0][0]}, {"phone": "139"})
        assert crsqlite.cells_of(db, "contact", rows[0][0])[-1].col_version == 2
