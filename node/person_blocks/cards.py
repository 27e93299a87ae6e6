# SPDX-License-Identifier: Apache-2.0
"""Social security cards whose state is on record: lost, stopped, replaced, asked for."""

from __future__ import annotations

from typing import Any

from node import status
from node.person_blocks.block import Block, of
from schema.view import PersonView


def block(db: Any, person: PersonView) -> Block:
    """The newest first."""
    sql = "SELECT card_no, state, since, bank, valid_to FROM card WHERE person_id = ? ORDER BY since DESC"
    return Block(of(db, person, sql), status.as_of(db))
