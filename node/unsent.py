# SPDX-License-Identifier: Apache-2.0
"""What the hub has not signed for, as people count it: facts, and contact cells somebody changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node import contacts
from schema import database
from sync.station import journal, outbox

# Of this life without receipt; of former ones, queued to be offered once more.
_OWN = (
    "((origin = ? AND epoch = ? AND seq > ? AND received_at IS NULL) OR id IN (SELECT fact_id FROM reoffer))"
)


@dataclass(frozen=True)
class Item:
    """One thing on its way. `what`: the kind of fact, or the name of the cell; `state`: unsent or sent."""

    what: str
    at: str | None
    officer: str | None
    state: str
    name: str | None
    receipt_no: str | None = None
    case_id: bytes | None = None
    person_id: bytes | None = None
    value: str | None = None


def count(db: Any) -> int:
    """How many."""
    facts = db.execute(f"SELECT count(*) FROM fact WHERE {_OWN}", _after(db)).fetchone()[0]
    return int(facts) + len(contacts.unsent(db)) + journal.count(db)


def oldest_at(db: Any) -> str | None:
    """Since when the oldest waits; None when nothing does."""
    first = db.execute(f"SELECT min(stated_at) FROM fact WHERE {_OWN}", _after(db)).fetchone()[0]
    known = [edit["changed_at"] for edit in (*contacts.unsent(db), *contacts.kept(db)) if edit["changed_at"]]
    return min([at for at in (first, *known) if at], default=None)


def items(db: Any, limit: int = 200) -> list[Item]:
    """Oldest first: facts in the order they were stated, then contact cells."""
    sent = db.execute(
        "SELECT coalesce(max(upto), 0) FROM outbox_frame WHERE channel = 'evt' AND sent_at IS NOT NULL"
    ).fetchone()[0]
    epoch = database.setting(db, "epoch")
    facts = db.execute(
        "SELECT f.*, c.receipt_no, c.person_name FROM fact f LEFT JOIN case_file c ON c.id = f.subject "
        f"WHERE f.id IN (SELECT id FROM fact WHERE {_OWN}) ORDER BY f.stated_at, f.seq LIMIT ?",
        (*_after(db), limit),
    )
    out = [
        Item(
            what=row["kind"],
            at=row["stated_at"],
            officer=row["officer"],
            state="sent" if row["seq"] <= sent and row["epoch"] == epoch else "unsent",
            name=row["person_name"],
            receipt_no=row["receipt_no"],
            case_id=bytes(row["subject"]) if row["receipt_no"] else None,
        )
        for row in facts
    ]
    for edit in (*contacts.unsent(db, limit), *contacts.kept(db)):
        out.append(
            Item(
                what=edit["column"],
                at=edit["changed_at"],
                officer=edit["operator_no"],
                state="unsent",
                name=edit["name"],
                person_id=edit["person_id"],
                value=edit["value"],
            )
        )
    return out


def _after(db: Any) -> tuple[str, bytes, int]:
    """This database's own facts behind the last one that the hub signed for."""
    origin = (database.setting(db, "node_id") or b"").decode()
    return origin, database.setting(db, "epoch") or bytes(16), outbox.acked(db, "evt")
