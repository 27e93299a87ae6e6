# SPDX-License-Identifier: Apache-2.0
"""Whose money it is: receipts matched to persons enrolled in the scheme, at once or later.

Only one person, found by 18 or 15 digits and enrolled (in whatever state), makes a match; a number that two persons
bear is nobody's until they are merged.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import ledger
from hub.settlement import hands, month
from hub.settlement.month import SCHEME
from schema import database
from schema.clock import Clock
from schema.database import Store
from schema.errors import UnknownSubject, WrongState

ROLE = "settle"


def enrolled(db: Any, numbers: list[str]) -> dict[str, bytes]:
    """The person for each of these 18-digit numbers, where exactly one enrolled person bears it."""
    written = {n: n for n in numbers} | {f"{n[:6]}{n[8:17]}": n for n in numbers if len(n) == 18 and n[6:8] == "19"}
    rows = db.execute(
        "SELECT DISTINCT p.id, p.id_number FROM person p JOIN enrolment e ON e.person_id = p.id AND e.insurance = ? "
        "WHERE p.id_number IN (SELECT value FROM json_each(?))",
        (SCHEME, json.dumps(list(written))),
    )
    found: dict[str, set[bytes]] = {}
    for person_id, id_number in rows:
        found.setdefault(written[id_number], set()).add(bytes(person_id))
    return {number: persons.pop() for number, persons in found.items() if len(persons) == 1}


def match_again(db: Any, clock: Clock) -> tuple[int, int]:
    """Try all suspense receipts anew in the caller's transaction; returns how many were matched, and their fen.

    Somebody may have been enrolled, or merged, since the money came.
    """
    waiting = db.execute(
        "SELECT no, id_number, amount_fen FROM receipt WHERE scheme = ? AND state = 'suspense'", (SCHEME,)
    )
    rows = waiting.fetchall()
    whose = enrolled(db, [row["id_number"] for row in rows])
    matched = [(row, whose[row["id_number"]]) for row in rows if row["id_number"] in whose]
    db.executemany(
        "UPDATE receipt SET state = 'matched', person_id = ? WHERE no = ?",
        [(person_id, row["no"]) for row, person_id in matched],
    )
    amount_fen = sum(row["amount_fen"] for row, _ in matched)
    if matched:
        booked_in = month.booking_month(clock.today(), month.open_month(db))
        ledger.post(db, SCHEME, booked_in, "suspense_matched", amount_fen, clock, memo=f"{len(matched)} receipts")
    return len(matched), amount_fen


def match_all(store: Store, officer: str, key: Ed25519PrivateKey, clock: Clock) -> tuple[int, int]:
    """`match_again` as an act of an officer. Raises NotAllowed."""
    with store.write() as db:
        hands.require(db, officer, ROLE, key, clock)
        count, amount_fen = match_again(db, clock)
        if count:
            body = {"receipts": count, "amount_fen": amount_fen}
            booked_in = month.booking_month(clock.today(), month.open_month(db))
            hands.sign(db, "receipts_matched", booked_in, body, officer, key, clock)
        return count, amount_fen


def match_one(
    store: Store, receipt_no: str, person_id: bytes, officer: str, key: Ed25519PrivateKey, clock: Clock
) -> None:
    """Give one suspense receipt to a person, because somebody asked the payer.

    Raises UnknownSubject, WrongState (matched before, or the person is not enrolled), NotAllowed.
    """
    with store.write() as db:
        hands.require(db, officer, ROLE, key, clock)
        row = db.execute("SELECT * FROM receipt WHERE scheme = ? AND no = ?", (SCHEME, receipt_no)).fetchone()
        if row is None:
            raise UnknownSubject("没有这张票据", "there is no such receipt")
        if row["state"] != "suspense":
            raise WrongState("这张票据已认领", "the receipt is matched already", code="matched")
        is_enrolled = db.execute(
            "SELECT 1 FROM enrolment WHERE person_id = ? AND insurance = ?", (person_id, SCHEME)
        ).fetchone()
        if not is_enrolled:
            raise WrongState(
                "此人没有参加城乡居民养老保险",
                "this person is not enrolled in the resident pension",
                code="not_enrolled",
            )
        database.update(db, "receipt", {"no": receipt_no}, {"state": "matched", "person_id": person_id})
        booked_in = month.booking_month(clock.today(), month.open_month(db))
        memo = f"{receipt_no} {officer}"
        ledger.post(db, SCHEME, booked_in, "suspense_matched", row["amount_fen"], clock, memo=memo)
        body = {"receipts": 1, "amount_fen": row["amount_fen"], "no": receipt_no, "person_id": person_id}
        hands.sign(db, "receipts_matched", booked_in, body, officer, key, clock)
