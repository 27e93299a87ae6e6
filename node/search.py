# SPDX-License-Identifier: Apache-2.0
"""One box finds anyone: ID number (18 or 15), name, pinyin or its initials, phone, receipt number.

What was typed decides where to look, so each query walks one or two indexes and never the table: a prefix is the range
`[text, text + the last character there is)`. The caller says where it looked; this module only counts.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from schema import ids

SHOWN = 8
SEEN_AT_MOST = 200  # beyond this the answer is "many, type more": counting them all would cost and tell nothing
MAX_TYPED = 64
_LAST = "\U0010ffff"

_PERSON = """
    SELECT p.id, p.id_number, p.name, p.sex, p.birth_on, p.village, p.life_status, d.name AS village_name
    FROM person p LEFT JOIN division d ON d.code = p.village
"""
_CASE = "SELECT id, receipt_no, person_id, person_name, service, state FROM case_file"


@dataclass(frozen=True)
class Hits:
    """What was found. `more`: how many persons are not among those shown; `many`: there were too many to count."""

    typed: str
    persons: list[Any] = field(default_factory=list)
    cases: list[Any] = field(default_factory=list)
    more: int = 0
    many: bool = False

    @property
    def empty(self) -> bool:
        return not self.persons and not self.cases


def normal(typed: str) -> str:
    """What the input method sent, made plain: half width, no separators, no spaces."""
    text = unicodedata.normalize("NFKC", typed[: MAX_TYPED * 4])
    kept = re.sub(r"[\s'\u2019`]+", "", text)[:MAX_TYPED]
    return kept if kept.isprintable() else ""


def find(db: Any, typed: str) -> Hits:
    """Persons and cases that fit what was typed, best first; nothing for an empty box."""
    text = normal(typed)
    if not text:
        return Hits(text)
    if re.fullmatch(r"[0-9]{2,}-[0-9-]*", text):
        cases = _cases(db, text)
        return Hits(text, cases=cases) if cases else _hits(text, _by_phone(db, text))
    if re.fullmatch(r"[0-9]+[Xx]?", text):
        return _hits(text, _by_digits(db, text.upper()))
    if text.isascii():
        return _hits(text, _by_pinyin(db, text.lower())) if text.isalpha() else Hits(text)
    return _hits(text, _range(db, "p.name", text))


def _hits(text: str, rows: list[Any]) -> Hits:
    unique = list({bytes(row["id"]): row for row in rows}.values())
    return Hits(text, unique[:SHOWN], [], max(0, len(unique) - SHOWN), len(rows) >= SEEN_AT_MOST)


def _range(db: Any, column: str, prefix: str) -> list[Any]:
    """Rows whose column begins with the prefix; the whole of it first, then the oldest."""
    return list(
        db.execute(
            f"{_PERSON} WHERE {column} >= ? AND {column} < ? ORDER BY {column}, p.birth_on LIMIT ?",
            (prefix, prefix + _LAST, SEEN_AT_MOST),
        )
    )


def _by_digits(db: Any, text: str) -> list[Any]:
    """A whole or begun ID number, old or new, or a phone number."""
    rows = _range(db, "p.id_number", text)
    if len(text) <= 15 and not text.endswith("X"):
        rows += _range(db, "p.id_number_15", text)
        rows += _by_phone(db, text) if len(text) >= 5 else []
    return rows


def _by_phone(db: Any, text: str) -> list[Any]:
    # Phones have no index: one walk over that narrow table, then the few persons by their id, never the other way.
    ids_found = [
        row[0]
        for row in db.execute(
            "SELECT id FROM contact WHERE phone >= ? AND phone < ? LIMIT ?", (text, text + _LAST, SEEN_AT_MOST)
        )
    ]
    if not ids_found:
        return []
    marks = ",".join("?" * len(ids_found))
    return list(db.execute(f"{_PERSON} WHERE p.id IN ({marks}) ORDER BY p.name", ids_found))


def _by_pinyin(db: Any, text: str) -> list[Any]:
    """Initials before full pinyin: two or three letters are nearly always initials."""
    if len(text) < 2:
        return []
    return _range(db, "p.initials", text) + _range(db, "p.pinyin", text)


def _cases(db: Any, text: str) -> list[Any]:
    """A receipt number from its beginning, or `26-000417` / `000417-3` from its middle."""
    rows = db.execute(
        f"{_CASE} WHERE receipt_no >= ? AND receipt_no < ? ORDER BY receipt_no DESC LIMIT ?",
        (text, text + _LAST, SHOWN),
    ).fetchall()
    return list(rows) or list(
        db.execute(f"{_CASE} WHERE receipt_no LIKE ? ORDER BY created_at DESC LIMIT ?", (f"%{text}%", SHOWN))
    )


def insured_as(db: Any, person_ids: list[bytes]) -> dict[bytes, tuple[str, str]]:
    """For the result list: the one thing worth knowing of each person, (insurance, state).

    Drawing before paying, what goes on before what ended, a pension before the rest.
    """
    if not person_ids:
        return {}
    marks = ",".join("?" * len(person_ids))
    rows = db.execute(
        "SELECT person_id, insurance, state, 2 AS rank, insurance LIKE '%pension' AS pension "
        f"FROM enrolment WHERE person_id IN ({marks}) "
        f"UNION ALL SELECT person_id, kind, 'drawing_' || state, 1, 1 FROM benefit WHERE person_id IN ({marks}) "
        "ORDER BY rank DESC, state DESC, pension",
        (*person_ids, *person_ids),
    )
    return {bytes(row["person_id"]): (row["insurance"], row["state"]) for row in rows}


def register_size(db: Any) -> int:
    """How many persons this station's register holds: the search says where it looked."""
    return int(db.execute("SELECT count(*) FROM person").fetchone()[0])


def case_by_receipt(db: Any, typed: str) -> bytes | None:
    """The case of a whole receipt number taken here, or None."""
    if not ids.is_receipt_no(typed):
        return None
    found = db.execute("SELECT id FROM case_file WHERE receipt_no = ?", (typed.strip(),)).fetchone()
    return bytes(found[0]) if found else None
