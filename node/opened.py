# SPDX-License-Identifier: Apache-2.0
"""Who opened whose page, when and coming from where. Supervision asks about looks without a case.

Kept in the encrypted database alone: no log file and no address names anybody.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from schema import database, ids
from schema.clock import Clock, stamp

VIA = ("search", "card", "case", "page")
# Turning the page's parts over is not opening it again.
SAME_LOOK = timedelta(minutes=10)


def note(db: Any, person_id: bytes, operator_no: str, via: str, clock: Clock) -> bool:
    """Note that an officer opened a person's page; False while one look goes on. An unknown `via` counts as page."""
    now = clock.now()
    last = db.execute(
        "SELECT person_id, at FROM person_opened WHERE operator_no = ? ORDER BY at DESC LIMIT 1", (operator_no,)
    ).fetchone()
    if last and bytes(last["person_id"]) == person_id and last["at"] > stamp(now - SAME_LOOK):
        return False
    row = {"id": ids.new_id(), "person_id": person_id, "operator_no": operator_no, "at": stamp(now)}
    database.insert(db, "person_opened", row | {"via": via if via in VIA else "page"})
    return True
