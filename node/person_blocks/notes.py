# SPDX-License-Identifier: Apache-2.0
"""What the clerk should know before anything is done for this person: doubts about who it is, and the office's note."""

from __future__ import annotations

from typing import Any

from node import status
from node.person_blocks.block import Block
from schema.view import PersonView

_SAME = "SELECT id, name, village FROM person WHERE {} AND id <> ? LIMIT 3"


def block(db: Any, person: PersonView) -> Block:
    """Rows of (why, another person or None): the same ID number twice, same name and birth date, a paused benefit."""
    one, own = person.person, person.person_id
    twins = db.execute(_SAME.format("id_number = ?"), (one["id_number"], own)).fetchall()
    found: list[tuple[str, Any]] = [("same_number", row) for row in twins]
    known = {bytes(row["id"]) for row in twins}
    alike = db.execute(_SAME.format("name = ? AND birth_on = ?"), (one["name"], one["birth_on"], own))
    found += [("same_person", row) for row in alike if bytes(row["id"]) not in known]
    found += [("paused", None) for benefit in person.benefits if benefit["state"] == "suspended"][:1]
    return Block(found, status.as_of(db), {"note": person.contact.get("note")})
