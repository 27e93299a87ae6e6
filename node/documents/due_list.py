# SPDX-License-Identifier: Apache-2.0
"""认证名单: who of a village must be seen, to take along; numbers masked, with room for a signature."""

from __future__ import annotations

from typing import Any

from node import prints, status, survival
from node.prints import Print
from node.station import Station
from schema import ids
from schema.errors import UnknownSubject
from schema.survival import Due
from schema.web.door import Officer


def check(db: Any, station: Station, subject: bytes, officer: Officer) -> tuple[str | None, int]:
    """Raises UnknownSubject."""
    return None, len(_people(db, station, subject)[1])


def build(db: Any, station: Station, made: Print) -> dict[str, Any]:
    """Whose check is due or overdue in that village."""
    village, people = _people(db, station, made.subject)
    return {
        "village": village,
        "people": people,
        "as_of": status.as_of(db),
        "proof": prints.proof_of_print(db, made, station.config.hub_url),
    }


def _people(db: Any, station: Station, subject: bytes) -> tuple[Any, list[Due]]:
    """The village of that subject, and the people. A village has a code and no id: the subject follows from it."""
    rows = db.execute("SELECT code, name, name_en FROM division WHERE level = 'village'")
    village = next((r for r in rows if ids.derived_id(bytes(16), r["code"]) == subject), None)
    if village is None:
        raise UnknownSubject("没有这个村", "there is no such village")
    return village, [p for p in survival.due(db, station.desk, village["code"]) if p.state != "seen"]
