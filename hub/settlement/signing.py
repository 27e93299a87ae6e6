# SPDX-License-Identifier: Apache-2.0
"""Approve, pay, close: three more pairs of hands after the one that computed, each leaving a signed fact.

Nobody reopens a month here: what was wrong is corrected in a later one.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.settlement import controls, hands, inputs, month, payout
from hub.settlement.controls import Control
from hub.settlement.month import SCHEME
from hub.settlement.room import roomy
from schema import database
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import Refusal, WrongState
from sync.hub import publish

APPROVE, PAY, CLOSE = "approve_month", "pay", "close"


def approve(store: Store, settled: str, officer: str, key: Ed25519PrivateKey, clock: Clock) -> None:
    """审批: this is what will be paid. Raises WrongState when the register moved since the month was computed."""
    with store.write() as db, roomy(db), hands.four_hands():
        hands.require(db, officer, APPROVE, key, clock)
        row = month.require_state(db, settled, "computed")
        if inputs.freeze(db, settled).run_id != row["run_id"]:
            raise WrongState(
                "计算之后名册、参数或程序有变动，请先重算再审批",
                "the register, the parameters or the program changed since: compute again, then approve",
                code="inputs_changed",
            )
        _advance(db, settled, "approved", "approved", officer, clock)
        hands.sign(db, "month_approved", settled, {"run_id": row["run_id"]}, officer, key, clock)


def pay(store: Store, settled: str, officer: str, key: Ed25519PrivateKey, clock: Clock) -> payout.Paid:
    """发放: the batches go to the bank, accounts and benefits move, stations are told. All or nothing.

    Who died, was stopped or changed the bank account since the month was computed is taken out of the batch and waits.
    """
    with publish.transaction(store) as pub, roomy(pub.db), hands.four_hands():
        hands.require(pub.db, officer, PAY, key, clock)
        row = month.require_state(pub.db, settled, "approved")
        paid = payout.carry_out(pub, settled, clock)
        agreed = controls.require_equal(controls.of_payment(pub.db, settled))
        _advance(pub.db, settled, "paid", "paid", officer, clock, _with(row["controls"], agreed, paid))
        hands.sign(pub.db, "month_paid", settled, {"run_id": row["run_id"], **vars(paid)}, officer, key, clock)
    return paid


def close(store: Store, settled: str, officer: str, key: Ed25519PrivateKey, clock: Clock, typed: str) -> None:
    """结账: final. `typed` is what the officer wrote to confirm it: `结账 2026-11`."""
    if typed.split() != word("close", settled).split():
        raise Refusal(
            f"请输入「{word('close', settled)}」来确认", f"type 「{word('close', settled)}」 to confirm", code="typed"
        )
    with store.write() as db, hands.four_hands():
        hands.require(db, officer, CLOSE, key, clock)
        row = month.require_state(db, settled, "paid")
        again = [*controls.of_receipts(db, settled), *controls.of_payment(db, settled)]
        controls.require_equal(again)
        _advance(db, settled, "closed", "closed", officer, clock)
        hands.sign(db, "month_closed", settled, {"run_id": row["run_id"]}, officer, key, clock)


def word(action: str, settled: str) -> str:
    """What has to be typed to confirm an act that cannot be taken back."""
    return f"{ {'approve': '审批', 'pay': '发放', 'close': '结账'}[action] } {settled}"


def _advance(
    db: Any, settled: str, state: str, column: str, officer: str, clock: Clock, kept: str | None = None
) -> None:
    changes = {"state": state, f"{column}_by": officer, f"{column}_at": stamp(clock.now())}
    database.update(db, "period", {"scheme": SCHEME, "month": settled}, changes | ({"controls": kept} if kept else {}))


def _with(kept: str, agreed: list[Control], paid: payout.Paid) -> str:
    """The month's record, with what the payment added."""
    record = json.loads(kept)
    record["controls"] += [control.to_json() for control in agreed]
    record["paid"] = vars(paid)
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))
