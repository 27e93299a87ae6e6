# SPDX-License-Identifier: Apache-2.0
"""A decision as an officer fills it in: what it must contain, and where it waits until it is signed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.cases import HubCase
from schema import clock, database
from schema.case import FORWARDING
from schema.findings import Finding
from schema.readable import readable
from schema.service_parts import Material

AGREE, RETURN, REJECT = "agree", "return", "reject"
DECISIONS = (AGREE, RETURN, REJECT)
REASON_MAX_CHARS = 500
_NEEDED = {
    "forward": ("请写明转送的文号、经手人", "Write the number of the letter and who took it"),
    "outcome": ("请写明受转机构的结果和文号", "Write what the other body decided, and the number of its letter"),
}


@dataclass(frozen=True)
class Decision:
    """What an officer decided on a case. `missing`: ids of the papers that the applicant must still bring."""

    case_id: bytes
    officer: str
    decision: str
    reason: str
    missing: tuple[str, ...]
    decided_at: str
    sign_after: str

    @property
    def on(self) -> date:
        """The civil date of the decision: amounts are computed as of this day."""
        return clock.local(self.decided_at).date()


def keep(db: Any, made: Decision) -> None:
    """Store a decision as pending; the officer's own earlier one on the same case is replaced."""
    row = {
        "case_id": made.case_id,
        "officer": made.officer,
        "decision": made.decision,
        "reason": made.reason,
        "missing": json.dumps(made.missing),
        "decided_at": made.decided_at,
        "sign_after": made.sign_after,
    }
    database.upsert(db, "pending_decision", row)


def drop(db: Any, case_id: bytes, officer: str | None = None) -> bool:
    """Forget the pending decision on a case (of that officer, when one is named); whether there was one."""
    sql = "DELETE FROM pending_decision WHERE case_id = ? AND (? IS NULL OR officer = ?)"
    return bool(db.execute(sql, (case_id, officer, officer)).rowcount)


def pending_of(db: Any, officer: str) -> list[Decision]:
    """The officer's decisions not signed yet, oldest first."""
    rows = db.execute("SELECT * FROM pending_decision WHERE officer = ? ORDER BY decided_at", (officer,)).fetchall()
    return [_from_row(row) for row in rows]


def pending_on(db: Any, case_id: bytes) -> Decision | None:
    """The decision on that case that is not signed yet."""
    row = db.execute("SELECT * FROM pending_decision WHERE case_id = ?", (case_id,)).fetchone()
    return _from_row(row) if row else None


def check(case: HubCase, decision: str, reason: str, missing: Iterable[str]) -> list[Finding]:
    """What is wrong with a decision as filled in, all at once; `field` is decision, reason or missing."""
    found = []
    if decision not in DECISIONS:
        found.append(_finding("decision", "请选同意、退回或不予批准", "Choose agree, return or reject"))
    if decision == AGREE and case.step in FORWARDING and not readable(reason).strip():
        found.append(_finding("reason", *_NEEDED[str(case.step)]))
    if decision in (RETURN, REJECT) and not readable(reason).strip():
        found.append(
            _finding("reason", "请写明理由，会原样告知申请人", "Give the reason; the applicant is told word for word")
        )
    if len(reason) > REASON_MAX_CHARS:
        limit = REASON_MAX_CHARS
        found.append(_finding("reason", f"理由最多 {limit} 个字", f"The reason may have at most {limit} characters"))
    if not set(missing) <= {m.id for m in case.item.materials}:
        found.append(_finding("missing", "有不属于本事项的材料", "A paper that this item does not ask for"))
    if decision == RETURN:
        found += _untold(case, set(missing))
    return found


def absent_papers(case: HubCase) -> list[Material]:
    """The papers that these answers require and the case lacks."""
    return [m for m in case.item.materials_for(case.answers) if m.id not in case.materials]


def _untold(case: HubCase, told: set[str]) -> list[Finding]:
    """What is lacking must be told once and completely (工伤保险条例 §18): no second return for a paper left out."""
    names = [m.label for m in absent_papers(case) if m.id not in told]
    if not names:
        return []
    zh, en = "、".join(n["zh"] for n in names), ", ".join(n["en"] for n in names)
    return [
        _finding(
            "missing",
            f"还缺「{zh}」没有勾选，一次性告知要写全",
            f"Also missing, not ticked: {en}. Tell everything at once",
        )
    ]


def _finding(field: str, zh: str, en: str) -> Finding:
    return Finding(f"decision_{field}", "block", field, zh, en)


def _from_row(row: Any) -> Decision:
    return Decision(
        bytes(row["case_id"]),
        row["officer"],
        row["decision"],
        row["reason"] or "",
        tuple(json.loads(row["missing"] or "[]")),
        row["decided_at"],
        row["sign_after"],
    )
