# SPDX-License-Identifier: Apache-2.0
"""Effects about a whole household: medical insurance of residents for one year."""

from __future__ import annotations

from schema import ids
from schema.decided import Change, Decided, effect

RESIDENT_MEDICAL = "resident_medical"


@effect("year", "members", "exempt_class", "exempt_members")
def household_medical(d: Decided) -> list[Change]:
    """Each member named is insured from January of that year and owes the personal share, but those who are exempt."""
    begins, ends = f"{d.value('year')}-01", f"{d.value('year')}-12"
    share = d.parameters.at("medical/resident_personal_fen", d.view.as_of.replace(year=int(d.value("year")), day=1))
    exempt = set(d.value("exempt_members") or ())
    out = []
    for hex_id in d.value("members"):
        person_id = ids.from_text(hex_id)
        free = hex_id in exempt
        relation = {
            "id": ids.derived_id(d.case.id, f"enrolment {hex_id}"), "person_id": person_id,
            "insurance": RESIDENT_MEDICAL, "began_month": begins, "ended_month": None, "case_id": d.case.id,
        }  # fmt: skip
        running = d.household.enrolled(person_id, RESIDENT_MEDICAL)
        hardship = {"hardship": d.value("exempt_class") if free else "none", "state": "active"}
        amount = 0 if free else share.number
        out.append(Change("enrolment", {**(running[0] if running else relation), **hardship, "grade_fen": amount}))
        due = {
            "id": ids.derived_id(d.case.id, f"due {hex_id}"), "person_id": person_id, "insurance": RESIDENT_MEDICAL,
            "kind": "year", "from_month": begins, "to_month": ends, "base_fen": 0, "due_fen": amount,
            "state": "open", "case_id": d.case.id,
        }  # fmt: skip
        if amount:
            out.append(Change("contribution_order", due))
    return out
