# SPDX-License-Identifier: Apache-2.0
"""Deciding cases in tests, and looking at what was written."""

from __future__ import annotations

from typing import Any

from hub import review
from schema import database, ids
from sync.equality import incidents
from sync.hub import late, publish
from sync.merging.conflicts import Pushed
from sync.wire.codec import WireCell
from sync.wire.written import Written
from tests.hub.county import (
    BY_STEP,
    CLERK,
    OTHER_STATION,
    STATION,
    County,
)


def decide(county: County, case_id: bytes, officer: str, word: str = "agree", reason: str = "", **more: Any) -> None:
    review.decide(county.store, case_id, officer, county.keys[officer], word, reason, county.hub.clock, **more)


def walk(county: County, case_id: bytes, *until: str) -> None:
    """Let the right officers agree to these steps."""
    for step in until:
        decide(county, case_id, BY_STEP[step])


def state(county: County, case_id: bytes) -> tuple[str, str | None]:
    state_, step = county.rows("SELECT state, step FROM hub_case WHERE id = ?", case_id)[0]
    return state_, step


def everything(county: County) -> list[Any]:
    """All that a decision may write, to see that nothing was."""
    names = ("fact", "case_step", "hub_case", "case_state", "slice_feed", "feed_head", "benefit", "pending_decision")
    return [county.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in names]


def address(case_id: bytes, do: str = "") -> str:
    return f"/cases/{case_id.hex()}{do}"


def put_conflict(county: County, **change: Any) -> bytes:
    """A conflict over 周建根's phone; its id."""
    conflict_id = ids.new_id()
    with publish.transaction(county.store) as pub:
        pub.put("conflict", {
            "id": conflict_id, "kind": "cell", "rule": "H", "tbl": "contact", "row_id": county.persons["周建根"],
            "col": "phone", "kept": "13857582046", "lost": "17706753391", "kept_by": STATION, "lost_by": OTHER_STATION,
            "base": 0, "kept_version": 2, "lost_version": 2, "found_at": "2026-11-22T22:31:00.000Z", **change,
        })  # fmt: skip
    return conflict_id


def put_late(county: County, **cells: str | None) -> None:
    """What the station wrote about 周建根 after he had moved away."""
    person, who = county.persons["周建根"], Written(CLERK, "2026-11-21T02:00:00.000Z")
    said = {("contact", person, column): who for column in cells}
    row = [WireCell("contact", person, column, value, 2, 1, 0) for column, value in cells.items()]
    with publish.transaction(county.store) as pub:
        late.keep(pub, row, {}, Pushed(STATION, said, "2026-11-22T22:31:00.000Z"))


def put_incidents(county: County) -> list[bytes]:
    """One of each kind; the first came three times and is over."""
    at = "2026-11-22T22:31:00.000Z"
    with county.store.write() as db:
        made = [incidents.record(db, kind, STATION, f"contact {'ab' * 16} phone", at) for kind in incidents.KINDS]
        for _ in range(2):
            incidents.record(db, incidents.KINDS[0], STATION, "township", at)
        incidents.repaired(db, incidents.KINDS[0], STATION, at)
    return made


def put_refusal(county: County, code: str) -> bytes:
    """Something refused from the station; its id."""
    refusal_id = ids.new_id()
    with county.store.write() as db:
        database.insert(db, "refusal", {
            "id": refusal_id, "direction": "in", "peer": STATION, "channel": "evt", "frame_n": 3, "item": "ab" * 16,
            "code": code, "reason": "回执号不在发给本站的号段里", "at": "2026-11-22T22:31:00.000Z",
        })  # fmt: skip
    return refusal_id
