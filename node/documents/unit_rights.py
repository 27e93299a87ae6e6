# SPDX-License-Identifier: Apache-2.0
"""单位权益记录: a unit with the persons it employs, as of what the hub last sent. Law as for a person's record."""

from __future__ import annotations

from typing import Any

from node import prints, status
from node.prints import Print
from node.station import Station
from schema.errors import UnknownSubject
from schema.web.door import Officer

_STAFF = (
    "SELECT p.name, p.id_number, e.began_month, e.wage_fen FROM employment e JOIN person p ON p.id = e.person_id "
    "WHERE e.unit_id = ? AND e.ended_month IS NULL ORDER BY e.began_month, p.name"
)


def check(db: Any, station: Station, subject: bytes, officer: Officer) -> tuple[str | None, int]:
    """Raises UnknownSubject."""
    _unit(db, subject)
    return None, int(db.execute(f"SELECT count(*) FROM ({_STAFF})", (subject,)).fetchone()[0])


def build(db: Any, station: Station, made: Print) -> dict[str, Any]:
    """The unit and everybody who works there now."""
    return {
        "unit": _unit(db, made.subject),
        "staff": list(db.execute(_STAFF, (made.subject,))),
        "as_of": status.as_of(db),
        "proof": prints.proof_of_print(db, made, station.config.hub_url),
    }


def _unit(db: Any, unit_id: bytes) -> Any:
    row = db.execute("SELECT * FROM unit WHERE id = ?", (unit_id,)).fetchone()
    if row is None:
        raise UnknownSubject("名册里没有这个单位", "this unit is not in the register")
    return row
