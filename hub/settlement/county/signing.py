# SPDX-License-Identifier: Apache-2.0
"""Approve, pay, close the county's month: three more officers after the one who computed it, each with a word typed.

The states and their four hands are rows of `period` (scheme `county`): the rules of the data layer hold for them as
for the resident pension alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.settlement import hands, month
from hub.settlement.county import payout
from hub.settlement.county.earlier import SEEN
from hub.settlement.county.runs import County
from hub.settlement.month import COUNTY
from hub.settlement.room import roomy
from hub.settlement.signing import APPROVE, CLOSE, PAY, word
from schema import database
from schema.clock import Clock, stamp
from schema.errors import Refusal, WrongState
from sync.hub import publish


def approve(county: County, settled: str, officer: str, key: Ed25519PrivateKey, typed: str) -> None:
    """审批: this is what will be paid. Raises WrongState when anything the month depends on moved since."""
    _require_word("approve", settled, typed)
    with county.store.write() as db, roomy(db), hands.four_hands():
        hands.require(db, officer, APPROVE, key, county.clock)
        row = month.require_state(db, settled, "computed", COUNTY)
        if not county.same(db, settled, row["run_id"]):
            raise WrongState(
                "计算之后名册、到账、参数或程序有变动，请先重算再审批",
                "the register, receipts, parameters or the program changed since: run again, then approve",
                code="inputs_changed",
            )
        _advance(db, settled, "approved", officer, county.clock)
        _sign(db, "month_approved", row, officer, key, county.clock)


def pay(county: County, settled: str, officer: str, key: Ed25519PrivateKey, typed: str) -> payout.Paid:
    """发放: benefits move on; who died, was stopped or changed since the month was computed is taken out and waits."""
    _require_word("pay", settled, typed)
    with publish.transaction(county.store, clock=county.clock) as pub, roomy(pub.db), hands.four_hands():
        hands.require(pub.db, officer, PAY, key, county.clock)
        row = month.require_state(pub.db, settled, "approved", COUNTY)
        kept = json.loads(row["controls"])
        with county.open(settled) as file:
            paid = payout.carry_out(pub, settled, file, county.freeze(pub.db, settled)[0], kept[SEEN])
        changes = {"controls": json.dumps(kept | {"paid": asdict(paid)})}
        _advance(pub.db, settled, "paid", officer, county.clock, changes)
        _sign(pub.db, "month_paid", row, officer, key, county.clock, asdict(paid))
    return paid


def close(county: County, settled: str, officer: str, key: Ed25519PrivateKey, typed: str) -> None:
    """结账: the next month can begin."""
    _require_word("close", settled, typed)
    with county.store.write() as db, hands.four_hands():
        hands.require(db, officer, CLOSE, key, county.clock)
        row = month.require_state(db, settled, "paid", COUNTY)
        _advance(db, settled, "closed", officer, county.clock)
        _sign(db, "month_closed", row, officer, key, county.clock)


ACTS = {"approve": approve, "pay": pay, "close": close}


def _require_word(action: str, settled: str, typed: str) -> None:
    wanted = word(action, settled)
    if typed.split() != wanted.split():
        raise Refusal(f"请输入「{wanted}」来确认", f"type 「{wanted}」 to confirm", code="typed")


def _advance(db: Any, settled: str, state: str, officer: str, clock: Clock, more: dict[str, Any] | None = None) -> None:
    changes = {"state": state, f"{state}_by": officer, f"{state}_at": stamp(clock.now())} | (more or {})
    database.update(db, "period", {"scheme": COUNTY, "month": settled}, changes)


def _sign(
    db: Any, kind: str, row: Any, officer: str, key: Ed25519PrivateKey, clock: Clock,
    more: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    body = {"run_id": row["run_id"]} | (more or {})
    hands.sign(db, kind, row["month"], body, officer, key, clock, COUNTY)
