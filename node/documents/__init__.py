# SPDX-License-Identifier: Apache-2.0
"""What stands on each paper: one module per paper, with `build(db, station, print) -> values of its template`.

To add one: name it in schema/prints.py, write the module and `templates/prints/<name>.html`, put it into BUILDERS.
A module may have `check(db, station, subject, officer) -> (number, persons)`: asked before anything is logged.
"""

from __future__ import annotations

from typing import Any

from node.documents import decision, due_list, missing, referral, rights, unit_rights
from node.prints import Print
from node.station import Station
from schema.errors import UnknownSubject
from schema.web.door import Officer

MODULES: dict[str, Any] = {
    "missing": missing,
    "decision": decision,
    "referral": referral,
    "rights": rights,
    "unit_rights": unit_rights,
    "due_list": due_list,
}


def check(db: Any, station: Station, document: str, subject: bytes, officer: Officer) -> tuple[str | None, int]:
    """The number the paper carries (None: a new one) and of how many persons it shows data.

    Raises UnknownSubject, WrongState or NotAllowed when there is nothing to print.
    """
    if document not in MODULES:
        raise UnknownSubject("没有这种单据", "there is no such paper")
    number, persons = MODULES[document].check(db, station, subject, officer)
    return number, persons


def build(db: Any, station: Station, made: Print) -> dict[str, Any]:
    """The values of the paper's template."""
    values: dict[str, Any] = MODULES[made.document.name].build(db, station, made)
    return values
