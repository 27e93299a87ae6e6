# SPDX-License-Identifier: Apache-2.0
"""介绍信: the letter a job seeker takes to the employer, with the strip on which the employer answers.

It is made of the case as it was signed, so it can be printed at once and without a line. Law: 就业促进法.
"""

from __future__ import annotations

from typing import Any

from node import cases, prints
from node.prints import Print
from node.station import Station
from schema import events
from schema.errors import WrongState
from schema.web.door import Officer

SERVICE = "job_referral"


def check(db: Any, station: Station, subject: bytes, officer: Officer) -> tuple[str | None, int]:
    """Raises WrongState for a case that is no referral, or is not submitted yet."""
    row = cases.file(db, subject)
    if row["service"] != SERVICE or row["receipt_no"] is None:
        raise WrongState("这一件不是已提交的职业介绍", "this case is no submitted referral")
    return row["receipt_no"], 1


def build(db: Any, station: Station, made: Print) -> dict[str, Any]:
    """Whom the office sends to whom for which job."""
    row = cases.file(db, made.subject)
    stated = [f for f in events.of_subject(db, made.subject) if "answers" in f.body]
    person = db.execute("SELECT name, sex, birth_on FROM person WHERE id = ?", (row["person_id"],)).fetchone()
    contact = db.execute("SELECT phone FROM contact WHERE id = ?", (row["person_id"],)).fetchone()
    return {
        "row": row,
        "asked": stated[-1].body["answers"],
        "stated_at": stated[0].stated_at,
        "person": person,
        "phone": contact["phone"] if contact else None,
        "proof": prints.proof_of_case(db, made.subject, station.config.hub_url),
    }
