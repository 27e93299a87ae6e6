# SPDX-License-Identifier: Apache-2.0
"""One box finds anyone: ID number (18 or 15), name, pinyin or its initials or both mixed, phone, card, receipt, unit.

What was typed decides where to look, so each query walks one or two indexes and never the table: a prefix is the range
`[text, text + the last character there is)`. The caller says where it looked; this module only counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from node import pinyin
from schema import ids

SHOWN = 8
UNITS_SHOWN = 3  # beside persons; as many as persons when nobody of that name was found
SEEN_AT_MOST = 200  # beyond this the answer is "many, type more": counting them all would cost and tell nothing
MAX_TYPED = 64
_LAST = "\U0010ffff"
_OLD_DIGITS = 15

_PERSON = """
    SELECT p.id, p.id_number, p.id_number_15, p.name, p.initials, p.pinyin, p.sex, p.birth_on, p.village, p.life_status,
        d.name AS village_name
    FROM person p LEFT JOIN division d ON d.code = p.village
"""
_CASE = "SELECT id, receipt_no, person_id, person_name, service, state FROM case_file"
_UNIT = """
    SELECT u.id, u.uscc, u.name, u.township, d.name AS township_name
    FROM unit u LEFT JOIN division d ON d.code = u.township
"""
_WHOLE = ("id_number", "id_number_15", "name", "initials", "pinyin")


@dataclass(frozen=True)
class Hits:
    """What was found. `more`: how many persons are not among those shown; `many`: there were too many to count."""

    typed: str
    persons: list[Any] = field(default_factory=list)
    cases: list[Any] = field(default_factory=list)
    units: list[Any] = field(default_factory=list)
    more: int = 0
    many: bool = False

    @property
    def empty(self) -> bool:
        return not self.persons and not self.cases and not self.units


def normal(typed: str) -> str:
    """What the input method sent, made plain: half width, no separators, no spaces."""
    text = unicodedata.normalize("NFKC", typed[: MAX_TYPED * 4])
    kept = re.sub(r"[\s'\u2019`]+", "", text)[:MAX_TYPED]
    return kept if kept.isprintable() else ""


def find(db: Any, typed: str, own: str = "") -> Hits:
    """Persons, units and cases that fit what was typed, best first; nothing for an empty box.

    `own`: the division code of this station; its own people come before those of other places.
    """
    text = normal(typed)
    if not text:
        return Hits(text)
    if re.fullmatch(r"[0-9]{2,}-[0-9-]*", text):
        cases = _cases(db, text)
        return Hits(text, cases=cases) if cases else _hits(text, own, _by_phone(db, text))
    if re.fullmatch(r"[0-9]+[Xx]?", text):
        return _hits(text, own, _by_digits(db, text.upper()), _units_by_code(db, text.upper()))
    if not text.isascii():
        return _hits(text, own, _range(db, "p.name", text), _units_by_name(db, text))
    if text.isalpha():
        return _hits(text.lower(), own, _by_pinyin(db, text.lower()))
    if not text.isalnum():
        return Hits(text)
    return _hits(text.upper(), own, _by_card(db, text.upper()), _units_by_code(db, text.upper()))


def _hits(text: str, own: str, rows: list[Any], units: Iterable[Any] = ()) -> Hits:
    """Whole before begun, our own before others', the living before the dead; else in the order found."""

    def rank(row: Any) -> tuple[bool, bool, bool]:
        whole = any(row[column] == text for column in _WHOLE)
        return not whole, not (own and row["village"].startswith(own)), row["life_status"] == "2"

    unique = sorted({bytes(row["id"]): row for row in reversed(rows)}.values(), key=lambda row: rank(row))
    shown = list(units)[: UNITS_SHOWN if unique else SHOWN]
    return Hits(text, unique[:SHOWN], [], shown, max(0, len(unique) - SHOWN), len(rows) >= SEEN_AT_MOST)


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
    if len(text) <= _OLD_DIGITS and not text.endswith("X"):
        rows += _range(db, "p.id_number_15", text)
        # Most registers keep the new number only: the old one is the new one without the century and the last digit.
        rows += _range(db, "p.id_number", f"{text[:6]}19{text[6:]}") if len(text) > 6 else []
        rows += _by_phone(db, text) + _by_card(db, text) if len(text) >= 5 else []
    return rows


def _by_phone(db: Any, text: str) -> list[Any]:
    return _owners(db, "SELECT id FROM contact WHERE phone >= ? AND phone < ? LIMIT ?", text)


def _by_card(db: Any, text: str) -> list[Any]:
    """Whose card has that number, of the cards that are on record."""
    if len(text) < 5:
        return []
    return _owners(db, "SELECT person_id FROM card WHERE card_no >= ? AND card_no < ? LIMIT ?", text)


def _owners(db: Any, sql: str, prefix: str) -> list[Any]:
    # The ids first, then the few persons by theirs: joined, the planner may walk the register instead.
    ids_found = [row[0] for row in db.execute(sql, (prefix, prefix + _LAST, SEEN_AT_MOST))]
    if not ids_found:
        return []
    marks = ",".join("?" * len(ids_found))
    return list(db.execute(f"{_PERSON} WHERE p.id IN ({marks}) ORDER BY p.name", ids_found))


def _by_pinyin(db: Any, text: str) -> list[Any]:
    """Initials before full pinyin: two or three letters are nearly always initials. Mixed (`zhangsm`) only if neither
    fills the list: each way to cut the letters into syllables is a query."""
    if len(text) < 2:
        return []
    rows = _range(db, "p.initials", text) + _range(db, "p.pinyin", text)
    for syllables in pinyin.cuts(text) if len(rows) < SHOWN else ():
        initials = "".join(s[0] for s in syllables)
        rows += db.execute(
            f"{_PERSON} WHERE p.initials >= ? AND p.initials < ? AND p.pinyin LIKE ? "
            "ORDER BY p.initials, p.birth_on LIMIT ?",
            (initials, initials + _LAST, "%".join(syllables) + "%", SEEN_AT_MOST),
        )
    return rows


def _units_by_code(db: Any, text: str) -> list[Any]:
    """Units whose credit code begins so."""
    if len(text) < 4:
        return []
    sql = f"{_UNIT} WHERE u.uscc >= ? AND u.uscc < ? ORDER BY u.uscc LIMIT ?"
    return list(db.execute(sql, (text, text + _LAST, SHOWN)))


def _units_by_name(db: Any, text: str) -> list[Any]:
    """Units with that in their name: they all begin with the county's, so a clerk types from the middle.

    A walk, over the few hundred or thousand units that a station knows.
    """
    if len(text) < 2:
        return []
    sql = f"{_UNIT} WHERE instr(u.name, ?) ORDER BY u.name <> ?, length(u.name), u.name LIMIT ?"
    return list(db.execute(sql, (text, text, SHOWN)))


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
