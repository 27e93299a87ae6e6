# SPDX-License-Identifier: Apache-2.0
"""What the counter estimates is what the hub calculates: same pack, same data, to the fen.

The estimate of each item's good case is held against its file in tests/schema/test_estimate.py; here the hub, with the
same rows in its own register, calculates the same case.
"""

from __future__ import annotations

from typing import Any

import pytest

from hub import calculation, pack
from hub.cases import HubCase
from hub.context import Hub
from schema.subject import Subject
from sync.hub import publish
from tests.schema import domain

LISTS = {"enrolments": "enrolment", "benefits": "benefit", "employments": "employment"}
CALCULATED = [item.id for item in domain.services().values() if "calculate" in item.steps]


def register(hub: Hub, data: dict[str, Any]) -> None:
    """The rows of a case file in the hub's register."""
    rows = {"person": [data["person"]]} | {LISTS[name]: data.get(name, []) for name in LISTS} | data.get("rows", {})
    rows |= {name: [data[name]] for name in ("account", "bank_account") if name in data}
    with publish.transaction(hub.store) as pub:
        for table, given in rows.items():
            for row in given:
                whole = domain._row(table, row)
                if "case_id" in whole:
                    whole["case_id"] = b"case-00000000009"
                pub.put(table, whole)


def arrived(data: dict[str, Any]) -> HubCase:
    """The case of the file as the hub holds it on its day."""
    at = f"{data['today']}T02:00:00.000Z"
    return HubCase(
        id=domain.CASE_ID, service=data["service"], service_version=1, pack=pack.pack_hash(), station="0100-1",
        township="330683100", about=Subject(person_id=domain.PERSON_ID), person_name=None, receipt_no="R1",
        state="accepted", step="calculate", round=1, submitted_by="3012", stated_at=at, received_at=at, due_on=None,
        answers=data["answers"], materials=data["materials"], findings=[],
    )  # fmt: skip


@pytest.mark.parametrize("service_id", CALCULATED)
def test_the_hub_calculates_what_the_counter_estimated(hub: Hub, service_id: str) -> None:
    data = domain.good(service_id)
    register(hub, data)
    with hub.store.read() as db:
        found = calculation.calculate(db, arrived(data), data["today"])
    assert [[zh, amount] for zh, _, amount in found["lines"]] == data["expected"]["lines"]
    assert [table for table, _ in found["changes"]] == [change["table"] for change in data["expected"]["changes"]]
    assert found["trace"] or not found["lines"], "an amount says how it was made"
