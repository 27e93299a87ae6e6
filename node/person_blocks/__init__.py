# SPDX-License-Identifier: Apache-2.0
"""The blocks of a person's page below identity and contact: one module and one template each, in the order shown.

A module has `block(db, person) -> Block`; its template is `templates/persons/blocks/<name>.html` and gets `block`.
A block that has nothing to say and whose emptiness tells nothing (no card on file) is left out: `Block.shown`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node.person_blocks import cards, care, household, notes, statements, work
from node.person_blocks.block import Block
from schema.view import PersonView

__all__ = ["LEFT", "MIDDLE", "Block", "read"]

LEFT: dict[str, Callable[[Any, PersonView], Block]] = {
    "notes": notes.block,
    "household": household.block,
    "cards": cards.block,
}
MIDDLE: dict[str, Callable[[Any, PersonView], Block]] = {
    "work": work.block,
    "care": care.block,
}


def read(db: Any, person: PersonView, year: str = "") -> dict[str, Block]:
    """Every block of a person by name. `year`: of the monthly lines, the newest when it has none."""
    blocks = {name: block(db, person) for name, block in (LEFT | MIDDLE).items()}
    return blocks | {"statements": statements.block(db, person, year)}
