# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of checks: what a check may look at, and how one is registered.

A check is a function of an Examination that yields (zh, en) for what it finds; code, severity and field come from the
item's file. It says nothing when a value it needs is missing: that is already a finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema.parameter import Parameters, Value
from schema.service_parts import Service
from schema.view import PersonView
from schema.view_unit import HouseholdView, UnitView

Words = tuple[str, str]
CheckFunction = Callable[["Examination"], Iterator[Words]]


@dataclass(frozen=True)
class Examination:
    """One case under examination. `values` are parsed; a field that could not be read is None."""

    service: Service
    values: dict[str, Any]
    view: PersonView
    today: date
    parameters: Parameters

    @property
    def unit(self) -> UnitView | None:
        """The unit that the case is about or names."""
        return self.view.unit

    @property
    def household(self) -> HouseholdView | None:
        """The household that the case is about."""
        return self.view.household

    def parameter(self, name: str, on: date | None = None) -> Value:
        """A parameter as known today, in force today or on another day."""
        return self.parameters.at(name, on or self.today, self.today)


@dataclass(frozen=True)
class Check:
    """A named check and the fields that it reads."""

    name: str
    reads: tuple[str, ...]
    function: CheckFunction


CHECKS: dict[str, Check] = {}


def check(*reads: str) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check under its function's name; `reads` are fields that an item using it must have."""

    def register(function: CheckFunction) -> CheckFunction:
        # A second one of that name would silently take the place of the first in every item that uses it.
        assert function.__name__ not in CHECKS, f"two checks are called {function.__name__}"
        CHECKS[function.__name__] = Check(function.__name__, reads, function)
        return function

    return register
