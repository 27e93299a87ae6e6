# SPDX-License-Identifier: Apache-2.0
"""A case: its few states, the steps at the hub, and every move that is allowed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

STATES: dict[str, dict[str, str]] = {
    "draft": {"zh": "草稿", "en": "Draft"},
    "submitted": {"zh": "已提交", "en": "Submitted"},
    "accepted": {"zh": "已受理", "en": "Accepted"},
    "calculated": {"zh": "已核算", "en": "Calculated"},
    "reviewed": {"zh": "已复核", "en": "Reviewed"},
    "forwarded": {"zh": "已转送", "en": "Forwarded"},
    "answered": {"zh": "已有结果", "en": "Answered"},
    "approved": {"zh": "已审批", "en": "Approved"},
    "effective": {"zh": "已生效", "en": "In effect"},
    "paid": {"zh": "已发放", "en": "Paid"},
    "returned": {"zh": "退回补正", "en": "Returned"},
    "rejected": {"zh": "不予批准", "en": "Not approved"},
    "withdrawn": {"zh": "已撤回", "en": "Withdrawn"},
    "reversed": {"zh": "已冲正", "en": "Reversed"},
}

# In the order of the law; a service item names those it needs. `role`: the post whose officers do the step. `forward`
# sends the case to the body that decides it, `outcome` writes down what that body decided.
STEPS: dict[str, dict[str, str]] = {
    "accept": {"zh": "受理", "en": "Accept", "state": "accepted", "role": "accept"},
    "forward": {"zh": "转送", "en": "Forward", "state": "forwarded", "role": "accept"},
    "outcome": {"zh": "登记结果", "en": "Record the outcome", "state": "answered", "role": "review"},
    "calculate": {"zh": "核算", "en": "Calculate", "state": "calculated", "role": "calculate"},
    "review": {"zh": "复核", "en": "Review", "state": "reviewed", "role": "review"},
    "approve": {"zh": "审批", "en": "Approve", "state": "approved", "role": "approve"},
}
FORWARDING = ("forward", "outcome")
# Who looks at a case decided on the spot that the hub cannot simply take over.
LOOKED_AT = ("review",)

MODES: dict[str, dict[str, str]] = {
    "S": {"zh": "当场办结", "en": "On the spot"},
    "P": {"zh": "先办后核", "en": "Provisional"},
    "H": {"zh": "县里审批", "en": "Decided at the hub"},
    "F": {"zh": "代收转送", "en": "Forwarded"},
}

LEGAL: dict[str, dict[str, str]] = {
    "received": {"zh": "已收件", "en": "Received"},
    "provisional": {"zh": "暂定，待中心确认", "en": "Provisional"},
    "final": {"zh": "已办结", "en": "Final"},
}

LEGAL_OF_MODE = {"S": "final", "P": "provisional", "H": "received", "F": "received"}

_DECIDED_OTHERWISE = ("returned", "rejected", "withdrawn")
_ON_THE_WAY = ("accepted", "forwarded", "answered", "calculated", "reviewed", "approved")
MOVES: dict[str, tuple[str, ...]] = {
    "draft": ("submitted", "withdrawn"),
    "submitted": (*_ON_THE_WAY, "effective", *_DECIDED_OTHERWISE),
    **{state: (*_ON_THE_WAY[at + 1 :], "effective", *_DECIDED_OTHERWISE) for at, state in enumerate(_ON_THE_WAY)},
    "effective": ("paid", "reversed"),
    "paid": ("reversed",),
    "returned": ("submitted", "withdrawn"),
    "rejected": (),
    "withdrawn": (),
    "reversed": (),
}

OPEN_STATES = ("submitted", *_ON_THE_WAY, "returned")
UNDER_WAY = ("submitted", *_ON_THE_WAY)


def may_move(before: str, after: str) -> bool:
    """Whether a case in the first state may go to the second. Unknown states may go nowhere."""
    return after in MOVES.get(before, ())


def next_step(steps: Sequence[str], done: Collection[str]) -> str | None:
    """The first step of the item's path not yet done in this round, None when all are done."""
    return next((step for step in steps if step not in done), None)


def state_after(step: str) -> str:
    """The state a case is in once that step agreed. Raises KeyError for a word that is no step."""
    return STEPS[step]["state"]
