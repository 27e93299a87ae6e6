# SPDX-License-Identifier: Apache-2.0
"""A survival check taken as a case at the counter writes the same row as one of a day at a village."""

from __future__ import annotations

from datetime import date

from schema import survival
from schema.decided import Change, Decided, effect
from schema.ids import derived_id


@effect("method", "done_on", "note")
def person_seen_alive(decided: Decided) -> list[Change]:
    """The person was seen: the twelve months begin anew on that day. Law: 社会保险经办条例 §26."""
    case, on = decided.case, decided.value("done_on")
    return [
        Change(
            "eligibility_check",
            {
                "id": derived_id(case.id, "eligibility_check"), "person_id": decided.person_id,
                "checked_on": on, "seen_at": survival.noon(date.fromisoformat(on)), "method": decided.value("method"),
                "found": 1, "note": decided.value("note") or None, "photo": None, "station": case.station,
                "officer": "", "flags": None,
            },
        )
    ]  # fmt: skip
