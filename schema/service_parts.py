# SPDX-License-Identifier: Apache-2.0
"""What a service item is made of. Items are data (`services/*.toml`), read by `service`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from schema import case, period
from schema.findings import Severity
from schema.toml_reader import Text

TICKED = ("on", "1", "true", "yes")


def is_ticked(value: object) -> bool:
    """Whether a checkbox's raw text or parsed value means yes."""
    return value is True or (isinstance(value, str) and value.strip().lower() in TICKED)


@dataclass(frozen=True)
class Condition:
    """When something holds, without expressions: a field is one of some values; any, or none, of some is filled."""

    field: str = ""
    one_of: tuple[str | bool, ...] = ()
    any_filled: tuple[str, ...] = ()
    none_filled: tuple[str, ...] = ()

    def holds(self, answers: Mapping[str, Any]) -> bool:
        """Works on raw answers and on parsed values alike."""
        if self.any_filled or self.none_filled:
            filled = any(str(answers.get(name) or "").strip() for name in self.any_filled + self.none_filled)
            return filled == bool(self.any_filled)
        given = answers.get(self.field)
        # Several choices are a list, or as typed one text with spaces between.
        said = given if isinstance(given, list) else [str(given or ""), *str(given or "").split()]
        return any(is_ticked(given) == w if isinstance(w, bool) else w in said for w in self.one_of)


@dataclass(frozen=True)
class Choice:
    """One entry of a list to choose from."""

    value: str
    text: Text


@dataclass(frozen=True)
class Section:
    """A heading with the fields below it."""

    id: str
    title: Text


@dataclass(frozen=True)
class Field:
    """One field of a form.

    `choices` are fixed entries, `options` names the parameter whose amounts are the entries. `prefill` says where the
    first value comes from, `current` what is shown beside as today's value, `derived` the field this one is read off.
    `at_least`, `at_most` bound a number, or how many entries a list has; 0: not bounded.
    """

    name: str
    type: str
    label: Text
    section: str
    required: bool = False
    required_when: Condition | None = None
    hint: Text | None = None
    limit: int = 200
    choices: tuple[Choice, ...] = ()
    options: str = ""
    option_text: Text | None = None
    prefill: str = ""
    current: str = ""
    derived: str = ""
    on_slip: bool = False
    at_least: int = 0
    at_most: int = 0

    @property
    def readonly(self) -> bool:
        """Whether the field is filled by the system and cannot be typed into."""
        return bool(self.derived)


@dataclass(frozen=True)
class Material:
    """A paper the applicant brings."""

    id: str
    label: Text
    required: bool = False
    required_when: Condition | None = None

    def needed(self, answers: Mapping[str, Any]) -> bool:
        """Whether this paper is needed for these answers."""
        return self.required or (self.required_when is not None and self.required_when.holds(answers))


@dataclass(frozen=True)
class CheckUse:
    """A named check as an item uses it: how severe, and beside which field it is shown."""

    rule: str
    severity: Severity
    field: str


@dataclass(frozen=True)
class Mode:
    """How the item is decided: `S` on the spot, `P` provisional, `H` hub review, `F` forward; with its steps."""

    mode: str
    steps: tuple[str, ...]
    when: Condition | None = None


# Where an item stands in the menu, in this order.
GROUPS: dict[str, Text] = {
    "insured": {"zh": "参保缴费", "en": "Insurance and contributions"},
    "unit": {"zh": "单位、职工", "en": "Employers and employees"},
    "benefit": {"zh": "养老和其他待遇", "en": "Pensions and benefits"},
    "work": {"zh": "就业、失业、培训", "en": "Work, unemployment, training"},
    "injury": {"zh": "工伤", "en": "Work injury"},
    "medical": {"zh": "医疗、生育", "en": "Medical and maternity"},
    "card": {"zh": "社会保障卡", "en": "Social security card"},
    "public": {"zh": "查询、咨询、维权、走访", "en": "Records, advice, rights, visits"},
}


@dataclass(frozen=True)
class Service:
    """A service item, one version of it. `modes`: the first whose condition holds; the last has none.

    `no`: its number in the county's catalogue of business items, which several files may share (report a death, claim
    the grant); `group`: where it stands in the menu.
    `subject`: person, unit, household or nobody (then nobody is searched for and the slip names no one).
    `new_person`, `new_unit`: somebody not in the register may apply. `forward_to`: the body that an item of mode F goes
    to. `confidential`: at the station only who took a case sees it, at the hub only labour inspection. `urgent`: a case
    overtakes the station's queue on its way to the hub (a death, a stopped payment). `calendar_limit`: the law counts
    the limit in calendar days (工伤保险条例 20, 25), not in working days.
    """

    id: str
    no: int
    group: str
    version: int
    effective_from: date
    title: Text
    short: Text
    subject: str
    new_person: bool
    common_key: str
    law: tuple[str, ...]
    limit_working_days: int
    sections: tuple[Section, ...]
    fields: tuple[Field, ...]
    materials: tuple[Material, ...]
    checks: tuple[CheckUse, ...]
    modes: tuple[Mode, ...]
    effects: tuple[str, ...]
    slip: Mapping[str, Text] = field(default_factory=dict)
    next_steps: tuple[Text, ...] = ()
    urgent: bool = False
    new_unit: bool = False
    confidential: bool = False
    forward_to: Text = field(default_factory=dict)
    calendar_limit: bool = False

    def last_day(self, received_on: date) -> date | None:
        """The last day of the legal limit of a case that the hub received on that day; None when there is no limit."""
        if not self.limit_working_days:
            return None
        if self.calendar_limit:
            return received_on + timedelta(days=self.limit_working_days)
        return period.add_working_days(received_on, self.limit_working_days)

    @property
    def mode(self) -> str:
        """The mode when no condition holds: the strictest."""
        return self.modes[-1].mode

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of that mode."""
        return self.modes[-1].steps

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((f for f in self.fields if f.name == name), None)

    def mode_for(self, answers: Mapping[str, Any]) -> str:
        """How a case with these answers is decided: S, P, H or F."""
        return self._mode(answers).mode

    def steps_for(self, answers: Mapping[str, Any]) -> tuple[str, ...]:
        """The hub's steps for a case with these answers; none when it is decided on the spot."""
        return self._mode(answers).steps

    def legal_for(self, answers: Mapping[str, Any]) -> str:
        """What the slip of such a case may truly say: received, provisional or final."""
        return case.LEGAL_OF_MODE[self.mode_for(answers)]

    def fields_in(self, section: str) -> tuple[Field, ...]:
        """The fields below a heading."""
        return tuple(f for f in self.fields if f.section == section)

    def materials_for(self, answers: Mapping[str, Any]) -> tuple[Material, ...]:
        """The papers that a case with these answers needs."""
        return tuple(m for m in self.materials if m.needed(answers))

    def slip_text(self, legal: str, lang: str = "zh") -> str:
        """The slip's sentence for a legal state, with the working-day limit filled in."""
        text = self.slip[legal]["zh" if lang.startswith("zh") else "en"]
        return text.replace("{limit_working_days}", str(self.limit_working_days))

    def _mode(self, answers: Mapping[str, Any]) -> Mode:
        return next(m for m in self.modes if m.when is None or m.when.holds(answers))
