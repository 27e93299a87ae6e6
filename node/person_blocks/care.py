# SPDX-License-Identifier: Apache-2.0
"""Training and visits: seats in classes, visits made and the next one planned."""

from __future__ import annotations

from typing import Any

from node import status
from node.person_blocks.block import Block, of
from schema.view import PersonView

_ROWS = """
    SELECT 'training' AS kind, s.given_on AS at, c.course AS what, c.begins_on AS place, s.state AS code
    FROM training_seat s LEFT JOIN training_class c ON c.id = s.class_id WHERE s.person_id = ?1
    UNION ALL SELECT 'visit', visited_on, note, way, found FROM visit WHERE person_id = ?1
    ORDER BY at DESC
"""


def block(db: Any, person: PersonView) -> Block:
    """The newest first; `note` is what the next visitor should know."""
    note = db.execute("SELECT * FROM visit_note WHERE id = ?", (person.person_id,)).fetchone()
    return Block(of(db, person, _ROWS), status.as_of(db), {"note": note})
