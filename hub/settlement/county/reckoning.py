# SPDX-License-Identifier: Apache-2.0
"""The form in which a person's month is told: parts, each with its lines and the rules behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Text = dict[str, str]


@dataclass(frozen=True)
class Line:
    """One step of the reckoning: what, how, how much (fen; None where no amount belongs)."""

    what: Text
    how: Text
    fen: int | None = None


@dataclass(frozen=True)
class Part:
    """Lines that belong together, and the rules behind them: formula, law, parameters with their documents."""

    title: Text
    lines: list[Line]
    rules: list[dict[str, Any]] = field(default_factory=list)
    note: Text | None = None


@dataclass(frozen=True)
class Explanation:
    """All parts of one person's month. `state` of the month; `paid_fen`: what the month pays the person."""

    month: str
    run_id: str
    root: str
    computed_at: str
    state: str
    person: dict[str, Any]
    parts: list[Part]
    due_fen: int
    paid_fen: int

    @property
    def unverified(self) -> int:
        """How many of the parameters used nobody has read in their document yet."""
        used = {
            (value["name"], value["from"]): value["verified"]
            for part in self.parts for rule in part.rules for value in rule["parameters"]
        }  # fmt: skip
        return sum(not verified for verified in used.values())

    def to_json(self) -> dict[str, Any]:
        """For scripts; without the person."""
        return {
            "month": self.month, "run_id": self.run_id, "root": self.root, "state": self.state,
            "due_fen": self.due_fen, "paid_fen": self.paid_fen, "unverified": self.unverified,
            "parts": [vars(part) | {"lines": [vars(line) for line in part.lines]} for part in self.parts],
        }  # fmt: skip
