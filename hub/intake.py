# SPDX-License-Identifier: Apache-2.0
"""Facts from stations become cases at the hub.

Called once per fact, inside the transaction and savepoint in which the frame is taken in: a Refusal leaves nothing of
this fact behind, is kept with its reason on both sides, and the rest of the frame goes on. Nothing is believed but who
signed: mode, findings and legal state are found out anew with the hub's own register, and the legal limit runs from
the hub's receive time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hub import bodies, cases, pack, prints, receipt_blocks, registry, steps, survival, whom
from hub.cases import HubCase
from schema import case as case_states
from schema import ids
from schema.errors import NotAllowed, Refusal, WrongState
from schema.events import Fact
from schema.findings import Finding
from sync.hub.publish import Publication

ON_THE_SPOT = "S"


def intake(pub: Publication, fact: Fact) -> None:
    """Take in one verified fact of a station. Raises Refusal (or a subclass) with the reason."""
    handler = _HANDLERS.get(fact.kind)
    if handler is None:
        raise Refusal(
            f"中心不收这种事件：{fact.kind}", f"the hub takes no such fact from stations: {fact.kind}", code="kind"
        )
    _require_clerk(pub.db, fact)
    handler(pub, fact, bodies.read(fact))


def _submitted(pub: Publication, fact: Fact, body: dict[str, Any]) -> None:
    _refuse_duplicate(pub.db, fact, body["receipt_no"])
    _require_leased(pub.db, fact.origin, body["receipt_no"])
    about, notes = whom.taken(pub, fact.origin, body)
    case = HubCase(
        id=fact.subject,
        service=body["service"],
        service_version=body["service_version"],
        pack=body["pack"],
        station=fact.origin,
        township=body["township"],
        about=about,
        person_name=body["person_name"],
        receipt_no=body["receipt_no"],
        state="submitted",
        step=None,
        round=1,
        submitted_by=fact.officer,
        stated_at=fact.stated_at,
        received_at=_received_at(fact),
        due_on=None,
        answers=body["answers"],
        materials=body["materials"],
        scans=body.get("scans"),
        findings=notes,
    )
    registry.place_rows(pub, case)
    _begin(pub, case, fact, "submit")
    receipt_blocks.top_up(pub, fact.origin, case.received_on)


def _resubmitted(pub: Publication, fact: Fact, body: dict[str, Any]) -> None:
    case = _own_case(pub.db, fact)
    if case.state != "returned":
        raise _wrong_state(case, "重新提交", "resubmitted")
    kept = [f for f in case.findings if f.code in _NOTES]
    corrected = replace(
        case,
        state="submitted",
        round=case.round + 1,
        stated_at=fact.stated_at,
        received_at=_received_at(fact),
        answers=body["answers"],
        materials=body["materials"],
        scans=body.get("scans"),
        findings=kept,
        calculation=None,
        outcome=None,
        reason=None,
    )
    _begin(pub, corrected, fact, "resubmit")


def _begin(pub: Publication, case: HubCase, fact: Fact, decision: str) -> None:
    """Examine with the hub's data, then put the case before its first step, or into effect when it needs none."""
    examined = cases.examine(pub.db, case)
    notes = [*case.findings, *_pack_note(case), *examined.findings]
    on_the_spot = _on_the_spot(case) and all(f.severity == "hint" for f in notes)
    case = replace(
        case,
        findings=notes,
        step=None if on_the_spot else case.steps[0],
        due_on=_due_on(case),
    )
    cases.save(pub, case)
    steps.record(
        pub.db,
        case.id,
        steps.SUBMIT,
        decision,
        round_no=case.round,
        officer=fact.officer,
        at=fact.stated_at,
        fact_id=fact.id,
    )
    if on_the_spot:
        changes = registry.changes_of(pub.db, case, case.received_on)
        registry.put_into_effect(pub, case, changes, at=_received_at(fact))


def _due_on(case: HubCase) -> str | None:
    """The last day of the legal limit; None where the law sets none: such a case must not look overdue tomorrow."""
    last = case.item.last_day(case.received_on)
    return last.isoformat() if last else None


def _on_the_spot(case: HubCase) -> bool:
    """Today's rules must agree: an older pack is no way around a review that was introduced since."""
    items = (case.item, pack.services().get(case.service, case.item))
    return all(item.mode_for(case.answers) == ON_THE_SPOT for item in items)


