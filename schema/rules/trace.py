# SPDX-License-Identifier: Apache-2.0
"""The calculation record kept with every amount, and the register of dated rules.

A rule is called like any function; the version in force on its argument `on` runs, and when a `trace` is given the
line it leaves carries the rule's name, first day and law.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from schema.errors import ParameterNotFound
from schema.parameter import Value

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Rule:
    """One version of a rule: in force from `since` until the next version of that name."""

    name: str
    since: date
    law: str
    function: Callable[..., Any]


RULES: dict[str, list[Rule]] = {}


@dataclass(frozen=True)
class Line:
    """One computed amount: which rule, how, from what, with which documents."""

    rule: str
    since: date
    law: str
    formula: Mapping[str, str]
    inputs: Mapping[str, int | str]
    result: int | str
    values: tuple[Value, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for storing and showing."""
        return {
            "rule": self.rule, "since": self.since.isoformat(), "law": self.law, "formula": dict(self.formula),
            "inputs": dict(self.inputs), "result": self.result, "parameters": [_as_dict(v) for v in self.values],
        }  # fmt: skip


@dataclass
class Trace:
    """The lines of one calculation, in the order they were computed."""

    lines: list[Line] = field(default_factory=list)
    _running: list[Rule] = field(default_factory=list, repr=False)

    def record(
        self, zh: str, en: str, inputs: Mapping[str, int | str], result: int | str, values: tuple[Value, ...] = ()
    ) -> None:
        """Add the line of the rule that is running. `zh` and `en` are the formula in words."""
        rule = self._running[-1]
        self.lines.append(Line(rule.name, rule.since, rule.law, {"zh": zh, "en": en}, inputs, result, values))

    def to_json(self) -> str:
        """All lines, as stored with a case or a settlement line."""
        return json.dumps([line.as_dict() for line in self.lines], ensure_ascii=False, separators=(",", ":"))


def rule(name: str, *, since: date, law: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a version of a rule. Its function takes `on: date` and may take `trace: Trace | None`."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        versions = RULES.setdefault(name, [])
        assert all(v.since != since for v in versions), f"two versions of {name} since {since}"
        versions.append(Rule(name, since, law, function))
        versions.sort(key=lambda v: v.since)
        shape = signature(function)

        @wraps(function)
        def in_force(*args: P.args, **kwargs: P.kwargs) -> R:
            given = shape.bind(*args, **kwargs).arguments
            version = at(name, given["on"])
            trace = given.get("trace")
            if trace is None:
                return version.function(*args, **kwargs)  # type: ignore[no-any-return]
            trace._running.append(version)
            try:
                return version.function(*args, **kwargs)  # type: ignore[no-any-return]
            finally:
                trace._running.pop()

        return in_force

    return register


def at(name: str, on: date) -> Rule:
    """The version of a rule in force on a day. Raises ParameterNotFound when there was no such rule yet."""
    found = [version for version in RULES.get(name, []) if version.since <= on]
    if not found:
        raise ParameterNotFound(f"规则「{name}」在 {on} 还没有", f"there is no rule '{name}' on {on}")
    return found[-1]


def _as_dict(value: Value) -> dict[str, Any]:
    content = value.value if isinstance(value.value, int) else None
    return {
        "name": value.name, "value": content, "unit": value.unit, "from": value.from_.isoformat(),
        "published": value.published.isoformat(), "source": value.source, "verified": value.verified,
    }  # fmt: skip
