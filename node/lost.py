# SPDX-License-Identifier: Apache-2.0
"""Edits of this station that did not stand: beaten by another one, refused by the hub, or made after the person had
moved away. Each with what was typed and what stands instead, until somebody here has looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schema import database
from schema.clock import Clock, stamp
from sync.wire import codec

BEATEN, ERASED, REFUSED, MOVED = "beaten", "erased", "refused", "moved"
LIMIT = 100

_BEATEN = (
    "SELECT k.*, p.name, s.name AS station, l.seen_at FROM conflict k "
    "LEFT JOIN person p ON p.id = k.row_id LEFT JOIN station s ON s.id = k.kept_by "
    "LEFT JOIN lost_seen l ON l.conflict_id = k.id WHERE k.lost_by = ?"
)
_REFUSED = (
    "SELECT r.*, p.name, p.id AS person_id FROM refusal r "
    "LEFT JOIN person p ON p.id = unhex(substr(r.item, instr(r.item, '/') + 1)) "
    "WHERE r.direction = 'out' AND r.channel = 'reg'"
)
# A row that the hub erased is listed as what beat it; its refusal would say the same a second time.
_ONCE = (
    "AND NOT (r.code = 'tombstone' AND EXISTS (SELECT 1 FROM conflict k WHERE k.kind = 'row' "
    "AND k.tbl || '/' || lower(hex(k.row_id)) = r.item))"
)


@dataclass(frozen=True)
class Lost:
    """One edit, or the edits of one row refused together. `values`: (column, what was typed, what stands instead).

    `by`: whose value stands ('' unknown); `reason`: the code of a refusal; `decision`: what the hub's reviewer said of
    an edit made after the move (waiting, accepted, refused).
    """

    id: bytes
    what: str
    at: str
    person_id: bytes | None
    name: str
    values: tuple[tuple[str, str | None, str | None], ...]
    by: str = ""
    reason: str = ""
    decision: str = ""
    officer: str = ""
    typed_at: str | None = None
    seen_at: str | None = None


def listing(db: Any, own: str) -> list[Lost]:
    """What nobody has looked at first, then newest first."""
    beaten = db.execute(f"{_BEATEN} ORDER BY k.found_at DESC LIMIT {LIMIT}", (own,)).fetchall()
    refused = db.execute(f"{_REFUSED} {_ONCE} ORDER BY r.at DESC LIMIT {LIMIT}").fetchall()
    found = [*map(_beaten, beaten), *(_refused(db, row) for row in refused)]
    found.sort(key=lambda one: one.at, reverse=True)
    return sorted(found, key=lambda one: one.seen_at is not None)


def count(db: Any, own: str) -> int:
    """How many nobody has looked at."""
    beaten = db.execute(f"SELECT count(*) FROM ({_BEATEN} AND l.seen_at IS NULL)", (own,)).fetchone()[0]
    refused = db.execute(f"SELECT count(*) FROM ({_REFUSED} AND r.handled_at IS NULL {_ONCE})").fetchone()[0]
    return int(beaten + refused)


def typed(db: Any, own: str, lost_id: bytes) -> dict[str, str]:
    """What was typed, by column: to put it into the form again. {} for an edit that is not listed."""
    return next(({c: v or "" for c, v, _ in one.values} for one in listing(db, own) if one.id == lost_id), {})


def seen(db: Any, own: str, lost_id: bytes, operator_no: str, clock: Clock) -> bool:
    """Somebody has looked and done what was needed. False when there is no such edit."""
    one = next((one for one in listing(db, own) if one.id == lost_id), None)
    if one is None:
        return False
    if one.seen_at is None and one.what in (BEATEN, ERASED):
        database.insert(
            db, "lost_seen", {"conflict_id": lost_id, "operator_no": operator_no, "seen_at": stamp(clock.now())}
        )
    elif one.seen_at is None:
        database.update(db, "refusal", {"id": lost_id}, {"handled_at": stamp(clock.now())})
    return True


def _beaten(row: Any) -> Lost:
    # Found here and not yet confirmed, the winner is known by its author id alone.
    by = row["station"] or ("" if row["rev"] <= 0 else row["kept_by"])
    return Lost(
        bytes(row["id"]), ERASED if row["kind"] == "row" else BEATEN, row["found_at"], bytes(row["row_id"]),
        row["name"] or "", ((row["col"], row["lost"], row["kept"]),), by=by,
        officer=row["lost_officer"] or "", typed_at=row["lost_at"], seen_at=row["seen_at"],
    )  # fmt: skip


def _refused(db: Any, row: Any) -> Lost:
    table, _, hexed = row["item"].partition("/")
    stated = codec.load(bytes(row["content"])) if row["content"] else {}
    late = row["code"] == "left_slice"
    decision = db.execute(
        "SELECT state FROM late_edit WHERE tbl = ? AND row_id = unhex(?) ORDER BY received_at DESC LIMIT 1",
        (table, hexed),
    ).fetchone() if late else None  # fmt: skip
    return Lost(
        bytes(row["id"]), MOVED if late else REFUSED, row["at"], bytes(row["person_id"]) if row["person_id"] else None,
        row["name"] or "", tuple((column, value, None) for column, value in stated.items()), reason=row["code"],
        decision=decision["state"] if decision else "", seen_at=row["handled_at"],
    )  # fmt: skip
