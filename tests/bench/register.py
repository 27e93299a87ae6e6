# SPDX-License-Identifier: Apache-2.0
"""A month out of a register: a synthetic county, every employer's bill paid, then one run, with everything it needs."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.settlement.county.runs import County
from provisioning.county import load
from provisioning.county.register import Register
from schema import database, parameter
from schema.clock import FixedClock
from schema.database import Store
from sync.hub import publish

OFFICER, MONTH = "2011", "2026-11"
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


def settled_register(persons: int) -> dict[str, Any]:
    """Figures of one month of a county of that many persons; the county itself is not in them."""
    clock, key, db_key = FixedClock(NOW), Ed25519PrivateKey.generate(), os.urandom(32)
    with tempfile.TemporaryDirectory(prefix="register-") as name:
        store = Store(Path(name) / "hub.db", db_key, side="hub")
        load.load(store, Register(persons, 1, "2026-10", parameter.load()))
        with publish.transaction(store) as pub:
            database.set_setting(pub.db, "node_id", b"hub")
            database.set_setting(pub.db, "epoch", bytes(16))
            row = {"operator_no": OFFICER, "name": "甲", "roles": "settle", "must_change": 0, "wrapped_key": b""}
            pub.put("officer", row | {"public_key": key.public_key().public_bytes_raw()})
        months = County(store, Path(name), db_key, clock)
        months.run(MONTH, OFFICER, key)
        _pay_all(store, months)
        began, cpu = time.perf_counter(), time.process_time()
        done = months.run(MONTH, OFFICER, key)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        agrees = months.verify(MONTH, "sqlite").agrees
        with months.open(MONTH) as file:
            lines = len(file.table("assessed"))
        store.close()
    return {
        "register_persons": persons, "register_lines": lines, "end_to_end_s": round(seconds, 2),
        "end_to_end_cpu_s": round(cpu, 2), "register_verified": agrees and not done.again,
        "register_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def _pay_all(store: Store, months: County) -> None:
    """Every payer pays its bill, one in ten too little."""
    with months.open(MONTH) as file:
        outcome, who = file.outcome(), file.who()
    with store.write() as db:
        for unit, due in zip(outcome.bills.unit.tolist(), outcome.bills.due.tolist(), strict=True):
            if due:
                database.insert(db, "unit_receipt", {
                    "no": f"T{unit}", "payer_no": "x", "payer_id": who.units[unit], "month": MONTH,
                    "amount_fen": due if unit % 10 else due * 6 // 10, "received_on": "2026-11-18", "source": "bench",
                })  # fmt: skip
