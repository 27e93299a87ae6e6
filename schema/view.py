# SPDX-License-Identifier: Apache-2.0
"""All that is known of one person, gathered once, as plain values: what checks, estimates and effects look at.

The same queries serve a station and the hub; only where open cases lie differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schema import case, period, resident_id

Row = dict[str, Any]
RESIDENT_PENSION = "resident_pension"
EMPLOYEE_PENSION = "employee_pension"
_OPEN = ", ".join(f"'{state}'" for state in case.OPEN_STATES)


@dataclass(frozen=True)
class PersonView:
    """A person as this database knows them on `as_of`. Rows are plain dicts without `rev`; {} where there is none.

    `account` is the resident-pension account. `open_cases`: id, service, receipt_no, state, submitted_at, officer.
    `holder_of` tells the id of the person who holds an ID number here, or None. `at_hub`: seen from the hub's database.
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
    holder_of: Callable[[str], bytes | None] = field(default=lambda number: None, compare=False, repr=False)

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

    def drawing(self, kind: str) -> list[Row]:
        """Benefits of that kind that have not ended."""
        return [b for b in self.benefits if b["kind"] == kind and b["state"] != "ended"]


def person_view(db: Any, person_id: bytes, today: date, *, except_case: bytes | None = None) -> PersonView | None:
    """Everything about a person, None when the register here has no such id.

    `except_case` is left out of the open cases: a case under examination must not object to itself.
    """
    person = _row(db, "SELECT * FROM person WHERE id = ?", person_id)
    if not person:
        return None
    by_person = "WHERE person_id = ? ORDER BY"
    return PersonView(
        person=person,
        contact=_row(db, "SELECT * FROM contact WHERE id = ?", person_id),
        enrolments=_rows(db, f"SELECT * FROM enrolment {by_person} began_month, id", person_id),
        account=_row(db, f"SELECT * FROM account WHERE person_id = ? AND insurance = '{RESIDENT_PENSION}'", person_id),
        benefits=_rows(db, f"SELECT * FROM benefit {by_person} from_month, id", person_id),
        bank_account=_row(db, "SELECT * FROM bank_account WHERE person_id = ?", person_id),
        employments=_rows(db, f"SELECT * FROM employment {by_person} began_month, id", person_id),
        open_cases=_open_cases(db, "person_id = ?", person_id, except_case),
        as_of=today,
        at_hub=_is_hub(db),
        holder_of=lambda number: find_by_id_number(db, number),
    )


def unknown_person_view(
    db: Any, today: date, answers: Mapping[str, str] | None = None, *, except_case: bytes | None = None
) -> PersonView:
    """The view of someone who is not in the register here.

    With answers given, open cases are those of the same ID number: two clerks may take the same new person.
    """
    number = _canonical((answers or {}).get("id_number", ""), today)
    cases = _open_cases(db, "person_id IS NULL", None, except_case) if number else []
    return PersonView(
        person={}, contact={}, enrolments=[], account={}, benefits=[], bank_account={}, employments=[],
        open_cases=[c for c in cases if _canonical(c["answers"].get("id_number", ""), today) == number],
        as_of=today, known=False, at_hub=_is_hub(db), holder_of=lambda found: find_by_id_number(db, found),
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


def _is_hub(db: Any) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'hub_case'").fetchone() is not None


def _open_cases(db: Any, where: str, person_id: bytes | None, except_case: bytes | None) -> list[Row]:
    columns = "submitted_at, operator_no, answers FROM case_file"
    if _is_hub(db):
        columns = "stated_at AS submitted_at, submitted_by AS operator_no, answers FROM hub_case"
    arguments = () if person_id is None else (person_id,)
    query = f"SELECT id, service, receipt_no, state, {columns} WHERE {where} AND state IN ({_OPEN})"
    found = [_plain(r) for r in db.execute(f"{query} ORDER BY submitted_at, id", arguments)]
    if person_id is not None and not _is_hub(db):
        found += _told_by_hub(db, person_id, {c["id"] for c in found})
    for c in found:
        c["answers"] = json.loads(c["answers"]) if c.get("answers") else {}
        c["officer"] = _officer_name(db, c.get("operator_no"))
    return [c for c in found if c["id"] != except_case]


def _told_by_hub(db: Any, person_id: bytes, seen: set[bytes]) -> list[Row]:
    """Open cases of the person taken elsewhere, which this station knows from the hub only."""
    rows = db.execute(
        "SELECT case_id AS id, service, receipt_no, state, received_at AS submitted_at, station FROM case_state "
        f"WHERE person_id = ? AND state IN ({_OPEN})",
        (person_id,),
    )
    return [c for c in map(_plain, rows) if c["id"] not in seen]


def _officer_name(db: Any, operator_no: str | None) -> str:
    found = db.execute(
        "SELECT name FROM officer_key WHERE operator_no = ? ORDER BY valid_from DESC LIMIT 1", (operator_no,)
    ).fetchone()
    return found[0] if found else operator_no or ""


def _row(db: Any, sql: str, person_id: bytes) -> Row:
    found = db.execute(sql, (person_id,)).fetchone()
    return _plain(found) if found else {}


def _rows(db: Any, sql: str, person_id: bytes) -> list[Row]:
    return [_plain(r) for r in db.execute(sql, (person_id,))]


def _plain(row: Any) -> Row:
    return {key: row[key] for key in row.keys() if key != "rev"}  # noqa: SIM118 - a database row, not a dict
