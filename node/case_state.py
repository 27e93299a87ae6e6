# SPDX-License-Identifier: Apache-2.0
"""What state a case is shown in, and how far it is on its way: the hub's word, and our own later acts over it."""

from __future__ import annotations

from typing import Any

from schema import case, database

_BEFORE_APPROVAL = tuple(state for state in case.UNDER_WAY if state != "approved")
UNDECIDED = (*_BEFORE_APPROVAL, "returned")
TAKEN = (*UNDECIDED, "approved", "effective", "paid", "rejected", "withdrawn", "reversed")
STATES_OF_LISTS = {
    "open": case.UNDER_WAY,
    "returned": ("returned",),
    "draft": ("draft",),
    "done": ("effective", "paid"),
    "ended": ("rejected", "withdrawn", "reversed"),
}

# The hub's row says where a case stands. Two acts of ours are ahead of it until the hub answers: a correction of a
# returned case, and a withdrawal.
_UNDECIDED = ", ".join(f"'{state}'" for state in UNDECIDED)
SHOWN = f"""CASE
    WHEN s.state IS NULL THEN c.state
    WHEN c.state = 'withdrawn' AND s.state IN ({_UNDECIDED})
        THEN 'withdrawn'
    WHEN s.state = 'returned' AND c.state = 'submitted' AND f.kind = 'case_resubmitted' THEN 'submitted'
    ELSE s.state END"""

# The newest own fact of the case decides: refused, signed for by the hub, sent, or not yet.
SENT = """CASE
    WHEN c.fact_id IS NULL THEN NULL
    WHEN EXISTS (SELECT 1 FROM refusal r WHERE r.direction = 'out' AND r.item = lower(hex(c.fact_id))) THEN 'returned'
    WHEN EXISTS (SELECT 1 FROM reoffer q WHERE q.fact_id = f.id AND q.frame_n IS NOT NULL) THEN 'sent'
    WHEN EXISTS (SELECT 1 FROM reoffer q WHERE q.fact_id = f.id) THEN 'unsent'
    WHEN f.received_at IS NOT NULL THEN 'acknowledged'
    WHEN f.epoch <> (SELECT value FROM setting WHERE name = 'epoch') THEN 'unsent'
    WHEN EXISTS (SELECT 1 FROM outbox_frame o WHERE o.channel = 'evt' AND o.acked_at IS NOT NULL AND o.upto >= f.seq)
        THEN 'acknowledged'
    WHEN EXISTS (SELECT 1 FROM outbox_frame o WHERE o.channel = 'evt' AND o.sent_at IS NOT NULL AND o.upto >= f.seq)
        THEN 'sent'
    ELSE 'unsent' END"""

JOINS = "case_file c LEFT JOIN case_state s ON s.case_id = c.id LEFT JOIN fact f ON f.id = c.fact_id"

_COLUMNS = (
    "c.id, c.receipt_no, c.person_id, c.unit_id, c.household_id, c.person_name, c.service, c.legal, c.operator_no, "
    "c.created_at, c.submitted_at, s.due_on, s.received_at, s.decided_at, s.reason, s.result"
)


def shown(db: Any, row: Any) -> str:
    """The state of one case as everybody at this station should see it."""
    return str(db.execute(f"SELECT {SHOWN} FROM {JOINS} WHERE c.id = ?", (row["id"],)).fetchone()[0])


def one(db: Any, case_id: bytes) -> Any:
    """The list row of one case, or None."""
    sql = f"SELECT {_COLUMNS}, {SHOWN} AS state, {SENT} AS sent FROM {JOINS} WHERE c.id = ?"
    return db.execute(sql, (case_id,)).fetchone()


def listing(
    db: Any,
    *,
    states: tuple[str, ...] = (),
    operator_no: str = "",
    since: str = "",
    until: str = "~",
    sent: tuple[str, ...] = (),
    person_id: bytes | None = None,
    unit_id: bytes | None = None,
    household_id: bytes | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Any], int]:
    """Cases taken here, newest first, with how many fit in all. `since`, `until` bound the time of taking."""
    taken_at = "coalesce(c.submitted_at, c.created_at) AS at"
    inner = f"SELECT {_COLUMNS}, {SHOWN} AS state, {SENT} AS sent, {taken_at} FROM {JOINS}"
    where, values = ["at >= ?", "at < ?"], [since, until]
    for column, wanted in (("state", states), ("sent", sent)):
        if wanted:
            where.append(f"{column} IN ({','.join('?' * len(wanted))})")
            values += wanted
    if operator_no:
        where.append("operator_no = ?")
        values.append(operator_no)
    for column, subject in (("person_id", person_id), ("unit_id", unit_id), ("household_id", household_id)):
        if subject is not None:
            where.append(f"{column} = ?")
            values.append(subject)  # type: ignore[arg-type]
    sql = f"FROM ({inner}) WHERE {' AND '.join(where)}"
    total = db.execute(f"SELECT count(*) {sql}", values).fetchone()[0]
    rows = db.execute(f"SELECT * {sql} ORDER BY at DESC, id LIMIT ? OFFSET ?", (*values, limit, offset)).fetchall()
    return list(rows), int(total)


def follow(db: Any) -> int:
    """Bring our own note of each case to the state shown, after an exchange; returns how many moved.

    Checks at the counter ask for a person's open cases here, and a paid one must not stand in the way of a new one.
    """
    sql = f"SELECT c.id, {SHOWN} AS state FROM {JOINS} WHERE s.state IS NOT NULL AND c.state <> {SHOWN}"
    moved = db.execute(sql).fetchall()
    for row in moved:
        database.update(db, "case_file", {"id": row["id"]}, {"state": row["state"]})
    return len(moved)


def drafts(db: Any, operator_no: str) -> int:
    """How many drafts an officer has; they are nobody else's business."""
    sql = "SELECT count(*) FROM case_file WHERE state = 'draft' AND operator_no = ?"
    return int(db.execute(sql, (operator_no,)).fetchone()[0])


def counts(db: Any) -> dict[str, int]:
    """How many cases stand in each state."""
    rows = db.execute(f"SELECT state, count(*) FROM (SELECT {SHOWN} AS state FROM {JOINS}) GROUP BY state")
    return {row[0]: row[1] for row in rows}