def _withdrawn(pub: Publication, fact: Fact, body: dict[str, Any]) -> None:
    case = _own_case(pub.db, fact)
    if not case_states.may_move(case.state, "withdrawn"):
        raise _wrong_state(case, "撤回", "withdrawn")
    # A decision that was not signed yet has not happened: the applicant was first.
    pub.db.execute("DELETE FROM pending_decision WHERE case_id = ?", (case.id,))
    steps.record(
        pub.db, case.id, steps.SUBMIT, "withdraw", round_no=case.round, officer=fact.officer, at=fact.stated_at,
        reason=body["reason"], fact_id=fact.id,
    )  # fmt: skip
    cases.save(pub, replace(case, state="withdrawn", step=None, reason=body["reason"], closed_at=_received_at(fact)))


def _key_changed(pub: Publication, fact: Fact, body: dict[str, Any]) -> None:
    if body["operator_no"] != fact.officer:
        raise NotAllowed("只能换自己的密码", "an officer changes only the own password")
    pub.put("officer", {"operator_no": fact.officer, "wrapped_key": body["wrapped_key"], "must_change": 0})


def _checked(pub: Publication, fact: Fact, body: dict[str, Any]) -> None:
    whom.require_person(pub, fact.origin, body["person_id"])
    survival.take(pub, fact, body)


_HANDLERS: dict[str, Callable[[Publication, Fact, dict[str, Any]], None]] = {
    "case_submitted": _submitted,
    "case_resubmitted": _resubmitted,
    "case_withdrawn": _withdrawn,
    "officer_key_changed": _key_changed,
    "document_printed": prints.take,
    "eligibility_checked": _checked,
}

_NOTES = (whom.EXISTS_ELSEWHERE,)


def _pack_note(case: HubCase) -> list[Finding]:
    if case.pack == pack.pack_hash():
        return []
    if pack.knows(case.pack):
        zh = "站点当时用的是较早的规则包：表单、检查按当时的，金额和年限按现在的参数"
        en = "Taken under an older rule pack: its form and checks apply, amounts and ages are today's parameters"
    else:
        zh = "站点用的规则包中心没有，已按中心的规则重新检查"
        en = "The hub does not have the rule pack the station used; checked again with the hub's rules"
    return [Finding("pack", "hint", "", zh, en)]


def _received_at(fact: Fact) -> str:
    if fact.received_at is None:
        raise Refusal("事件没有中心收到时间", "the fact has no receive time", code="received_at")
    return fact.received_at


def _require_clerk(db: Any, fact: Fact) -> None:
    row = db.execute("SELECT roles FROM officer WHERE operator_no = ?", (fact.officer,)).fetchone()
    if row is None or "clerk" not in row["roles"].split():
        raise NotAllowed("经办人没有窗口岗位", "the officer has no counter post", code="role")


def _refuse_duplicate(db: Any, fact: Fact, receipt_no: str) -> None:
    if db.execute("SELECT 1 FROM hub_case WHERE id = ?", (fact.subject,)).fetchone():
        zh, en = f"这个案件已经收过：{receipt_no}", f"this case was taken in before: {receipt_no}"
        raise Refusal(zh, en, code="duplicate")
    if db.execute("SELECT 1 FROM hub_case WHERE receipt_no = ?", (receipt_no,)).fetchone():
        raise Refusal(
            f"回执号 {receipt_no} 已用在另一件上（电脑恢复过？）。请打开这一件点「换号重新提交」，再给申请人换发回执",
            f"number {receipt_no} is on another case (a restored disk?): open this case, submit it with a new number, "
            "give the applicant the new slip",
            code="receipt_twice",
        )


def _require_leased(db: Any, station: str, receipt_no: str) -> None:
    """The number must be this station's own and out of a block the hub leased to it."""
    own = re.fullmatch(re.escape(station) + r"-[0-9]{2}-[0-9]{6}-[0-9]", receipt_no)
    if not own or not ids.is_receipt_no(receipt_no):
        raise Refusal(
            f"回执号不对：{receipt_no}", f"not a receipt number of this station: {receipt_no}", code="receipt_no"
        )
    if not receipt_blocks.is_leased(db, station, receipt_no):
        raise Refusal(
            f"回执号不在发给本站的号段里：{receipt_no}",
            f"the number is outside this station's blocks: {receipt_no}",
            code="receipt_block",
        )


def _own_case(db: Any, fact: Fact) -> HubCase:
    case = cases.load(db, fact.subject)
    if case.station != fact.origin:
        raise NotAllowed("这个案件是别的站点收的", "another station took this case", code="station")
    return case


def _wrong_state(case: HubCase, zh: str, en: str) -> WrongState:
    state = case_states.STATES[case.state]
    return WrongState(f"案件是「{state['zh']}」，不能{zh}", f"the case is {state['en'].lower()}: it cannot be {en}")
