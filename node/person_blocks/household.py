# SPDX-License-Identifier: Apache-2.0
"""The others of the same family book, eldest first."""

from __future__ import annotations

from typing import Any

from node import status
from node.person_blocks.block import Block
from schema.view import PersonView


def block(db: Any, person: PersonView) -> Block:
    """Members with name, sex, birth and whether they live; nobody for one without a family book."""
    book = person.person.get("household_id")
    sql = (
        "SELECT id, name, sex, birth_on, life_status FROM person WHERE household_id = ? AND id <> ? ORDER BY birth_on"
    )
    rows = list(db.execute(sql, (book, person.person_id))) if book else []
    return Block(rows, status.as_of(db))
