# SPDX-License-Identifier: Apache-2.0
"""Printing at the counter: every paper is written into the log before it is shown, and a second one says so.

A paper of a case carries the case's receipt number. One without a case (a record of rights, a list for a village)
gets a number of its own, `0100-1-26-P00012-4`. Both carry a check code that only the signed fact gives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from markupsafe import Markup

from node.cases import Desk
from schema import database, events, ids, prints
from schema.clock import local
from schema.errors import UnknownSubject
from schema.readable import readable
from schema.slip import check_address, check_code
from schema.web.door import Officer


@dataclass(frozen=True)
class Print:
    """One line of the log: a paper that was made."""

    id: bytes
    document: prints.Document
    subject: bytes
    copy: int
    number: str | None
    persons: int
    purpose: str
    operator_no: str
    at: str

    @property
    def on(self) -> date:
        """The civil day."""
        return local(self.at).date()

    @property
    def file_name(self) -> str:
        """Of a download: by number, never by a name or an ID number."""
        return f"{self.number or self.id.hex()[:12]}-{self.document.name}.pdf"


@dataclass(frozen=True)
class Proof:
    """What lets anybody ask whether a paper is true: the QR code holds number and code, nothing about a person."""

    number: str
    code: str
    address: str

    @property
    def qr(self) -> Markup:
        """The check address as an SVG of 31 mm."""
        code = segno.make(self.address, error="m")
        return Markup(code.svg_inline(scale=1, border=2, omitsize=True, svgclass=None))


def record(
    db: Any, desk: Desk, document: str, subject: bytes, *, officer: Officer, key: Ed25519PrivateKey,
    number: str | None = None, persons: int = 1, purpose: str = "",
) -> bytes:  # fmt: skip
    """Log one paper, in the caller's write transaction, as a signed fact; returns the print's id.

    `number`: the case's receipt number; None takes the next print number, or none for a draft. `persons`: of how many
    persons the paper shows data.
    """
    about = prints.DOCUMENTS[document].about
    if number is None and about != "case":
        number = _next_number(db, desk)
    said = readable(purpose).strip()[: prints.PURPOSE_MAX_CHARS] or None
    content = prints.body(document, made(db, document, subject) + 1, number, persons, said)
    fact = events.state(db, prints.KIND, subject, content, officer=officer.operator_no, key=key, clock=desk.clock)
    database.insert(db, "print_log", prints.row(fact))
    return fact.id


def made(db: Any, document: str, subject: bytes) -> int:
    """How many of this paper were printed so far for that subject."""
    sql = "SELECT coalesce(max(copy), 0) FROM print_log WHERE subject = ? AND document = ?"
    return int(db.execute(sql, (subject, document)).fetchone()[0])


def read(db: Any, print_id: bytes) -> Print:
    """Raises UnknownSubject."""
    row = db.execute("SELECT * FROM print_log WHERE id = ?", (print_id,)).fetchone()
    if row is None:
        raise UnknownSubject("没有这一次打印", "there is no such print")
    return from_row(row)


def from_row(row: Any) -> Print:
    """A print from its row of the log."""
    return Print(
        bytes(row["id"]), prints.DOCUMENTS[row["document"]], bytes(row["subject"]), row["copy"], row["number"],
        row["persons"], row["purpose"] or "", row["operator_no"], row["at"],
    )  # fmt: skip


def proof_of_case(db: Any, case_id: bytes, hub_url: str) -> Proof | None:
    """From the fact with which the case was taken; None for a draft."""
    fact = next((f for f in events.of_subject(db, case_id) if f.kind == "case_submitted"), None)
    return _proof(fact, str(fact.body["receipt_no"]), hub_url) if fact else None


def proof_of_print(db: Any, made_: Print, hub_url: str) -> Proof | None:
    """From the fact of the print itself."""
    row = db.execute("SELECT * FROM fact WHERE id = ?", (made_.id,)).fetchone()
    return _proof(events.from_row(row), made_.number, hub_url) if row and made_.number else None


def _proof(fact: events.Fact, number: str, hub_url: str) -> Proof:
    code = check_code(fact.hash)
    return Proof(number, code, check_address(hub_url, number, code))


def _next_number(db: Any, desk: Desk) -> str:
    start = f"{desk.station}-{desk.clock.today().year % 100:02d}-P"
    found = db.execute("SELECT number FROM print_log WHERE number LIKE ? || '%'", (start,))
    taken = [int(match[1]) for row in found if (match := re.search(r"-P(\d+)-", row["number"]))]
    return ids.with_check_digit(f"{start}{max(taken, default=0) + 1:05d}")
