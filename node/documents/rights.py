# SPDX-License-Identifier: Apache-2.0
"""个人权益记录: what the register holds of a person's insurance, as of what the hub last sent.

Law: 社会保险法 §74, 社会保险经办条例 §32: free, and for the person or whom the person empowers; the purpose is asked.
"""

from __future__ import annotations

from typing import Any

from node import prints, status
from node.prints import Print
from node.station import Station
from schema.errors import UnknownSubject
from schema.web.door import Officer

MONTHS_SHOWN = 36


def check(db: Any, station: Station, subject: bytes, officer: Officer) -> tuple[str | None, int]:
    """Raises UnknownSubject."""
    _person(db, subject)
    return None, 1


def build(db: Any, station: Station, made: Print) -> dict[str, Any]:
    """Enrolments, accounts, the settled months, benefits."""
    person_id = made.subject

    def rows(sql: str) -> list[Any]:
        return list(db.execute(sql, (person_id,)))

    return {
        "person": _person(db, person_id),
        "enrolments": rows("SELECT * FROM enrolment WHERE person_id = ? ORDER BY began_month, insurance"),
        "accounts": rows("SELECT * FROM account WHERE person_id = ? ORDER BY insurance"),
        "statements": rows(
            f"SELECT * FROM statement WHERE person_id = ? ORDER BY month DESC, insurance LIMIT {MONTHS_SHOWN}"
        ),
        "benefits": rows("SELECT * FROM benefit WHERE person_id = ? ORDER BY from_month"),
        "months_shown": MONTHS_SHOWN,
        "as_of": status.as_of(db),
        "proof": prints.proof_of_print(db, made, station.config.hub_url),
    }


def _person(db: Any, person_id: bytes) -> Any:
    row = db.execute("SELECT * FROM person WHERE id = ?", (person_id,)).fetchone()
    if row is None:
        raise UnknownSubject("名册里没有这个人", "this person is not in the register")
    return row
