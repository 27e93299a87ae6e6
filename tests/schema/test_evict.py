# SPDX-License-Identifier: Apache-2.0
"""A row that leaves a database leaves no trace in it, and no number that it bore is ever given again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schema import crsqlite, crsqlite_rows, database
from schema.crsqlite import Guards
from schema.database import Store

ROW, SECOND = bytes(range(16)), bytes(range(16, 32))


def evict(store: Store, *row_ids: bytes) -> None:
    with store.merging() as db:
        crsqlite_rows.evict(db, "contact", row_ids)


def edit(store: Store, row_id: bytes, phone: str) -> None:
    with store.write() as db:
        if not database.update(db, "contact", {"id": row_id}, {"phone": phone}):
            database.insert(db, "contact", {"id": row_id, "phone": phone})


def left(store: Store, table: str) -> int:
    with store.read() as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def highest(store: Store) -> int:
    with store.read() as db:
        return crsqlite.max_version(db, ["contact"])


def sent_after(store: Store, cursor: int) -> list[Any]:
    with store.read() as db:
        return [c.value for c in crsqlite.changed_since(db, "contact", cursor, own_only=True) if c.column == "phone"]


def test_an_evicted_row_leaves_no_row_no_key_and_no_clock(node_store: Store) -> None:
    edit(node_store, ROW, "13900000001")
    edit(node_store, SECOND, "13900000002")

    evict(node_store, ROW)

    assert left(node_store, "contact") == left(node_store, "contact__crsql_pks") == 1
    with node_store.read() as db:
        assert crsqlite.cells_of(db, "contact", ROW) == []
        assert crsqlite.cells_of(db, "contact", SECOND) != []


def test_evicting_twice_or_what_was_never_here_changes_nothing(node_store: Store) -> None:
    edit(node_store, ROW, "13900000001")
    evict(node_store, ROW)
    before = highest(node_store)

    evict(node_store, ROW, SECOND)

    assert (left(node_store, "contact"), highest(node_store)) == (0, before)


def test_edits_after_an_eviction_are_tracked(node_store: Store) -> None:
    with node_store.write() as db:
        crsqlite_rows.evict(db, "contact", [ROW])
        database.insert(db, "contact", {"id": SECOND, "phone": "13900000001"})
    assert sent_after(node_store, 0) == ["13900000001"]


def edit_after_an_eviction_is_found(store: Store) -> bool:
    """All is framed up to the highest version; the row that bears it leaves; somebody edits another row."""
    edit(store, SECOND, "13900000001")
    edit(store, ROW, "13900000002")
    edit(store, ROW, "13900000003")
    framed = highest(store)
    evict(store, ROW)
    edit(store, SECOND, "13900000004")
    return sent_after(store, framed) == ["13900000004"]


def test_p9_an_edit_after_the_highest_row_left_is_not_lost(
    make_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edit_after_an_eviction_is_found(make_store("node", "guarded"))
    monkeypatch.setattr(Guards, "floor", False)
    assert not edit_after_an_eviction_is_found(make_store("node", "naive"))


def test_p9_the_highest_version_does_not_go_back_with_a_row(node_store: Store) -> None:
    """A note of what an edit is based on carries it: a later note with a lower number would stand before the edit."""
    edit(node_store, SECOND, "13900000001")
    edit(node_store, ROW, "13900000002")
    before = highest(node_store)

    evict(node_store, ROW)

    assert highest(node_store) == before
