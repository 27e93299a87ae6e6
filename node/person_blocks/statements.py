# SPDX-License-Identifier: Apache-2.0
"""What each settled month did, a year at a time, with the year's sums."""

from __future__ import annotations

from typing import Any

from node import status
from node.person_blocks.block import Block, of
from schema.view import PersonView

SUMMED = ("contribution_fen", "subsidy_fen", "benefit_fen", "from_account_fen")


def block(db: Any, person: PersonView, year: str = "") -> Block:
    """The months of that year, or of the newest one; `years` there are, newest first; `sums` of the year by column."""
    sql = "SELECT DISTINCT substr(month, 1, 4) AS year FROM statement WHERE person_id = ? ORDER BY year DESC"
    years = [row["year"] for row in of(db, person, sql)]
    if not years:
        return Block([], status.as_of(db))
    year = year if year in years else years[0]
    rows = db.execute(
        "SELECT * FROM statement WHERE person_id = ? AND month BETWEEN ? AND ? ORDER BY month DESC, insurance",
        (person.person_id, f"{year}-01", f"{year}-12"),
    ).fetchall()
    sums = {name: sum(row[name] for row in rows) for name in SUMMED}
    return Block(rows, status.as_of(db), {"year": year, "years": years, "sums": sums})
