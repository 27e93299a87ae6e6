# SPDX-License-Identifier: Apache-2.0
"""One run of the month: freeze the register, compute, write, check both sides of every total, sign. All or nothing.

A month may be computed again until it is approved; the same inputs give the same `run_id` and the same totals.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import pack
from hub.settlement import controls, credits, hands, inputs, kernel, lines, matching, month, totals
from hub.settlement.controls import Control
from hub.settlement.month import SCHEME
from hub.settlement.room import roomy
from schema import database
from schema.clock import Clock, stamp
from schema.database import Store

ROLE = "settle"


@dataclass(frozen=True)
class Run:
    """What a computation came to. `elapsed_ms` is wall time and no part of the result."""

    month: str
    run_id: str
    controls: tuple[Control, ...]
    totals: dict[str, Any]
    elapsed_ms: int


def run(store: Store, settled: str, officer: str, key: Ed25519PrivateKey, clock: Clock) -> Run:
    """Compute the month `settled`.

    Raises WrongState (not the open month, approved before, control totals differ), Refusal, NotAllowed,
    ParameterNotFound. Whatever is raised, nothing is written.
    """
    began_s = time.monotonic()
    with store.write() as db, roomy(db):
        hands.require(db, officer, ROLE, key, clock)
        month.require_next(db, settled, clock.today())
        matching.match_again(db, clock)
        credits.reserve(db, settled)
        frozen = inputs.freeze(db, settled)
        computed = kernel.settle(inputs.number_of(settled), frozen.columns)
        lines.write(db, frozen, computed)
        rule = credits.subsidy_rule(settled, pack.parameters())
        agreed = controls.require_equal(controls.of_computation(db, frozen, computed, rule))
        sums = totals.of_month(db, settled)
        elapsed_ms = round((time.monotonic() - began_s) * 1000)
        done = Run(settled, frozen.run_id, tuple(agreed), sums, elapsed_ms)
        _record(db, done, officer, key, clock)
    return done


def _record(db: Any, done: Run, officer: str, key: Ed25519PrivateKey, clock: Clock) -> None:
    row = {
        "state": "computed", "run_id": done.run_id, "computed_by": officer, "computed_at": stamp(clock.now()),
        "controls": to_json(done.controls, done.totals, done.elapsed_ms),
    }  # fmt: skip
    name = {"scheme": SCHEME, "month": done.month}
    if month.find(db, done.month) is None:
        database.insert(db, "period", name | row)
    else:
        database.update(db, "period", name, row)
    body = {"run_id": done.run_id, "totals": {k: v for k, v in done.totals.items() if isinstance(v, int)}}
    hands.sign(db, "month_computed", done.month, body, officer, key, clock)


def to_json(agreed: tuple[Control, ...], sums: dict[str, Any], elapsed_ms: int) -> str:
    """What is kept with the month besides its signatures."""
    kept = {"controls": [c.to_json() for c in agreed], "totals": sums, "elapsed_ms": elapsed_ms}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
