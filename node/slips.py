# SPDX-License-Identifier: Apache-2.0
"""What stands on a slip, and who was given which copy. The first is the slip, every later one is marked a copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import cases, prints
from node.cases import Desk
from node.prints import Print, Proof
from schema import events, period, resident_id
from schema import prints as papers
from schema.clock import local
from schema.errors import UnknownSubject, WrongState
from schema.events import Fact
from schema.service_parts import Service
from schema.web.door import Officer


@dataclass(frozen=True)
class LastDay:
    """When the legal limit ends. `received_on`: the day on which the hub has it; before that, the day it would be if
    the hub received the case on the day of printing. `announced`: whether that year's holidays are known.
    """

    on: date
    received_on: date | None
    announced: bool


@dataclass(frozen=True)
class Slip:
    """One copy of a slip. `fact` is what the officer signed: the slip says nothing else."""

    case_id: bytes
    fact: Fact
    made: Print
    item: Service
    proof: Proof

    @property
    def stated_on(self) -> date:
        """The civil day on which the case was taken."""
        return local(self.fact.stated_at).date()

    @property
    def digest(self) -> str:
        """The beginning of the signed hash, in groups to read aloud."""
        text = self.fact.hash.hex()[:12]
        return " ".join(text[i : i + 4] for i in (0, 4, 8))


def issue(db: Any, desk: Desk, case_id: bytes, officer: Officer, key: Ed25519PrivateKey) -> int:
    """Log one more copy, in the caller's write transaction; returns its number. Raises WrongState for a draft.

    The first copy is given out with the case and needs no fact of its own.
    """
    number = cases.file(db, case_id)["receipt_no"]
    if number is None:
        raise WrongState("草稿没有回执", "a draft has no slip")
    if not issued(db, case_id):
        papers.log_first_slip(db, _taken(db, case_id))
    else:
        prints.record(db, desk, papers.SLIP, case_id, officer=officer, key=key, number=number)
    return issued(db, case_id)


def issued(db: Any, case_id: bytes) -> int:
    """How many copies were printed so far."""
    return prints.made(db, papers.SLIP, case_id)


def read(db: Any, case_id: bytes, copy: int, services: dict[str, Service], hub_url: str) -> Slip:
    """A logged copy. Raises UnknownSubject."""
    sql = "SELECT * FROM print_log WHERE subject = ? AND document = ? AND copy = ?"
    # An address may hold any number, also one that the database cannot.
    known = copy <= issued(db, case_id)
    row = db.execute(sql, (case_id, papers.SLIP, copy)).fetchone() if known else None
    fact = _taken(db, case_id) if row else None
    proof = prints.proof_of_case(db, case_id, hub_url)
    if row is None or fact is None or proof is None or fact.body["service"] not in services:
        raise UnknownSubject("没有这一份回执", "there is no such copy of a slip")
    return Slip(case_id, fact, prints.from_row(row), services[fact.body["service"]], proof)


def _taken(db: Any, case_id: bytes) -> Fact:
    return next(f for f in events.of_subject(db, case_id) if f.kind == "case_submitted")


def last_day(db: Any, slip: Slip) -> LastDay | None:
    """The last day of the limit as this copy may truly say it: a copy goes on saying what it said when printed."""
    if_today = slip.item.last_day(slip.made.on)
    if if_today is None or slip.fact.body["legal"] == "final":
        return None
    sql = "SELECT received_at, due_on FROM case_state WHERE case_id = ? AND due_on IS NOT NULL AND received_at <= ?"
    row = db.execute(sql, (slip.case_id, slip.made.at)).fetchone()
    here = local(row["received_at"]).date() if row else None
    on = date.fromisoformat(row["due_on"]) if row else if_today
    return LastDay(on, here, slip.item.calendar_limit or period.is_announced(on))


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
