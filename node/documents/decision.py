# SPDX-License-Identifier: Apache-2.0
"""决定告知书: what was decided, why, under which law, and what the person can do against it, by when.

Law: 行政复议法 §20 (60 days), 行政诉讼法 §46 (six months), both from the day the person learns of the decision.
"""

from __future__ import annotations

import json
from typing import Any

from node import case_state, cases, prints, slips
from node.prints import Print
from node.station import Station
from schema import clock, events, money
from schema.errors import WrongState
from schema.web.door import Officer

DECIDED = ("approved", "effective", "paid", "rejected", "reversed")
_WORDS = ("case_approved", "case_rejected")


def check(db: Any, station: Station, subject: bytes, officer: Officer) -> tuple[str | None, int]:
    """Raises WrongState before there is a decision."""
    return _decided(db, subject)["receipt_no"], 1


def build(db: Any, station: Station, made: Print) -> dict[str, Any]:
    """Outcome, reason, amounts, law, remedies."""
    row, desk = _decided(db, made.subject), station.desk
    item = desk.item_of(db, cases.file(db, made.subject))
    facts = events.of_subject(db, made.subject)
    word = next((f for f in reversed(facts) if f.kind in _WORDS), None)
    taken = next(f for f in facts if f.kind == "case_submitted")
    result = json.loads(row["result"]) if row["result"] else {}
    today = desk.clock.today()
    total = result.get("total_fen")
    return {
        "row": row,
        "item": item,
        "granted": row["state"] != "rejected",
        "tail": slips.id_tail(db, taken.body),
        "decided_on": clock.local(word.received_at or word.stated_at).date() if word else row["decided_at"],
        "lines": result.get("lines", []),
        "total_fen": total,
        "total_words": money.in_words(total) if total else "",
        "days": desk.parameters.at("remedy/reconsideration_days", today).number,
        "months": desk.parameters.at("remedy/lawsuit_months", today).number,
        "proof": prints.proof_of_case(db, made.subject, station.config.hub_url),
    }


def _decided(db: Any, case_id: bytes) -> Any:
    cases.file(db, case_id)
    row = case_state.one(db, case_id)
    if row["state"] not in DECIDED:
        raise WrongState("这一件还没有决定", "this case is not decided yet")
    return row
