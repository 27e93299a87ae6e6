# SPDX-License-Identifier: Apache-2.0
"""Receipt numbers from the blocks that the hub leased to this station.

A number is taken in the transaction that stores the case: a crash leaves no number without a case and no case without
a number. Blocks are reference rows; how far each is used is known here only.
"""

from __future__ import annotations

from typing import Any

from schema import database, ids
from schema.errors import OutOfNumbers

FEW_LEFT = 50

_OPEN_BLOCKS = """
    SELECT b.year, b.first, b.last, coalesce(u.next, b.first) AS next FROM receipt_block b
    LEFT JOIN receipt_used u ON u.station = b.station AND u.year = b.year AND u.first = b.first
    WHERE b.station = ? AND b.ended_at IS NULL AND coalesce(u.next, b.first) <= b.last
"""


def take(db: Any, station: str, year: int) -> str:
    """The next free number, in the caller's write transaction.

    A block of this year comes first. A station that was offline over New Year goes on with last year's block: the
    number stays unique, and intake must not stop. Raises OutOfNumbers when every block is used up.
    """
    block = db.execute(f"{_OPEN_BLOCKS} ORDER BY b.year <> ?, b.year DESC, b.first LIMIT 1", (station, year)).fetchone()
    if block is None:
        raise OutOfNumbers(
            "回执号用完了。草稿已保存；请连一次线路，中心会发新的号段，然后再提交",
            "The receipt numbers are used up. The draft is kept: connect once, the hub leases new numbers, then submit",
        )
    database.upsert(
        db,
        "receipt_used",
        {"station": station, "year": block["year"], "first": block["first"], "next": block["next"] + 1},
    )
    return ids.receipt_no(station, block["year"], block["next"])


def left(db: Any, station: str) -> int:
    """How many numbers remain in all blocks."""
    found = db.execute(f"SELECT coalesce(sum(last - next + 1), 0) FROM ({_OPEN_BLOCKS})", (station,)).fetchone()
    return int(found[0])
