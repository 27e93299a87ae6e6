# SPDX-License-Identifier: Apache-2.0
"""一次性告知书: everything that is missing of a draft or of a returned case, once, in writing, completely.

Law: 社会保险经办条例 §31; 工伤保险条例 §18. Who was told what, and when, is a signed fact of the log.
"""

from __future__ import annotations

import json
from typing import Any

from node import case_state, cases, prints
from node.prints import Print
from node.station import Station
from schema import checks, paper_sources
from schema import subject as subjects
from schema.errors import WrongState
from schema.web.door import Officer


def check(db: Any, station: Station, subject: bytes, officer: Officer) -> tuple[str | None, int]:
    """Raises WrongState for a case that waits for nothing of the applicant, NotAllowed for another's draft."""
    cases.may_edit(db, subject, officer)
    row = _open_case(db, subject)
    return row["receipt_no"], 1


def build(db: Any, station: Station, made: Print) -> dict[str, Any]:
    """Papers with where to get them, what else must be put right, what the hub said, what is here already."""
    row, desk = _open_case(db, made.subject), station.desk
    file = cases.file(db, made.subject)
    item = desk.item_of(db, file)
    given = cases.asked(item, file)
    asked = json.loads(row["result"] or "{}").get("missing", [])
    needed = {m.id for m in item.materials_for(given.answers)} - set(given.materials) | set(asked)
    today = desk.clock.today()
    seen = subjects.view_for(db, item, subjects.of_row(file), given.answers, today, except_case=made.subject)
    found = checks.examine(item, given.answers, given.materials, seen, today, desk.parameters).findings
    return {
        "row": row,
        "item": item,
        "returned": row["state"] == "returned",
        "missing": [{"label": m.label, "where": paper_sources.where(m.id)} for m in item.materials if m.id in needed],
        "wrong": [f for f in found if f.severity == "block" and not f.field.startswith("material:")],
        "held": [m for m in item.materials if m.id in given.materials and m.id not in needed],
        "proof": prints.proof_of_case(db, made.subject, station.config.hub_url),
    }


def _open_case(db: Any, case_id: bytes) -> Any:
    cases.file(db, case_id)
    row = case_state.one(db, case_id)
    if row["state"] not in ("draft", "returned"):
        raise WrongState("这一件没有要申请人补的", "nothing is asked of the applicant for this case")
    return row
