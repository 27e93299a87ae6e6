# SPDX-License-Identifier: Apache-2.0
"""All that is known of an employer or of a household, as plain values: the siblings of `view.PersonView`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schema import period, resident_id, view_rows
from schema.view_rows import Row


@dataclass(frozen=True)
class UnitView:
    """An employer as this database knows it on `as_of`; `unit` is {} for one that is not in the register here.

    `working`: how many persons of the slice work there by the register. `open_cases` as in PersonView. `holder_of`
    tells the id of the unit that holds a unified social credit code here, or None.
    """

    unit: Row
    working: int
    open_cases: list[Row]
    as_of: date
    holder_of: Callable[[str], bytes | None] = field(default=lambda uscc: None, compare=False, repr=False)

    @property
    def known(self) -> bool:
        """Whether the register here has this unit."""
        return bool(self.unit)

    @property
    def unit_id(self) -> bytes | None:
        """The unit's id, None when not in the register here."""
        return self.unit.get("id")

    @property
    def ended(self) -> bool:
        """Whether the unit is deregistered."""
        return bool(self.unit.get("ended_on"))


@dataclass(frozen=True)
class HouseholdView:
    """A household with its living members; `household` is {} for one that is not in the register here.

    `members`: rows of `person`, oldest first. `enrolments`: their insurance relations, by the member's id.
    """

    household: Row
    members: list[Row]
    enrolments: dict[bytes, list[Row]]
    open_cases: list[Row]
    as_of: date

    @property
    def known(self) -> bool:
        """Whether the register here has this household."""
        return bool(self.household)

    @property
    def household_id(self) -> bytes | None:
        """The household's id, None when not in the register here."""
        return self.household.get("id")

    def member(self, person_id: bytes) -> Row:
        """The member with that id, {} when there is none."""
        return next((m for m in self.members if m["id"] == person_id), {})

    def enrolled(self, person_id: bytes, insurance: str) -> list[Row]:
        """A member's relations to one insurance that have not ended."""
        relations = self.enrolments.get(person_id, [])
        return [e for e in relations if e["insurance"] == insurance and e["state"] in ("active", "suspended")]

    def age(self, member: Row) -> int:
        """Full years of age on `as_of`."""
        return period.age_on(date.fromisoformat(member["birth_on"]), self.as_of)


def unit_view(db: Any, unit_id: bytes | None, today: date, *, except_case: bytes | None = None) -> UnitView | None:
    """Everything about a unit; None when the register here has no such id; for None the view of a unit yet unknown."""
    unit = view_rows.one(db, "SELECT * FROM unit WHERE id = ?", unit_id) if unit_id else {}
    if unit_id and not unit:
        return None
    working = "SELECT count(*) AS n FROM employment WHERE unit_id = ? AND ended_month IS NULL"
    return UnitView(
        unit=unit,
        working=view_rows.one(db, working, unit_id)["n"] if unit else 0,
        open_cases=view_rows.open_cases(db, "unit_id", unit_id, except_case) if unit else [],
        as_of=today,
        holder_of=lambda uscc: find_by_uscc(db, uscc),
    )


def household_view(
    db: Any, household_id: bytes, today: date, *, except_case: bytes | None = None
) -> HouseholdView | None:
    """Everything about a household, None when the register here has no such id."""
    household = view_rows.one(db, "SELECT * FROM household WHERE id = ?", household_id)
    if not household:
        return None
    living = "SELECT * FROM person WHERE household_id = ? AND life_status <> '2' ORDER BY birth_on, id"
    members = view_rows.many(db, living, household_id)
    return HouseholdView(
        household=household,
        members=members,
        enrolments={
            m["id"]: view_rows.many(db, "SELECT * FROM enrolment WHERE person_id = ? ORDER BY began_month, id", m["id"])
            for m in members
        },
        open_cases=view_rows.open_cases(db, "household_id", household_id, except_case),
        as_of=today,
    )


def find_by_uscc(db: Any, typed: str) -> bytes | None:
    """The id of the unit with that code, None when not in the register here. A deregistered one comes last."""
    sql = "SELECT id FROM unit WHERE uscc = ? ORDER BY ended_on IS NOT NULL, id LIMIT 1"
    found = db.execute(sql, (plain_code(typed),)).fetchone()
    return bytes(found[0]) if found else None


def plain_code(typed: str) -> str:
    """A credit code as the register has it, however it was typed: two clerks may write the same one differently."""
    return re.sub("-", "", resident_id.compact(typed))
