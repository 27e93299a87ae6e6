# SPDX-License-Identifier: Apache-2.0
"""P1: what was written while the extension did not look is counted each night, and comes back through the digests."""

from __future__ import annotations

from typing import Any

from sync.equality import audit


def untracked_row(store: Any, row_id: bytes) -> None:
    with store.merging() as db:
        db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
        db.execute("INSERT INTO contact (id, phone) VALUES (?, '139')", (row_id,))


def incidents_of(side: Any) -> list[tuple[Any, ...]]:
    return side.rows("SELECT kind, peer, detail, times, repaired_at IS NOT NULL FROM incident")


def test_p1_rows_without_clocks_are_an_incident_until_they_are_gone(world: Any) -> None:
    station = world.station()
    world.person()
    station.sync()
    audit.nightly(station.store, world.clock)
    assert incidents_of(station) == []
    for number in range(2):
        untracked_row(station.store, bytes([number]) * 16)

    for _ in range(2):
        audit.nightly(station.store, world.clock)
    assert incidents_of(station) == [("untracked", "0100-1", "contact 2", 2, 0)]

    assert station.sync().equal is True
    audit.nightly(station.store, world.clock)
    assert incidents_of(station)[0][-1] == 1


def test_p1_a_row_whose_clocks_were_lost_counts_and_a_tracked_one_does_not(world: Any) -> None:
    person = world.person()
    world.person()
    with world.hub.write() as db:
        assert audit.untracked(db) == {}
        db.execute("DELETE FROM contact__crsql_clock WHERE key = 1")
        assert audit.untracked(db) == {"contact": 1}
        db.execute("DELETE FROM contact__crsql_pks WHERE id = ?", (person,))
        assert audit.untracked(db) == {"contact": 1}
