# SPDX-License-Identifier: Apache-2.0
"""Work and the lack of it: insured employments, registered ones, unemployment, the job wish, referrals."""

from __future__ import annotations

from typing import Any

from node import status
from node.person_blocks.block import Block, of
from schema.view import PersonView

_SPELLS = """
    SELECT * FROM (SELECT 'insured' AS kind, u.name AS what, e.unit_id, e.began_month AS began, e.ended_month AS ended,
        e.wage_fen, NULL AS code
    FROM employment e LEFT JOIN unit u ON u.id = e.unit_id WHERE e.person_id = ?1
    UNION ALL SELECT 'registered', unit_name, unit_id, began_on, ended_on, NULL, job
    FROM employment_spell WHERE person_id = ?1
    UNION ALL SELECT 'unemployed', last_unit, NULL, registered_on, ended_on, NULL, reason
    FROM unemployment_spell WHERE person_id = ?1
    UNION ALL SELECT 'referred', employer || ' ' || job_title, NULL, referred_on, outcome_on, NULL, outcome
    FROM referral WHERE person_id = ?1)
    ORDER BY ended IS NOT NULL, began DESC
"""


def block(db: Any, person: PersonView) -> Block:
    """Spells that go on first, then the newest; `wish` is the job wanted, while one is."""
    wish = db.execute("SELECT * FROM job_seeker WHERE id = ? AND looking = 'yes'", (person.person_id,)).fetchone()
    return Block(of(db, person, _SPELLS), status.as_of(db), {"wish": wish})
