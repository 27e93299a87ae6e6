# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of effects: what an effect may look at, what it gives, and how one is registered.

Effects are pure. Their functions stand in `effects` and in modules `effects_<subject>.py`, which are found by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema.ids import derived_id
from schema.parameter import Parameters
from schema.view import PersonView
from schema.view_unit import HouseholdView, UnitView


@dataclass(frozen=True)
class CaseInput:
    """What an effect needs of a case. `values` are parsed values of `checks.examine`.

    `known_on`: the day the amounts were calculated, so that the amounts approved are those reviewed; None: today.
    """

    id: bytes
    person_id: bytes | None
    values: dict[str, Any]
    station: str
    township: str
    known_on: date | None = None


@dataclass(frozen=True)
class Change:
    """A reference row to upsert (without `rev`), or cells of a registry row: its `id` and only what changes."""

    table: str
    row: dict[str, Any]


@dataclass(frozen=True)
class Decided:
    """A case with all that effects may look at."""

    case: CaseInput
    view: PersonView
    today: date
    parameters: Parameters

    @property
    def person_id(self) -> bytes:
        """The register's id, or the one this case gives a new person."""
        return self.view.person_id or self.case.person_id or derived_id(self.case.id, "person")

    @property
    def unit(self) -> UnitView:
        """The unit that the case is about, or that it names. Only for items that have one."""
        assert self.view.unit is not None, "the item has no unit"
        return self.view.unit

    @property
    def household(self) -> HouseholdView:
        """The household that the case is about."""
        assert self.view.household is not None, "an examined case has its household"
        return self.view.household

    def value(self, name: str) -> Any:
        """A parsed value; None when the item has no such field."""
        return self.case.values.get(name)


EffectFunction = Callable[[Decided], list[Change]]


@dataclass(frozen=True)
class Effect:
    """A named effect and the fields that it reads."""

    name: str
    reads: tuple[str, ...]
    function: EffectFunction


EFFECTS: dict[str, Effect] = {}


def effect(*reads: str) -> Callable[[EffectFunction], EffectFunction]:
    """Register an effect under its function's name; `reads` are fields that an item using it must have."""

    def register(function: EffectFunction) -> EffectFunction:
        assert function.__name__ not in EFFECTS, f"two effects are called {function.__name__}"
        EFFECTS[function.__name__] = Effect(function.__name__, reads, function)
        return function

    return register
