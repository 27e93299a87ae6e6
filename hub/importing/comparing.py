# SPDX-License-Identifier: Apache-2.0
"""A line beside the register: is the person new, what would change, and which rows would be written.

Persons are found by ID number, 18 or 15 digits. What the file does not state stays as it is, so the same file a second
time changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from hub.importing.remarks import block, hint
from hub.importing.rows import ALIVE, Parsed
from schema import ids, money, names, tables
from schema.findings import Finding
from sync.slices import person_column

Kind = Literal["new", "changed", "unchanged", "refused"]
Row = dict[str, Any]
MONEY_TABLES = ("account", "benefit", "bank_account")
PARTS = ("basic_fen", "account_fen", "extra_fen")
OWNED = ("contact", "enrolment", "account", "benefit", "bank_account")

# Which column of the file shows a changed column of the register; the others follow from these.
SHOWN = {
    ("person", "id_number"): "id_number", ("person", "name"): "name", ("person", "ethnic"): "ethnic",
    ("person", "village"): "village", ("person", "household_id"): "household_no",
    ("person", "life_status"): "life_status", ("person", "died_on"): "died_on",
    ("person", "work_began_on"): "work_began_on", ("contact", "phone"): "phone", ("contact", "address"): "address",
    ("enrolment", "insurance"): "insurance", ("enrolment", "state"): "enrolment_state",
    ("enrolment", "began_month"): "began_month", ("enrolment", "grade_fen"): "grade",
    ("account", "balance_fen"): "balance", ("account", "paid_months"): "paid_months",
    ("benefit", "state"): "benefit_state", ("benefit", "from_month"): "benefit_from",
    ("benefit", "paid_through"): "paid_through", ("benefit", "basic_fen"): "benefit_basic",
    ("benefit", "account_fen"): "benefit_account", ("benefit", "extra_fen"): "benefit",
    ("bank_account", "bank"): "bank", ("bank_account", "account_no"): "account_no",
    ("bank_account", "holder"): "holder",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One column that changes, as people read it; `before` is '' where the register said nothing."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Outcome:
    """What comes of a line: its kind, what changes, which rows are to be written, all findings."""

    parsed: Parsed
    kind: Kind
    changes: tuple[Change, ...] = ()
    writes: tuple[tuple[str, Row], ...] = ()

    @property
    def findings(self) -> list[Finding]:
        return self.parsed.findings


@dataclass(frozen=True)
class Ground:
    """What holds for the whole register now.

    `as_of`: the month up to which balances and payments of the file count as done elsewhere; `this_month`: the month
    of today; `waiting`: a month that is approved and not paid, whose amounts must not move under it, or ''.
    """

    as_of: str
    this_month: str
    waiting: str


def compare(db: Any, parsed: list[Parsed], ground: Ground) -> list[Outcome]:
    """The outcome of some good lines, in their order."""
    known = _known(db, parsed)
    return [_outcome(one, known, ground) for one in parsed]


def refused(parsed: Parsed, *more: Finding) -> Outcome:
    """The outcome of a line that does not go in."""
    return Outcome(replace(parsed, findings=[*parsed.findings, *more]), "refused")


@dataclass(frozen=True)
class _Known:
    """What the register holds of some persons. `by_number`: the persons who bear a number, usually one."""

    by_number: dict[str, list[Row]]
    rows: dict[str, dict[bytes, list[Row]]]
    settled: frozenset[tuple[bytes, str]]
    households: frozenset[bytes]


def _known(db: Any, parsed: list[Parsed]) -> _Known:
    by_number = _persons(db, [p.resident.number for p in parsed if p.resident])
    owners = sorted({bytes(person["id"]) for found in by_number.values() for person in found})
    settled = _by_ids(db, "SELECT DISTINCT person_id, insurance FROM statement WHERE person_id", owners)
    books = [p.stated["household"]["id"] for p in parsed if p.stated.get("household")]
    return _Known(
        by_number,
        {table: _by_owner(db, table, owners) for table in OWNED},
        frozenset((bytes(row["person_id"]), row["insurance"]) for row in settled),
        frozenset(bytes(row["id"]) for row in _by_ids(db, "SELECT id FROM household WHERE id", books)),
    )


def _persons(db: Any, numbers: list[str]) -> dict[str, list[Row]]:
    """Who bears each number: under its 18 digits, or still under the 15 of before 1999."""
    written = {n: n for n in numbers} | {f"{n[:6]}{n[8:17]}": n for n in numbers if n[6:8] == "19"}
    rows = db.execute(
        "SELECT * FROM person WHERE id_number IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json.dumps(list(written)),),
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(written[row["id_number"]], []).append(dict(row))
    return found


def _by_owner(db: Any, table: str, owners: list[bytes]) -> dict[bytes, list[Row]]:
    column = person_column(tables.TABLES[table])
    found: dict[bytes, list[Row]] = {}
    for row in _by_ids(db, f"SELECT * FROM {table} WHERE {column}", owners):
        found.setdefault(bytes(row[column]), []).append(dict(row))
    return found


def _by_ids(db: Any, select: str, wanted: list[bytes]) -> list[Any]:
    given = json.dumps([one.hex() for one in wanted])
    return list(db.execute(f"{select} IN (SELECT unhex(value) FROM json_each(?))", (given,)))


def _outcome(parsed: Parsed, known: _Known, ground: Ground) -> Outcome:
    assert parsed.resident is not None
    persons = known.by_number.get(parsed.resident.number, [])
    if len(persons) > 1:
        return refused(parsed, block("id_twice_in_register", "id_number", count=len(persons)))
    if not persons and "village" not in parsed.stated["person"]:
        return refused(parsed, block("village_missing", "village"))
    draft = _Draft(parsed, persons[0] if persons else None, known, ground)
    if persons and ground.waiting and any(table in MONEY_TABLES for table, _ in draft.writes):
        return refused(parsed, block("month_waits", "id_number", month=ground.waiting))
    kind: Kind = "new" if not persons else "changed" if draft.writes else "unchanged"
    findings = [*parsed.findings, *draft.remarks]
    return Outcome(replace(parsed, findings=findings), kind, tuple(draft.changes), tuple(draft.writes))


class _Draft:
    """The rows to write for one person, collected table by table."""

    def __init__(self, parsed: Parsed, person: Row | None, known: _Known, ground: Ground) -> None:
        self.stated, self.known, self.ground = parsed.stated, known, ground
        self.id = bytes(person["id"]) if person else ids.new_id()
        self.writes: list[tuple[str, Row]] = []
        self.changes: list[Change] = []
        self.remarks: list[Finding] = []
        insurance = self.stated["enrolment"].get("insurance", "")
        self.insurance = {"person_id": self.id, "insurance": insurance}
        self._person(person)
        self._household()
        self._contact()
        if insurance:
            self._of_insurance(insurance)
        self._row("bank_account", {"person_id": self.id}, self.stated["bank_account"], self._first("bank_account"), {})

    def _person(self, before: Row | None) -> None:
        stated = dict(self.stated["person"])
        if before and before["id_number"] == stated["id_number"]:
            stated.pop("id_number_15", None)  # read off the other; a register without it is not wrong
        if before is None or before["name"] != stated["name"]:
            stated["pinyin"], stated["initials"] = names.pinyin(stated["name"])
        self._row("person", {"id": self.id}, stated, before, {"life_status": ALIVE})

    def _contact(self) -> None:
        """A phone written with other signs is the same phone; the village belongs to the address it came with."""
        before, stated = self._first("contact"), dict(self.stated["contact"])
        if before and _digits(stated.get("phone")) == _digits(before["phone"]):
            stated.pop("phone", None)
        if before and stated.get("address") == before["address"]:
            stated.pop("address_village", None)
        self._row("contact", {"id": self.id}, stated, before, {})

    def _household(self) -> None:
        """A family book is begun by the first of its lines and not changed by the next: they may disagree."""
        book = self.stated["household"]
        village = self.stated["person"].get("village")
        if book and village and book["id"] not in self.known.households:
            self.writes.append(("household", {"head_name": None, "village": village, **book}))

    def _of_insurance(self, insurance: str) -> None:
        ground, settled = self.ground, (self.id, insurance) in self.known.settled
        enrolment = self._current("enrolment", "insurance", insurance)
        stated = dict(self.stated["enrolment"])
        fresh = {**self.insurance, "state": "active", "began_month": ground.this_month, "grade_fen": 0}
        self._row("enrolment", self._key("enrolment", insurance, enrolment), stated, enrolment, fresh)
        account = next((a for a in self.known.rows["account"].get(self.id, []) if a["insurance"] == insurance), None)
        if settled and _differ(self.stated["account"], account):
            self.remarks.append(hint("account_settled", "balance"))
        elif self.stated["account"]:
            fresh = {"balance_fen": 0, "paid_months": 0, "as_of_month": ground.as_of}
            self._row("account", self.insurance, self.stated["account"], account, fresh)
        self._benefit(insurance, settled)

    def _benefit(self, insurance: str, settled: bool) -> None:
        before = self._current("benefit", "kind", insurance)
        stated = dict(self.stated["benefit"])
        if settled and before and stated.get("paid_through", before["paid_through"]) != before["paid_through"]:
            del stated["paid_through"]
            self.remarks.append(hint("benefit_settled", "paid_through"))
        if before and _is_total(stated) and stated["basic_fen"] == sum(before[part] for part in PARTS):
            stated = {c: v for c, v in stated.items() if c not in PARTS}
        if before is None and "basic_fen" not in stated and "account_fen" not in stated:
            return
        fresh = {
            "person_id": self.id, "kind": insurance, "state": "active", "from_month": self.ground.as_of, "basic_fen": 0,
            "account_fen": 0, "extra_fen": 0, "paid_through": self.ground.as_of,
        }  # fmt: skip
        self._row("benefit", self._key("benefit", insurance, before), stated, before, fresh)

    def _first(self, table: str) -> Row | None:
        return next(iter(self.known.rows[table].get(self.id, [])), None)

    def _current(self, table: str, column: str, insurance: str) -> Row | None:
        """The relation that is in force, else the latest one."""
        rows = [r for r in self.known.rows[table].get(self.id, []) if r[column] == insurance]
        month = "began_month" if table == "enrolment" else "from_month"
        return max(rows, key=lambda r: (r["state"] != "ended", r[month], bytes(r["id"])), default=None)

    def _key(self, table: str, insurance: str, before: Row | None) -> Row:
        return {"id": bytes(before["id"]) if before else ids.owned_id(table, self.id, insurance)}

    def _row(self, table: str, key: Row, stated: Row, before: Row | None, fresh: Row) -> None:
        """Collect what differs from the register; a row that does not exist begins with `fresh`."""
        if not stated:
            return
        changed = {c: v for c, v in stated.items() if before is None or before[c] != v}
        if not changed:
            return
        self.writes.append((table, {**(fresh if before is None else {}), **changed, **key}))
        for column, value in changed.items():
            shown = SHOWN.get((table, column))
            if shown:
                self.changes.append(Change(shown, _words(column, before and before[column]), _words(column, value)))


def _digits(phone: str | None) -> str:
    return "".join(c for c in phone or "" if c.isdigit())


def _is_total(stated: Row) -> bool:
    """Whether the file gave one amount without its parts: equal to the register's sum, it changes nothing."""
    return all(part in stated for part in PARTS) and not stated["account_fen"] and not stated["extra_fen"]


def _differ(stated: Row, before: Row | None) -> bool:
    return any(before is None or before[c] != v for c, v in stated.items())


def _words(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()[:8]
    return money.yuan(value) if column.endswith("_fen") else str(value)
