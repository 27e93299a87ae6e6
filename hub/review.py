# SPDX-License-Identifier: Apache-2.0
"""Decisions on cases: agree, return for correction, reject; each by other hands, each signed.

A decision is first pending and can be taken back for `undo_s` seconds; it is signed when that time is over, when its
officer goes on to the next case, or when the status bar asks. A crash leaves it pending. Signing is one transaction:
fact, step, case, register, and what the station is told. Before that, nothing of it has happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import calculation, cases, confidential, decision, officers, registry, steps
from hub.cases import HubCase
from hub.decision import AGREE, REJECT, RETURN, Decision
from schema import case as case_states
from schema import database, events
from schema.clock import Clock, stamp
from schema.effects import Change
from schema.errors import NotAllowed, Refusal, WrongState
from schema.readable import readable
from sync.hub import publish
from sync.hub.publish import Publication

_AGREED = {
    "accept": "case_accepted",
    "forward": "case_forwarded",
    "outcome": "case_answered",
    "calculate": "case_calculated",
    "review": "case_reviewed",
    "approve": "case_approved",
}
_TURNED = {RETURN: ("case_returned", "returned"), REJECT: ("case_rejected", "rejected")}


@dataclass(frozen=True)
class Signed:
    """What became of a pending decision: `refused` says why it could not be signed any more."""

    decision: Decision
    refused: Refusal | None = None


@dataclass(frozen=True)
class _Outcome:
    """The fact to state, the case after it, and what the register becomes when this was the last step."""

    kind: str
    body: dict[str, Any]
    case: HubCase
    changes: list[Change] | None = None


def decide(
    store: database.Store,
    case_id: bytes,
    officer: str,
    key: Ed25519PrivateKey,
    word: str,
    reason: str,
    clock: Clock,
    *,
    missing: Iterable[str] = (),
    undo_s: int = 0,
) -> Decision:
    """Decide a case: `word` is agree, return or reject; signed at once when `undo_s` is 0.

    Raises Refusal (NotAllowed, WrongState); then nothing is written.
    """
    now = clock.now()
    later = now + timedelta(seconds=undo_s)
    made = Decision(case_id, officer, word, readable(reason).strip(), tuple(missing), stamp(now), stamp(later))
    if undo_s == 0:
        with publish.transaction(store, clock=clock) as pub:
            _sign(pub, made, key, clock)
        return made
    with store.write() as db:
        _require(db, cases.load(db, case_id), made)
        decision.keep(db, made)
    return made


def take_back(store: database.Store, case_id: bytes, officer: str) -> None:
    """Undo a decision that is not signed yet. Raises WrongState when it is too late or somebody else's."""
    with store.write() as db:
        gone = decision.drop(db, case_id, officer)
    if not gone:
        raise WrongState("已经签发，不能撤回，只能冲正", "Already signed: it can only be reversed", code="signed")


def sign_pending(
    store: database.Store,
    officer: str,
    key: Ed25519PrivateKey,
    clock: Clock,
    *,
    all_of_them: bool = False,
    but_not: bytes | None = None,
) -> list[Signed]:
    """Sign the officer's decisions whose time is over, or all of them except the one on the case still looked at.

    One that cannot be signed any more (its case was withdrawn, its figures changed) is dropped and reported.
    """
    now = stamp(clock.now())
    with store.read() as db:
        waiting = decision.pending_of(db, officer)
    due = [d for d in waiting if d.sign_after <= now or (all_of_them and d.case_id != but_not)]
    return [_sign_one(store, made, key, clock) for made in due]


def _sign_one(store: database.Store, made: Decision, key: Ed25519PrivateKey, clock: Clock) -> Signed:
    try:
        with publish.transaction(store, clock=clock) as pub:
            # Two pages of one officer may ask at once, or the officer took it back: then there is nothing to sign.
            if decision.drop(pub.db, made.case_id, made.officer):
                _sign(pub, made, key, clock)
    except Refusal as refusal:
        with store.write() as db:
            decision.drop(db, made.case_id, made.officer)
        return Signed(made, refusal)
    return Signed(made)


