# SPDX-License-Identifier: Apache-2.0
"""All that is known of one person, gathered once, as plain values: what checks, estimates and effects look at.

The same queries serve a station and the hub; only where open cases lie differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schema import period, resident_id, view_rows
from schema.view_rows import Row
from schema.view_unit import HouseholdView, UnitView

RESIDENT_PENSION = "resident_pension"
EMPLOYEE_PENSION = "employee_pension"


@dataclass(frozen=True)
class PersonView:
    """A person as this database knows them on `as_of`. Rows are plain dicts without `rev`; {} where there is none.

    `account` is the resident-pension account, `accounts` are all. `open_cases`: id, service, receipt_no, state,
    submitted_at, officer.
    `holder_of` tells the id of the person who holds an ID number here, or None. `at_hub`: seen from the hub's database.
    `unit`, `household`: those the case is about, or the unit that it names (where somebody works); None elsewhere.
    `rows_of` tells the person's rows of any other table that has persons, `row` a table's row by its id, {} for none.
    A case about a unit, a household or nobody has no person: then `known` is False and every row is empty.
    """

    person: Row
    contact: Row
    enrolments: list[Row]
    account: Row
    benefits: list[Row]
    bank_account: Row
    employments: list[Row]
    open_cases: list[Row]
    as_of: date
    known: bool = True
    at_hub: bool = False
    unit: UnitView | None = None
    household: HouseholdView | None = None
    accounts: list[Row] = field(default_factory=list)
    holder_of: Callable[[str], bytes | None] = field(default=lambda number: None, compare=False, repr=False)
    rows_of: Callable[[str], list[Row]] = field(default=lambda table: [], compare=False, repr=False)
    row: Callable[[str, bytes], Row] = field(default=lambda table, row_id: {}, compare=False, repr=False)

    @property
    def person_id(self) -> bytes | None:
        """The person's id, None when not in the register here."""
        return self.person.get("id")

    @property
    def birth_on(self) -> date | None:
        """Birth date by the register."""
        text = self.person.get("birth_on")
        return date.fromisoformat(text) if text else None

    @property
    def age(self) -> int | None:
        """Full years of age on `as_of`."""
        return period.age_on(self.birth_on, self.as_of) if self.birth_on else None

    def enrolled(self, insurance: str, states: tuple[str, ...] = ("active", "suspended")) -> list[Row]:
        """The person's relations to one insurance in those states."""
        return [e for e in self.enrolments if e["insurance"] == insurance and e["state"] in states]

    def account_of(self, insurance: str) -> Row:
        """The individual account of one insurance, {} when there is none."""
        return next((a for a in self.accounts if a["insurance"] == insurance), {})

    def drawing(self, kind: str) -> list[Row]:
        """Benefits of that kind that have not ended."""
        return [b for b in self.benefits if b["kind"] == kind and b["state"] != "ended"]


def person_view(db: Any, person_id: bytes, today: date, *, except_case: bytes | None = None) -> PersonView | None:
    """Everything about a person, None when the register here has no such id.

    `except_case` is left out of the open cases: a case under examination must not object to itself.
    """
    person = view_rows.one(db, "SELECT * FROM person WHERE id = ?", person_id)
    if not person:
        return None
    by_person = "WHERE person_id = ? ORDER BY"
    accounts = view_rows.many(db, f"SELECT * FROM account {by_person} insurance", person_id)
    return PersonView(
        person=person,
        contact=view_rows.one(db, "SELECT * FROM contact WHERE id = ?", person_id),
        enrolments=view_rows.many(db, f"SELECT * FROM enrolment {by_person} began_month, id", person_id),
        account=next((a for a in accounts if a["insurance"] == RESIDENT_PENSION), {}),
        benefits=view_rows.many(db, f"SELECT * FROM benefit {by_person} from_month, id", person_id),
        bank_account=view_rows.one(db, "SELECT * FROM bank_account WHERE person_id = ?", person_id),
        employments=view_rows.many(db, f"SELECT * FROM employment {by_person} began_month, id", person_id),
        open_cases=view_rows.open_cases(db, "person_id", person_id, except_case),
        as_of=today,
        at_hub=view_rows.is_hub(db),
        accounts=accounts,
        holder_of=lambda number: find_by_id_number(db, number),
        rows_of=lambda table: view_rows.of_person(db, table, person_id),
        row=lambda table, row_id: view_rows.by_id(db, table, row_id),
    )


def unknown_person_view(
    db: Any, today: date, answers: Mapping[str, str] | None = None, *, except_case: bytes | None = None
) -> PersonView:
    """The view of someone who is not in the register here.

    With answers given, open cases are those of the same ID number: two clerks may take the same new person.
    """
    read, _ = resident_id.read((answers or {}).get("id_number", ""), today)
    number = read.number if read else ""
    forms = (number, number.lower(), read.number_15 or number) if read else ()
    cases = view_rows.open_cases(db, "person_id", None, except_case, forms) if read else []
    return PersonView(
        person={}, contact={}, enrolments=[], account={}, benefits=[], bank_account={}, employments=[],
        open_cases=[c for c in cases if _canonical(c["answers"].get("id_number", ""), today) == number],
        as_of=today, known=False, at_hub=view_rows.is_hub(db), holder_of=lambda found: find_by_id_number(db, found),
    )  # fmt: skip


def strangers_cases(db: Any, today: date) -> dict[str, list[Row]]:
    """Open cases of people who are not in the register here, by their ID number."""
    found: dict[str, list[Row]] = {}
    for case in view_rows.open_cases(db, "person_id", None, None):
        found.setdefault(_canonical(case["answers"].get("id_number", ""), today), []).append(case)
    return found


def no_person(today: date) -> PersonView:
    """The view of a case that is about no person."""
    return PersonView(
        person={}, contact={}, enrolments=[], account={}, benefits=[], bank_account={}, employments=[], open_cases=[],
        as_of=today, known=False,
    )  # fmt: skip


def find_by_id_number(db: Any, number: str) -> bytes | None:
    """The id of the person with that number, as typed, 15 or 18 digits; None when not in the register here."""
    plain = resident_id.compact(number)
    found = db.execute("SELECT id FROM person WHERE id_number = ? ORDER BY id LIMIT 1", (plain,)).fetchone()
    if found is None and len(plain) == 15 and plain.isascii() and plain.isdigit():
        upgraded = resident_id.upgrade(plain)
        found = db.execute(
            "SELECT id FROM person WHERE id_number_15 = ? OR id_number = ? ORDER BY id LIMIT 1", (plain, upgraded)
        ).fetchone()
    return bytes(found[0]) if found else None


def _canonical(text: object, today: date) -> str:
    read, _ = resident_id.read(text if isinstance(text, str) else "", today)
    return read.number if read else ""
