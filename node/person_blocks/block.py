# SPDX-License-Identifier: Apache-2.0
"""What a block is: rows ready to be shown, as of when, and what else its template needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema.view import PersonView


@dataclass(frozen=True)
class Block:
    """`as_of`: when the hub last told us. `more`: other values by name."""

    rows: Sequence[Any]
    as_of: str | None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.rows) or any(self.more.values())


def of(db: Any, person: PersonView, sql: str) -> list[Any]:
    """The rows of a query whose one blank is the person's id."""
    return list(db.execute(sql, (person.person_id,)))
