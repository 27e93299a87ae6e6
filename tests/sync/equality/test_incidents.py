# SPDX-License-Identifier: Apache-2.0
"""Incidents: listed once while they last, closed when they are over, listed again when they come back."""

from __future__ import annotations

from typing import Any

import pytest

from schema.database import Store
from sync.equality import incidents

MONDAY, TUESDAY, FRIDAY = (f"2026-11-{day}T01:00:00.000Z" for day in (23, 24, 27))


def listed(store: Store) -> list[tuple[Any, ...]]:
    sql = "SELECT kind, peer, detail, at, last_at, times, repaired_at FROM incident ORDER BY at, peer"
    with store.read() as db:
        return [tuple(row) for row in db.execute(sql)]


def test_the_same_incident_is_counted_while_it_lasts(hub_store: Store) -> None:
    with hub_store.write() as db:
        first = incidents.record(db, "digest", "0100-1", "township", MONDAY)
        again = incidents.record(db, "digest", "0100-1", "township", TUESDAY)
        incidents.record(db, "digest", "0100-2", "township", TUESDAY)

    assert first == again
    assert listed(hub_store) == [
        ("digest", "0100-1", "township", MONDAY, TUESDAY, 2, None),
        ("digest", "0100-2", "township", TUESDAY, TUESDAY, 1, None),
    ]


def test_an_incident_that_is_over_is_kept_and_a_new_one_is_listed_beside_it(hub_store: Store) -> None:
    with hub_store.write() as db:
        incidents.record(db, "digest", "0100-1", "township", MONDAY)
        incidents.record(db, "rebase", "0100-1", "", MONDAY)
        assert incidents.repaired(db, "digest", "0100-1", TUESDAY) == 1
        assert incidents.repaired(db, "digest", "0100-1", FRIDAY) == 0
        incidents.record(db, "digest", "0100-1", "township", FRIDAY)
        assert incidents.open_count(db) == 2
        assert incidents.open_since(db, ("digest",)) == FRIDAY
        assert incidents.open_since(db, ("digest", "rebase")) == MONDAY
        assert incidents.open_since(db, ("clone",)) is None

    closed = [row[3:] for row in listed(hub_store) if row[0] == "digest"]
    assert closed == [(MONDAY, MONDAY, 1, TUESDAY), (FRIDAY, FRIDAY, 1, None)]


def test_an_unknown_kind_is_refused_and_a_long_detail_is_cut(hub_store: Store) -> None:
    with hub_store.write() as db:
        with pytest.raises(ValueError, match="unknown incident"):
            incidents.record(db, "sunshine", "0100-1", "", MONDAY)
        incidents.record(db, "digest", "0100-1", "x" * 5000, MONDAY)

    assert [len(row[2]) for row in listed(hub_store)] == [incidents.DETAIL_LIMIT]


def test_what_is_found_later_is_added_to_the_open_incident_once_and_as_far_as_it_fits(hub_store: Store) -> None:
    with hub_store.write() as db:
        incidents.describe(db, "digest", "0100-1", ["nothing is open: nothing is written"])
        incidents.record(db, "digest", "0100-1", "township", MONDAY)
        incidents.record(db, "digest", "0100-1", "county", TUESDAY)
        incidents.describe(db, "digest", "0100-1", ["unit 1", "unit 2", "unit 1", "x" * incidents.DETAIL_LIMIT])

    assert [row[2] for row in listed(hub_store)] == ["township\ncounty\nunit 1\nunit 2"]


def test_a_person_closes_an_incident_once(hub_store: Store) -> None:
    with hub_store.write() as db:
        made = incidents.record(db, "clone", "0100-1", "", MONDAY)
        assert [row["kind"] for row in incidents.listing(db, closed=False)] == ["clone"]
        assert incidents.close(db, made, TUESDAY)
        assert not incidents.close(db, made, FRIDAY)
        assert incidents.listing(db, closed=False) == []
        assert [row["repaired_at"] for row in incidents.listing(db, closed=True)] == [TUESDAY]
