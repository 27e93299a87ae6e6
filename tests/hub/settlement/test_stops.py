# SPDX-License-Identifier: Apache-2.0
"""A death or a pause that was reported stops the payment before anybody has decided it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.settlement import stops
from schema import database
from tests.hub.settlement.conftest import County, report

PAUSE = {"action": "pause", "kind": "resident_pension"}


def held(county: County, who: bytes) -> Any:
    return json.loads(county.line(who)["trace"]).get("held")


@pytest.mark.parametrize(("service", "answers"), [("death_report", {}), ("benefit_pause", PAUSE)])
def test_a_reported_stop_holds_the_month_back_and_is_paid_when_it_was_wrong(
    county: County, service: str, answers: dict[str, str]
) -> None:
    who, other = county.pensioner(), county.pensioner()
    case_id = report(county, who, service, answers)
    county.run()
    assert (held(county, who), held(county, other)) == ("suspended", None)
    with county.store.write() as db:
        database.update(db, "hub_case", {"id": case_id}, {"state": "withdrawn"})
    county.run()
    assert held(county, who) is None


def test_a_stop_reported_after_the_approval_takes_the_payment_out_of_the_batch(county: County) -> None:
    who, _ = county.pensioner(), county.pensioner()
    county.run()
    county.approve()
    report(county, who, "death_report", {})
    assert county.pay().payments == 1
    assert county.rows("SELECT reason FROM payment WHERE person_id = ?", who)[0]["reason"] == stops.REPORTED
    county.close()


@pytest.mark.parametrize(
    ("service", "answers", "state"),
    [
        ("benefit_pause", PAUSE | {"kind": "unemployment"}, "submitted"),
        ("benefit_pause", PAUSE | {"action": "resume"}, "submitted"),
        ("death_report", {}, "rejected"),
        ("death_grant", {}, "submitted"),
    ],
)
def test_other_cases_stop_nothing(county: County, service: str, answers: dict[str, str], state: str) -> None:
    who = county.pensioner()
    report(county, who, service, answers, state)
    county.run()
    assert held(county, who) is None
