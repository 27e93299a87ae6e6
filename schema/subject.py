# SPDX-License-Identifier: Apache-2.0
"""Whom a case is about: a person, a unit, a household, or nobody by name; and the view of them that rules look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from schema import ids, view, view_rows, view_unit
from schema.service_parts import Service
from schema.view import PersonView
from schema.view_rows import Row

COLUMNS = ("person_id", "unit_id", "household_id")
NAME_MAX_CHARS = 120


@dataclass(frozen=True)
class Subject:
    """At most one of the ids is given; none for somebody new and for a case about nobody."""

    person_id: bytes | None = None
    unit_id: bytes | None = None
    household_id: bytes | None = None

    @property
    def given(self) -> bool:
        """Whether anybody is named."""
        return any((self.person_id, self.unit_id, self.household_id))

    @property
    def row(self) -> dict[str, bytes | None]:
        """The three columns of a case."""
        return {name: getattr(self, name) for name in COLUMNS}


NOBODY = Subject()


def of_row(row: Any) -> Subject:
    """The subject in a row or a fact's body; a column that is not there is empty."""
    names = set(row.keys())
    return Subject(*(bytes(row[name]) if name in names and row[name] else None for name in COLUMNS))


def of(item: Service, seen: PersonView) -> Subject:
    """The subject that a view shows, for a case of this item."""
    if item.subject == "unit":
        return Subject(unit_id=seen.unit.unit_id if seen.unit else None)
    if item.subject == "household":
        return Subject(household_id=seen.household.household_id if seen.household else None)
    return Subject(person_id=seen.person_id) if item.subject == "person" else NOBODY


def known(item: Service, seen: PersonView) -> bool:
    """Whether the register here knows whom the case is about; a case about nobody lacks no one."""
    return item.subject == "nobody" or of(item, seen).given


def view_for(
    db: Any, item: Service, named: Subject, answers: Mapping[str, str], today: date, *, except_case: bytes | None = None
) -> PersonView:
    """What checks, estimates and effects look at. Of a person not named, the one with the ID number given.

    A field of type `unit` brings the unit that it names.
    """
    if item.subject == "person":
        found = named.person_id or view.find_by_id_number(db, answers.get("id_number", ""))
        seen = view.person_view(db, found, today, except_case=except_case) if found else None
        seen = seen or view.unknown_person_view(db, today, answers, except_case=except_case)
        unit_id = _unit_named(item, answers)
        return replace(seen, unit=view_unit.unit_view(db, unit_id, today)) if unit_id else seen
    seen = replace(view.no_person(today), at_hub=view_rows.is_hub(db))
    if item.subject == "unit":
        unit = view_unit.unit_view(db, named.unit_id, today, except_case=except_case)
        unit = unit or view_unit.unit_view(db, None, today)
        cases = unit.open_cases if unit and unit.known else _same_unit(db, answers, except_case)
        return replace(seen, unit=unit, open_cases=cases)
    if item.subject == "household" and named.household_id:
        home = view_unit.household_view(db, named.household_id, today, except_case=except_case)
        return replace(seen, household=home, open_cases=home.open_cases if home else [])
    unit_id = _unit_named(item, answers)
    return replace(seen, unit=view_unit.unit_view(db, unit_id, today)) if unit_id else seen


def name_of(item: Service, seen: PersonView, answers: Mapping[str, str]) -> str | None:
    """The name that lists and the slip show: by the register; of somebody new, by the form; None about nobody."""
    known_as = {
        "person": seen.person.get("name"),
        "unit": seen.unit.unit.get("name") if seen.unit else None,
        "household": seen.household.household.get("head_name") if seen.household else None,
    }
    typed = answers.get("name", "") if item.subject != "nobody" else ""
    return (known_as.get(item.subject) or typed)[:NAME_MAX_CHARS] or None


def _same_unit(db: Any, answers: Mapping[str, str], except_case: bytes | None) -> list[Row]:
    """Open cases of a unit that is not in the register yet: two clerks may take the same one."""
    code = view_unit.plain_code(answers.get("uscc", ""))
    cases = view_rows.open_cases(db, "unit_id", None, except_case) if code else []
    return [c for c in cases if view_unit.plain_code(c["answers"].get("uscc", "")) == code]


def _unit_named(item: Service, answers: Mapping[str, str]) -> bytes | None:
    """The unit in the item's first field of type `unit`."""
    field = next((f for f in item.fields if f.type == "unit"), None)
    text = answers.get(field.name, "").strip() if field else ""
    return ids.from_text(text) if ids.is_text(text) else None
