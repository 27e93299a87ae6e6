# SPDX-License-Identifier: Apache-2.0
"""Somebody typed anew may be in the register: an ID number with one slip, the same name and birth date, the phone.

Asked while a form is filled, so each question is a walk of an index. It only suggests: the clerk has the papers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schema import resident_id

SHOWN = 3
_DIGITS = "0123456789"
_PERSON = """
    SELECT p.id, p.id_number, p.name, p.birth_on, p.village, p.life_status, d.name AS village_name
    FROM person p LEFT JOIN division d ON d.code = p.village
"""


@dataclass(frozen=True)
class Alike:
    """A person of the register, and why: `number` one slip away, `person` same name and birth date, `phone`."""

    person: Any
    why: str


def find(db: Any, answers: Mapping[str, str]) -> list[Alike]:
    """Who may be meant by what a form says so far, the best reason first, each person once. The number itself is not
    among them: whoever has it is found, not alike."""
    number = resident_id.compact(answers.get("id_number", ""))
    name = answers.get("name", "").strip()
    phone = "".join(c for c in answers.get("phone", "") if c.isdigit() or c == "-")
    found = [Alike(row, "number") for row in _by_slips(db, number)]
    found += [Alike(row, "person") for row in _by_name(db, name, number)]
    found += [Alike(row, "phone") for row in _by_phone(db, phone)]
    first: dict[bytes, Alike] = {}
    for one in found:
        if one.person["id_number"] != number:
            first.setdefault(bytes(one.person["id"]), one)
    return list(first.values())[:SHOWN]


def slips_of(number: str) -> set[str]:
    """Every number that one wrong digit, or two neighbours swapped, make of an 18-digit one."""
    wrong = {
        number[:i] + digit + number[i + 1 :]
        for i in range(len(number))
        for digit in (_DIGITS + "X" if i == len(number) - 1 else _DIGITS)
    }
    swapped = {number[:i] + number[i + 1] + number[i] + number[i + 2 :] for i in range(len(number) - 1)}
    return (wrong | swapped) - {number}


def _by_slips(db: Any, number: str) -> list[Any]:
    if len(number) != 18 or not number[:17].isascii() or not number[:17].isdigit():
        return []
    near = sorted(slips_of(number))
    return list(db.execute(f"{_PERSON} WHERE p.id_number IN ({','.join('?' * len(near))}) LIMIT ?", (*near, SHOWN)))


def _by_name(db: Any, name: str, number: str) -> list[Any]:
    """Same name and the birth date in the number: the rest of it was misread, or is another one's."""
    digits = number[6:14]
    if len(number) == 15:
        digits = f"19{number[6:12]}"
    if not name or len(digits) != 8 or not digits.isascii() or not digits.isdigit():
        return []
    birth_on = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return list(db.execute(f"{_PERSON} WHERE p.name = ? AND p.birth_on = ? LIMIT ?", (name, birth_on, SHOWN)))


def _by_phone(db: Any, phone: str) -> list[Any]:
    if len(phone) < 7:
        return []
    ids = [row[0] for row in db.execute("SELECT id FROM contact WHERE phone = ? LIMIT ?", (phone, SHOWN + 1))]
    # A number that many have is a shop's or an office's, and says nothing.
    if not ids or len(ids) > SHOWN:
        return []
    return list(db.execute(f"{_PERSON} WHERE p.id IN ({','.join('?' * len(ids))})", ids))
