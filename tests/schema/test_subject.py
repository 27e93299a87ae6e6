# SPDX-License-Identifier: Apache-2.0
"""What a case about a unit or a household is shown of others under way for the same one, on both sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from schema import database, subject
from schema.database import Store
from schema.subject import Subject
from schema.tables import TABLES
from tests.schema import domain

TODAY = date(2026, 11, 25)
CODE = "91330683MA2XXXXX09"
UNIT, HOME = b"u" * 16, b"h" * 16
FILLED = {"int": 0, "text": "x", "id": b"i" * 16, "blob": b"x"}


@pytest.fixture(params=["node", "hub"])
def store(request: pytest.FixtureRequest, make_store: Callable[..., Store]) -> Store:
    made = make_store(request.param)
    with made.write() as db:
        put(db, "unit", id=UNIT, uscc="91330683MA2XXXXX17", name="锦华")
        put(db, "household", id=HOME, head_name="陈桂英")
    return made


def put(db: Any, table: str, **given: Any) -> None:
    made = {c.name: FILLED[c.type] for c in TABLES[table].columns if c.required or c.name in TABLES[table].key}
    database.insert(db, table, made | given)


def put_case(store: Store, service: str, about: Subject = subject.NOBODY, **answers: str) -> None:
    table, at = ("hub_case", "stated_at") if store.side == "hub" else ("case_file", "submitted_at")
    row = {at: "2026-11-25T01:30:00.000Z", "answers": json.dumps(answers), "state": "submitted"}
    with store.write() as db:
        put(db, table, id=b"c" * 16, service=service, receipt_no="0100-1-26-000417-3", **row, **about.row)


def under_way(store: Store, service: str, about: Subject = subject.NOBODY, **answers: str) -> list[str]:
    item = domain.services()[service]
    with store.read() as db:
        return [c["service"] for c in subject.view_for(db, item, about, answers, TODAY).open_cases]


def test_a_new_unit_taken_twice_is_seen_by_its_code_however_it_is_typed(store: Store) -> None:
    put_case(store, "unit_registration", uscc="91330683-ma2xxxxx 09")
    assert under_way(store, "unit_registration", uscc=CODE) == ["unit_registration"]
    assert under_way(store, "unit_registration", uscc="91330683MA2XXXXX25") == []
    assert under_way(store, "unit_registration") == []


@pytest.mark.parametrize(
    ("service", "about"),
    [("unit_change", Subject(unit_id=UNIT)), ("resident_medical_enrolment", Subject(household_id=HOME))],
)
def test_what_is_under_way_for_the_same_unit_or_household_is_seen(store: Store, service: str, about: Subject) -> None:
    assert under_way(store, service, about) == []
    put_case(store, service, about)
    assert under_way(store, service, about) == [service]
