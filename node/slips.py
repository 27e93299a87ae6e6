# SPDX-License-Identifier: Apache-2.0
"""What stands on a slip, and who was given which copy. The first is the slip, every later one is marked a copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import segno

from node import cases
from schema import database, events, ids, resident_id
from schema.clock import Clock, local, stamp
from schema.errors import UnknownSubject, WrongState
from schema.events import Fact
from schema.service_parts import Service
from schema.slip import check_address, check_code
from schema.web.door import Officer


@dataclass(frozen=True)
class Slip:
    """One copy of a slip. `fact` is what the officer signed: the slip says nothing else."""

    case_id: bytes
    fact: Fact
    copy: int
    printed_at: str
    item: Service
    check_code: str
    check_address: str

    @property
    def stated_on(self) -> date:
        """The civil day on which the case was taken."""
        return local(self.fact.stated_at).date()

    @property
    def digest(self) -> str:
        """The beginning of the signed hash, in groups to read aloud."""
        text = self.fact.hash.hex()[:12]
        return " ".join(text[i : i + 4] for i in (0, 4, 8))

    @property
    def qr(self) -> str:
        """The check address as an SVG of 31 mm, without any personal data."""
        code = segno.make(self.check_address, error="m")
        return str(code.svg_inline(scale=1, border=2, omitsize=True, svgclass=None))


def issue(db: Any, case_id: bytes, officer: Officer, clock: Clock) -> int:
    """Log one more copy, in the caller's write transaction; returns its number. Raises WrongState for a draft."""
    if cases.file(db, case_id)["receipt_no"] is None:
        raise WrongState("草稿没有回执", "a draft has no slip")
    copy = issued(db, case_id) + 1
    row = {
        "id": ids.new_id(),
        "case_id": case_id,
        "copy": copy,
        "operator_no": officer.operator_no,
        "at": stamp(clock.now()),
    }
    database.insert(db, "slip_print", row)
    return copy


def issued(db: Any, case_id: bytes) -> int:
    """How many copies were printed so far."""
    found = db.execute("SELECT coalesce(max(copy), 0) FROM slip_print WHERE case_id = ?", (case_id,)).fetchone()
    return int(found[0])


def read(db: Any, case_id: bytes, copy: int, services: dict[str, Service], hub_url: str) -> Slip:
    """A logged copy. Raises UnknownSubject."""
    sql = "SELECT at FROM slip_print WHERE case_id = ? AND copy = ?"
    # An address may hold any number, also one that the database cannot.
    row = db.execute(sql, (case_id, copy)).fetchone() if copy <= issued(db, case_id) else None
    fact = next((f for f in events.of_subject(db, case_id) if f.kind == "case_submitted"), None)
    if row is None or fact is None or fact.body["service"] not in services:
        raise UnknownSubject("没有这一份回执", "there is no such copy of a slip")
    code = check_code(fact.hash)
    address = check_address(hub_url, fact.body["receipt_no"], code)
    return Slip(case_id, fact, copy, row["at"], services[fact.body["service"]], code, address)


def id_tail(db: Any, body: dict[str, Any]) -> str:
    """The last four of the applicant's ID number: by the register, of somebody new by the form."""
    row = db.execute("SELECT id_number FROM person WHERE id = ?", (body["person_id"],)).fetchone()
    number = row["id_number"] if row else resident_id.compact(body["answers"].get("id_number", ""))
    return str(number)[-4:]


def phone(db: Any, body: dict[str, Any]) -> str | None:
    """Where the applicant will be called: as given on the form, else as known."""
    if body["answers"].get("phone"):
        return str(body["answers"]["phone"])
    row = db.execute("SELECT phone FROM contact WHERE id = ?", (body["person_id"],)).fetchone()
    return row["phone"] if row else None
