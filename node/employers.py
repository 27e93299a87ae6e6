# SPDX-License-Identifier: Apache-2.0
"""Finding an employer of this station's slice: by credit code, by any part of the name, by phone."""

from __future__ import annotations

from typing import Any

from node import search

SHOWN = 8
_COLUMNS = "u.id, u.uscc, u.name, u.phone, u.ended_on, d.name AS township_name"
_FROM = "FROM unit u LEFT JOIN division d ON d.code = u.township"


def find(db: Any, typed: str) -> list[Any]:
    """Units that fit, those still registered first; nothing for an empty box. One more than SHOWN tells of others.

    A county has some thousands of units and a slice hundreds: a walk over all of them is shorter than an index is big.
    """
    text = search.normal(typed)
    if len(text) < 2:
        return []
    code = text.upper()
    sql = (
        f"SELECT {_COLUMNS} {_FROM} WHERE substr(u.uscc, 1, ?1) = ?2 OR instr(u.uscc, ?2) > 8 OR instr(u.name, ?3) "
        "OR substr(u.phone, 1, ?1) = ?3 ORDER BY u.ended_on IS NOT NULL, u.name, u.id LIMIT ?4"
    )
    return list(db.execute(sql, (len(text), code, text, SHOWN + 1)))


def name(db: Any, unit_id: bytes) -> str:
    """The unit's name, '' when it is not in the register here."""
    found = db.execute("SELECT name FROM unit WHERE id = ?", (unit_id,)).fetchone()
    return str(found[0]) if found else ""


def count(db: Any) -> int:
    """How many units this station's register holds."""
    return int(db.execute("SELECT count(*) FROM unit").fetchone()[0])
