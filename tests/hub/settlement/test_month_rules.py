# SPDX-License-Identifier: Apache-2.0
"""What the data layer itself refuses about a settlement month, whatever the code above does."""

from __future__ import annotations

from typing import Any

import pytest

from schema import database
from schema.database import IntegrityError, Store

COMPUTED = {"scheme": "resident_pension", "month": "2026-11", "state": "computed", "run_id": "a", "computed_by": "2001"}


def change(store: Store, **changes: Any) -> None:
    with store.write() as db:
        database.update(db, "period", {"scheme": "resident_pension", "month": "2026-11"}, changes)


@pytest.fixture
def month(hub_store: Store) -> Store:
    with hub_store.write() as db:
        database.insert(db, "period", COMPUTED)
    return hub_store


def advance(store: Store, *, upto: str) -> None:
    for state, column, officer in (("approved", "approved_by", "2002"), ("paid", "paid_by", "2003")):
        change(store, state=state, **{column: officer})
        if state == upto:
            return


def test_a_month_passes_through_four_different_hands(month: Store) -> None:
    advance(month, upto="paid")
    change(month, state="closed", closed_by="2004")
    with month.read() as db:
        row = db.execute("SELECT state, computed_by, approved_by, paid_by, closed_by FROM period").fetchone()
    assert tuple(row) == ("closed", "2001", "2002", "2003", "2004")


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        ("computed", {"state": "approved", "approved_by": "2001"}),
        ("approved", {"state": "paid", "paid_by": "2001"}),
        ("approved", {"state": "paid", "paid_by": "2002"}),
        ("paid", {"state": "closed", "closed_by": "2001"}),
        ("paid", {"state": "closed", "closed_by": "2002"}),
        ("paid", {"state": "closed", "closed_by": "2003"}),
    ],
)
def test_no_officer_signs_two_steps_of_one_month(month: Store, after: str, changes: dict[str, str]) -> None:
    if after != "computed":
        advance(month, upto=after)
    with pytest.raises(IntegrityError, match="four_hands"):
        change(month, **changes)


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        ("computed", {"state": "paid", "paid_by": "2003"}),
        ("computed", {"state": "approved"}),
        ("approved", {"state": "paid"}),
        ("approved", {"state": "computed"}),
        ("approved", {"run_id": "b"}),
        ("approved", {"state": "paid", "paid_by": "2003", "run_id": "b"}),
        ("approved", {"state": "paid", "paid_by": "2003", "approved_by": "2009"}),
        ("paid", {"state": "closed"}),
        ("paid", {"state": "closed", "closed_by": "2004", "paid_by": "2009"}),
        ("paid", {"state": "approved"}),
    ],
)
def test_a_month_goes_forward_only_and_keeps_what_was_signed(month: Store, after: str, changes: dict[str, str]) -> None:
    if after != "computed":
        advance(month, upto=after)
    with pytest.raises(IntegrityError, match="month_state"):
        change(month, **changes)


def test_a_closed_month_never_changes_and_never_goes(month: Store) -> None:
    advance(month, upto="paid")
    change(month, state="closed", closed_by="2004")
    with pytest.raises(IntegrityError):
        change(month, controls="{}")
    with pytest.raises(IntegrityError, match="never deleted"), month.write() as db:
        db.execute("DELETE FROM period")


def test_a_month_begins_computed_and_is_not_begun_twice(month: Store) -> None:
    with pytest.raises(IntegrityError, match="month_state"), month.write() as db:
        database.insert(db, "period", COMPUTED | {"month": "2026-12", "state": "approved", "approved_by": "2002"})
    with pytest.raises(IntegrityError, match="month_state"), month.write() as db:
        database.insert(db, "period", COMPUTED | {"computed_by": "2009"})
