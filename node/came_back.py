# SPDX-License-Identifier: Apache-2.0
"""What this station once did and its database does not remember: the hub sends its own facts back after a restore.

The fact itself is stored already, by whoever brought it; here the clerk's list is made complete again. Where a draft of
the copy became a case in the life that was lost, the case is what the hub has.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from schema import database, prints, subject
from schema.events import Fact


def is_own(db: Any, fact: Fact) -> bool:
    """Whether a pulled fact is one of this station."""
    return fact.origin.encode() == database.setting(db, "node_id")


def take(db: Any, fact: Fact) -> None:
    """Put the case file where this fact left it. Facts about no case concern nobody here."""
    handler = _HANDLERS.get(fact.kind)
    if handler:
        handler(db, fact)


def _submitted(db: Any, fact: Fact) -> None:
    body = fact.body
    row = {
        "id": fact.subject,
        "service": body["service"],
        "service_version": body["service_version"],
        "pack": body["pack"],
        **subject.of_row(body).row,
        "person_name": body["person_name"],
        "state": "submitted",
        "legal": body["legal"],
        "receipt_no": body["receipt_no"],
        "operator_no": fact.officer,
        "submitted_at": fact.stated_at,
        "answers": _json(body["answers"]),
        "materials": _json(body["materials"]),
        "findings": _json(body["findings"]),
        "fact_id": fact.id,
    }
    if not database.update(db, "case_file", {"id": fact.subject}, row):
        database.insert(db, "case_file", row | {"created_at": fact.stated_at})
    prints.log_first_slip(db, fact)


def _resubmitted(db: Any, fact: Fact) -> None:
    changes = {
        "state": "submitted",
        "answers": _json(fact.body["answers"]),
        "materials": _json(fact.body["materials"]),
        "findings": _json(fact.body["findings"]),
        "fact_id": fact.id,
    }
    database.update(db, "case_file", {"id": fact.subject}, changes)


def _withdrawn(db: Any, fact: Fact) -> None:
    database.update(db, "case_file", {"id": fact.subject}, {"state": "withdrawn", "fact_id": fact.id})


def _printed(db: Any, fact: Fact) -> None:
    database.upsert(db, "print_log", prints.row(fact))


_HANDLERS: dict[str, Callable[[Any, Fact], None]] = {
    "case_submitted": _submitted,
    "case_resubmitted": _resubmitted,
    "case_withdrawn": _withdrawn,
    prints.KIND: _printed,
}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
