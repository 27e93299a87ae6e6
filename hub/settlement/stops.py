# SPDX-License-Identifier: Apache-2.0
"""Payments stopped by a report that nobody has decided yet: a death or a pause taken at a counter counts at once.

Nothing is written for it: while the case is open the person is not paid, and once it is withdrawn or rejected the
months are due again. When it is approved the register says the same for good.
Law: 社会保险经办条例 §25 (stop events are reported; what is paid after them must come back).
"""

from __future__ import annotations

import json
from typing import Any

from hub import pack
from hub.settlement.month import SCHEME
from schema import case

REPORTED = "reported"
_DEATH, _PAUSE = "person_died", "benefit_state"


def reported(db: Any, kind: str = SCHEME) -> set[bytes]:
    """The persons whose benefit of that kind an open case stops: of a death any, of a pause the one that it names."""
    stopping = {i.id: i.effects for i in pack.services().values() if {_DEATH, _PAUSE} & set(i.effects)}
    marks, states = ", ".join("?" * len(stopping)), ", ".join("?" * len(case.UNDER_WAY))
    rows = db.execute(
        f"SELECT person_id, service, answers FROM hub_case WHERE service IN ({marks}) AND state IN ({states}) "
        "AND person_id IS NOT NULL",
        (*stopping, *case.UNDER_WAY),
    )
    found = [(bytes(row["person_id"]), stopping[row["service"]], json.loads(row["answers"])) for row in rows]
    return {person for person, effects, answers in found if _stops(effects, answers, kind)}


def _stops(effects: tuple[str, ...], answers: dict[str, str], kind: str) -> bool:
    return _DEATH in effects or (answers.get("action"), answers.get("kind")) == ("pause", kind)
