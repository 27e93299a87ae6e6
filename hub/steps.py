# SPDX-License-Identifier: Apache-2.0
"""Who did which step of which case, and why somebody may not do the next one.

The database refuses the same hands twice on one case by itself (trigger `four_eyes`) and the hands of a relative
(`no_own_relatives`); this module says so beforehand, and puts the database's refusal into words.
Law: 社会保险经办条例 §37 (handling, review and approval by different people); 工伤保险条例 §20 (avoidance).
"""

from __future__ import annotations

from typing import Any

from schema import database, ids
from schema.case import STEPS
from schema.errors import NotAllowed

SUBMIT = "submit"
_DID = {
    SUBMIT: ("在窗口收过", "took in"),
    "accept": ("受理过", "accepted"),
    "forward": ("转送过", "forwarded"),
    "outcome": ("登记过结果", "recorded the outcome of"),
    "calculate": ("核算过", "calculated"),
    "review": ("复核过", "reviewed"),
    "approve": ("审批过", "approved"),
}


def obstacle(db: Any, case_id: bytes, step: str, operator_no: str) -> NotAllowed | None:
    """Why this officer may not do this step of this case, or None."""
    done = db.execute(
        "SELECT step FROM case_step WHERE case_id = ? AND officer = ? AND step <> ? LIMIT 1",
        (case_id, operator_no, step),
    ).fetchone()
    if done:
        return _four_eyes(done["step"], step)
    related = db.execute(
        "SELECT 1 FROM hub_case c JOIN relative r ON r.operator_no = ? LEFT JOIN person p ON p.id = r.person_id "
        "WHERE c.id = ? AND (r.person_id = c.person_id OR p.household_id = c.household_id)",
        (operator_no, case_id),
    ).fetchone()
    return _relative() if related else None


def record(
    db: Any,
    case_id: bytes,
    step: str,
    decision: str,
    *,
    round_no: int,
    officer: str,
    at: str,
    reason: str | None = None,
    fact_id: bytes | None = None,
) -> None:
    """Write down one step. Raises NotAllowed when the database refuses these hands."""
    row = {
        "id": ids.new_id(), "case_id": case_id, "round": round_no, "step": step, "decision": decision,
        "officer": officer, "at": at, "reason": reason, "fact_id": fact_id,
    }  # fmt: skip
    try:
        database.insert(db, "case_step", row)
    except database.IntegrityError as error:
        raise _in_words(db, str(error), case_id, step, officer) from error


def of_case(db: Any, case_id: bytes) -> list[Any]:
    """All steps of a case, oldest first, with the officer's name where the hub knows it."""
    return list(
        db.execute(
            "SELECT s.*, o.name FROM case_step s LEFT JOIN officer o ON o.operator_no = s.officer "
            "WHERE s.case_id = ? ORDER BY s.round, s.at, s.rowid",
            (case_id,),
        )
    )


def _in_words(db: Any, said: str, case_id: bytes, step: str, officer: str) -> Exception:
    if "four_eyes" in said:
        done = db.execute(
            "SELECT step FROM case_step WHERE case_id = ? AND officer = ? AND step <> ? LIMIT 1",
            (case_id, officer, step),
        ).fetchone()
        return _four_eyes(done["step"], step)
    if "relative" in said:
        return _relative()
    return database.IntegrityError(said)


def _four_eyes(done: str, wanted: str) -> NotAllowed:
    did_zh, did_en = _DID[done]
    if wanted == SUBMIT:
        return NotAllowed(
            f"您{did_zh}本案，不能再收件", f"You {did_en} this case and cannot submit it", code="four_eyes"
        )
    step = STEPS[wanted]
    return NotAllowed(
        f"您{did_zh}本案，不能再{step['zh']}。已留在队列里",
        f"You {did_en} this case and cannot {wanted} it. Left in the queue",
        code="four_eyes",
    )


def _relative() -> NotAllowed:
    return NotAllowed(
        "申请人是您的近亲属，本案由别人办理",
        "The applicant is your relative; another officer handles it",
        code="relative",
    )
