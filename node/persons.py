# SPDX-License-Identifier: Apache-2.0
"""What stands on a person's page beside the view that checks use: names of places, accounts, cases, conflicts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from node import case_state, conflicts, contacts
from schema.errors import UnknownSubject
from schema.view import PersonView, person_view

CASES_SHOWN = 20


@dataclass(frozen=True)
class PersonPage:
    """One person, ready to be shown. `unsent`: contact cells changed here that the hub does not have yet."""

    view: PersonView
    village: str
    lives_in: str
    accounts: dict[str, Any]
    cases: list[Any]
    conflicts: list[Any]
    unsent: dict[str, Any]


def read(db: Any, person_id: bytes, today: date) -> PersonPage:
    """Raises UnknownSubject."""
    seen = person_view(db, person_id, today)
    if seen is None:
        raise UnknownSubject("本站名册里没有这个人", "this person is not in the station's register")
    cases, _ = case_state.listing(db, person_id=person_id, limit=CASES_SHOWN)
    return PersonPage(
        view=seen,
        village=place(db, seen.person["village"]),
        lives_in=place(db, seen.contact.get("address_village") or ""),
        accounts={a["insurance"]: a for a in db.execute("SELECT * FROM account WHERE person_id = ?", (person_id,))},
        cases=cases,
        conflicts=conflicts.listing(db, person_id),
        unsent=contacts.unsent_columns(db, person_id),
    )


def place(db: Any, code: str) -> str:
    """`甘霖镇 苍岩村` for a village's code; the code itself when nobody told us its name."""
    row = db.execute(
        "SELECT d.name, p.name AS parent FROM division d "
        "LEFT JOIN division p ON p.code = d.parent AND p.level = 'township' WHERE d.code = ?",
        (code,),
    ).fetchone()
    return " ".join(part for part in (row["parent"], row["name"]) if part) if row else code
