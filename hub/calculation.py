# SPDX-License-Identifier: Apache-2.0
"""核算: the amounts of a case with their formula and parameters, kept so that what was reviewed takes effect."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from hub import cases, pack, registry
from hub.cases import HubCase
from schema import estimate
from schema.effects import Change
from schema.errors import WrongState


def calculate(db: Any, case: HubCase, on: date) -> dict[str, Any]:
    """The calculation as it is stored: day, lines (zh, en, fen or text), trace, and the changes of the register."""
    examined = cases.examine(db, case)
    result = estimate.estimate(case.item, examined.values, cases.view_of(db, case), on, pack.parameters())
    return {
        "on": on.isoformat(),
        "lines": [list(line) for line in result.lines],
        "trace": json.loads(result.trace.to_json()),
        "changes": registry.plain(registry.changes_of(db, case, on)),
    }


def final_changes(db: Any, case: HubCase, on: date) -> list[Change]:
    """What takes effect now. With a calculation: exactly what was calculated and reviewed, as of its day.

    Raises WrongState when the register has changed since, so that the reviewed figures no longer follow from it.
    """
    if case.calculation is None:
        return registry.changes_of(db, case, on)
    changes = registry.changes_of(db, case, date.fromisoformat(case.calculation["on"]))
    if registry.plain(changes) != case.calculation["changes"]:
        raise WrongState(
            "核算之后名册有变动，金额不再相符。请退回，重新核算",
            "The register has changed since the calculation: return the case so that it is calculated anew",
            code="recalculate",
        )
    return changes
