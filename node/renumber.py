# SPDX-License-Identifier: Apache-2.0
"""A receipt number that the hub has on another case: the case is submitted once more, with a new number.

It happens when a database comes back from a copy and goes on printing serials that were printed before. The first slip
with that number stands; the applicant of this case gets a corrected one.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import receipts
from node.cases import Desk, file
from schema import database, events
from schema.clock import stamp
from schema.errors import WrongState
from schema.web.door import Officer

TWICE = "receipt_twice"


def refused(db: Any, case: Any) -> Any:
    """The open refusal that says the case's number is on another one, or None."""
    return db.execute(
        "SELECT r.* FROM refusal r JOIN case_file c ON r.item = lower(hex(c.fact_id)) "
        "WHERE c.id = ? AND r.direction = 'out' AND r.code = ? AND r.handled_at IS NULL",
        (case["id"], TWICE),
    ).fetchone()


def submit_again(desk: Desk, case_id: bytes, officer: Officer, key: Ed25519PrivateKey) -> str:
    """The new number. Raises WrongState when the number was not refused, OutOfNumbers, UnknownSubject."""
    with desk.store.write() as db:
        case = file(db, case_id)
        refusal = refused(db, case)
        if refusal is None:
            raise WrongState("这一件的回执号没有问题，不用换号", "this case's receipt number is in order")
        before = events.from_row(db.execute("SELECT * FROM fact WHERE id = ?", (case["fact_id"],)).fetchone())
        number = receipts.take(db, desk.station, desk.clock.today().year)
        fact = events.state(
            db, "case_submitted", case_id, before.body | {"receipt_no": number}, officer=officer.operator_no, key=key,
            clock=desk.clock,
        )  # fmt: skip
        database.update(db, "case_file", {"id": case_id}, {"receipt_no": number, "fact_id": fact.id})
        database.update(db, "refusal", {"id": refusal["id"]}, {"handled_at": stamp(desk.clock.now())})
        return number
