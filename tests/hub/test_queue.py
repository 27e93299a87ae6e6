# SPDX-License-Identifier: Apache-2.0
"""The queue: what waits for whom, most urgent first, and its filters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub import queue
from hub.officers import HubOfficers
from hub.queue import Filter
from schema import database
from schema.clock import FixedClock
from schema.web.door import Officer
from tests.hub.county import ACCEPT, ALL_FOUR, CHANGE, CLAIM, INSPECT, County, Desk
from tests.hub.deciding import decide


def officer(county: County, number: str) -> Officer:
    found = HubOfficers(county.store).find(number)
    assert found
    return found


def names(county: County, who: Officer, wanted: Filter | None = None) -> list[str]:
    with county.store.read() as db:
        return [row["person_name"] for row in queue.waiting(db, who, wanted or Filter())]


@pytest.fixture
def three(county: County, desk: Desk, clock: FixedClock) -> list[bytes]:
    """Two claims of 20 working days, the second with a finding; a change of name of 10, taken offline."""
    county.add_pensioner_to_be("甲一", "19661105")
    county.add_pensioner_to_be("乙二", "19661006")
    county.add_pensioner_to_be("丙三", "19661107")
    cases = [desk.submit(CLAIM, "甲一")]
    clock.advance(seconds=1)
    cases.append(desk.submit(CLAIM, "乙二", given={"from_month": "2026-10"}))
    given = {"new_name": "丙叁", "reason": "公安已更正"}
    return [*cases, desk.submit(CHANGE, "丙三", given=given, stated_at="2026-11-22T01:00:00.000Z")]


def test_the_nearest_limit_comes_first(county: County, three: list[bytes]) -> None:
    assert names(county, officer(county, ACCEPT)) == ["丙三", "甲一", "乙二"]


def test_overdue_cases_come_first_and_those_without_a_limit_last(county: County, three: list[bytes]) -> None:
    with county.store.write() as db:
        for case_id, due_on in zip(three, ("2026-11-20", None, "2026-12-01"), strict=True):
            database.update(db, "hub_case", {"id": case_id}, {"due_on": due_on})
    assert names(county, officer(county, ACCEPT)) == ["甲一", "丙三", "乙二"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(service=CHANGE), ["丙三"]),
        (Filter(township="330683101"), []),
        (Filter(only="noted"), ["乙二"]),
        (Filter(only="offline"), ["丙三"]),
    ],
)
def test_filters_narrow_the_queue(county: County, three: list[bytes], wanted: Filter, found: list[str]) -> None:
    assert names(county, officer(county, ACCEPT), wanted) == found


def test_a_case_leaves_the_queue_while_its_decision_waits_to_be_signed(county: County, three: list[bytes]) -> None:
    decide(county, three[0], ACCEPT, undo_s=20)
    assert "甲一" not in names(county, officer(county, ACCEPT))
    assert "甲一" not in names(county, officer(county, ALL_FOUR))


def test_supervision_has_no_queue_whatever_else_stands_beside_it(county: County, three: list[bytes]) -> None:
    watching = officer(county, INSPECT)
    assert names(county, watching) == names(county, replace(watching, roles=("inspect", "accept"))) == []


def test_each_step_tells_how_many_wait_are_due_and_late(county: County, three: list[bytes], clock: FixedClock) -> None:
    with county.store.read() as db:
        due_on = db.execute("SELECT due_on FROM hub_case WHERE id = ?", (three[2],)).fetchone()[0]
        on_the_day = queue.by_step(db, officer(county, ACCEPT), clock.today().fromisoformat(due_on))
        later = queue.by_step(db, officer(county, ACCEPT), clock.today().fromisoformat("2026-12-09"))
    assert on_the_day == [{"step": "accept", "waiting": 3, "due": 1, "late": 0}]
    assert later == [{"step": "accept", "waiting": 3, "due": 0, "late": 1}]
