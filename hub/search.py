# SPDX-License-Identifier: Apache-2.0
"""One box for everything: ID number (15 or 18), name, pinyin or initials, receipt number; the county's whole register.

The rules are those of a station's box. Every branch walks an index: 500,000 persons, and the officer is still typing.
A prefix is the range `[text, text + the last character there is)`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

SHOWN = 8
MAX_TYPED = 64
_LAST = "\U0010ffff"
_PERSON = (
    "SELECT p.id, p.id_number, p.name, p.sex, p.birth_on, p.life_status, v.name AS village, t.name AS township "
    "FROM person p LEFT JOIN division v ON v.code = p.village LEFT JOIN division t ON t.code = substr(p.village, 1, 9)"
)


@dataclass(frozen=True)
class Hits:
    """Persons and cases found. `more`: not all are shown, type on."""

    typed: str
    persons: list[Any] = field(default_factory=list)
    cases: list[Any] = field(default_factory=list)
    more: bool = False


def normal(typed: str) -> str:
    """What the input method sent, made plain: half width, no separators, no spaces."""
    text = unicodedata.normalize("NFKC", typed[: MAX_TYPED * 4])
    return re.sub(r"[\s'\u2019`]+", "", text)[:MAX_TYPED]


def find(db: Any, typed: str) -> Hits:
    """What the typed text means: tried as receipt number, ID number, letters, then as a name."""
    text = normal(typed)
    if re.fullmatch(r"[0-9]{2,}-[0-9-]*", text):
        return Hits(text, cases=_cases(db, text))
    if re.fullmatch(r"[0-9]+[Xx]?", text):
        return _persons(db, text, ("id_number", "id_number_15"), text.upper())
    if text.isascii():
        return (
            _persons(db, text, ("initials", "pinyin"), text.lower()) if len(text) > 1 and text.isalpha() else Hits(text)
        )
    return _persons(db, text, ("name",), text)


def same_number(db: Any, person: dict[str, Any]) -> list[Any]:
    """Other entries of the register with the same ID number."""
    return list(db.execute(f"{_PERSON} WHERE p.id_number = ? AND p.id <> ?", (person["id_number"], person["id"])))


def _persons(db: Any, text: str, columns: tuple[str, ...], prefix: str) -> Hits:
    found: dict[bytes, Any] = {}
    for column in columns:
        sql = f"{_PERSON} WHERE p.{column} >= ? AND p.{column} < ? ORDER BY p.{column}, p.birth_on LIMIT ?"
        for row in db.execute(sql, (prefix, prefix + _LAST, SHOWN + 1)):
            found.setdefault(bytes(row["id"]), row)
    rows = list(found.values())
    return Hits(text, persons=rows[:SHOWN], more=len(rows) > SHOWN)


def _cases(db: Any, text: str) -> list[Any]:
    sql = (
        "SELECT id, service, receipt_no, person_name, state FROM hub_case WHERE receipt_no >= ? AND receipt_no < ? "
        "ORDER BY receipt_no LIMIT ?"
    )
    return list(db.execute(sql, (text, text + _LAST, SHOWN)))