def _sign(pub: Publication, made: Decision, key: Ed25519PrivateKey, clock: Clock) -> None:
    before = cases.load(pub.db, made.case_id)
    _require(pub.db, before, made)
    _require_own_key(pub.db, made.officer, key)
    now = stamp(clock.now())
    outcome = _agreed(pub.db, before, made) if made.decision == AGREE else _turned_down(before, made, now)
    said = {"reason": made.reason} if made.reason else {}
    fact = events.state(
        pub.db,
        outcome.kind,
        before.id,
        {"case_id": before.id} | said | outcome.body,
        officer=made.officer,
        key=key,
        clock=clock,
        received_at=now,
    )
    _record(pub.db, before, made, fact.id, now)
    if outcome.changes is None:
        cases.save(pub, outcome.case, decided_at=None if made.decision == AGREE else now, missing=made.missing)
    else:
        registry.put_into_effect(pub, outcome.case, outcome.changes, at=now)
    pub.fact(fact, before.station)


def _agreed(db: Any, case: HubCase, made: Decision) -> _Outcome:
    step = str(case.step)
    body: dict[str, Any] = {}
    after = replace(case, state=case_states.state_after(step), step=_following(case), reason=None)
    if step == "accept":
        body["due_on"] = case.due_on
    if step in case_states.FORWARDING:
        after = replace(after, outcome=_outcome(case, made))
        body["outcome"] = after.outcome
    if step == "calculate":
        after = replace(after, calculation=calculation.calculate(db, case, made.on))
        body["calculation"] = after.calculation
    if after.step is not None:
        return _Outcome(_AGREED[step], body, after)
    changes = calculation.final_changes(db, after, made.on)
    return _Outcome(_AGREED[step], body | {"changes": registry.plain(changes)}, after, changes)


def _outcome(case: HubCase, made: Decision) -> dict[str, Any]:
    """What the other body was asked and answered, as the officers who sent and received it wrote it down."""
    if case.step == "forward":
        return {"to": case.item.forward_to, "sent_on": made.on.isoformat(), "letter": made.reason}
    return (case.outcome or {}) | {"answered_on": made.on.isoformat(), "answer": made.reason}


def _turned_down(case: HubCase, made: Decision, now: str) -> _Outcome:
    kind, state = _TURNED[made.decision]
    body = {"step": case.step, "missing": list(made.missing)}
    closed_at = now if made.decision == REJECT else None
    return _Outcome(kind, body, replace(case, state=state, step=None, reason=made.reason, closed_at=closed_at))


def _following(case: HubCase) -> str | None:
    done = case.steps[: case.steps.index(str(case.step)) + 1]
    return case_states.next_step(case.steps, done)


def _record(db: Any, case: HubCase, made: Decision, fact_id: bytes, at: str) -> None:
    steps.record(
        db,
        case.id,
        str(case.step),
        made.decision,
        round_no=case.round,
        officer=made.officer,
        at=at,
        reason=made.reason or None,
        fact_id=fact_id,
    )


def why_not(db: Any, case: HubCase, officer: str, on: date) -> Refusal | None:
    """Why this officer may not decide this case now, or None: asked by the page, and again when it is signed."""
    if case.step is None:
        state = case_states.STATES[case.state]
        return WrongState(
            f"本案「{state['zh']}」，没有要办的步骤", f"The case is {state['en'].lower()}: no step is open"
        )
    try:
        officers.require(db, officer, case_states.STEPS[case.step]["role"], on)
        if case.item.confidential:
            officers.require(db, officer, confidential.LABOUR, on)
    except NotAllowed as refusal:
        return refusal
    other = decision.pending_on(db, case.id)
    if other and other.officer != officer:
        return WrongState(
            f"工号 {other.officer} 刚作了决定，等待签发", f"Officer {other.officer} has just decided this case"
        )
    return steps.obstacle(db, case.id, case.step, officer)


def _require(db: Any, case: HubCase, made: Decision) -> None:
    """Everything that must hold before a decision may be made, and again when it is signed."""
    hindrance = why_not(db, case, made.officer, made.on)
    if hindrance:
        raise hindrance
    wrong = decision.check(case, made.decision, made.reason, made.missing)
    if wrong:
        raise Refusal(wrong[0].zh, wrong[0].en, code=wrong[0].code)
    if made.decision == AGREE:
        calculation.final_changes(db, case, made.on)


def _require_own_key(db: Any, officer: str, key: Ed25519PrivateKey) -> None:
    row = db.execute("SELECT public_key FROM officer WHERE operator_no = ?", (officer,)).fetchone()
    if key.public_key().public_bytes_raw() != bytes(row["public_key"]):
        raise NotAllowed("签名钥匙已换，请重新登录", "Your signing key was replaced: log in again", code="key")
