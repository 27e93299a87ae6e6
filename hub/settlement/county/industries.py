# SPDX-License-Identifier: Apache-2.0
"""The employer's rate of work injury: by the class the register gives it, else by its industry."""

from __future__ import annotations

from datetime import date
from typing import Any

from hub.settlement.county.parameters import injury_rate
from schema.parameter import Parameters

# GB/T 4754 section -> class of the work-injury rate (人社部发〔2015〕71号, by the examples of its annex).
_CLASS = {"A": 4, "B": 7, "C": 3, "D": 4, "E": 5, "F": 2, "G": 5, "H": 2, "I": 1, "J": 1, "K": 2, "L": 2,
          "M": 2, "N": 3, "O": 2, "P": 2, "Q": 2, "R": 2, "S": 1}  # fmt: skip
_NO_CLASS = 4


class Industries:
    """All employers' rates; who is no employer has none."""

    def __init__(self, db: Any, known_on: date, parameters: Parameters) -> None:
        rows = db.execute("SELECT id, industry, injury_class FROM unit")
        self._class = {
            bytes(unit): int(given) if given else _CLASS.get((industry or "")[:1], _NO_CLASS)
            for unit, industry, given in rows
        }
        self._known_on, self._parameters = known_on, parameters
        self._rates: dict[tuple[int, int], int] = {}

    def rate_of(self, unit: bytes, month: int) -> int:
        """Per million of the base, in the month of that number."""
        if unit not in self._class:
            return 0
        key = (self._class[unit], month)
        if key not in self._rates:
            self._rates[key] = injury_rate(month, self._known_on, self._parameters, key[0])
        return self._rates[key]
