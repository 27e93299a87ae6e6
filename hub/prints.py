# SPDX-License-Identifier: Apache-2.0
"""Prints at the stations, as supervision sees them: every one is a fact, and a row of the log here."""

from __future__ import annotations

import hmac
from typing import Any

from schema import database, prints
from schema.events import Fact
from schema.slip import check_code
from sync.hub.publish import Publication


def take(pub: Publication, fact: Fact, body: dict[str, Any]) -> None:
    """Log a station's print."""
    database.insert(pub.db, "print_log", prints.row(fact))


def genuine(db: Any, number: str, code: str) -> Any:
    """The log's row of the paper with that print number, when the check code fits; else None."""
    rows = db.execute(
        "SELECT l.document, l.at, l.station, s.name, s.name_en, f.hash FROM print_log l JOIN fact f ON f.id = l.id "
        "LEFT JOIN station s ON s.id = l.station WHERE l.number = ? AND l.about <> 'case'",
        (number,),
    )
    given = code.encode()
    return next((r for r in rows if hmac.compare_digest(check_code(bytes(r["hash"])).encode(), given)), None)
