# SPDX-License-Identifier: Apache-2.0
"""The shape of what a station's facts say. A good signature proves who said it, not that it can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from schema import prints, survival
from schema.clock import parse_stamp, stamp
from schema.errors import Refusal
from schema.events import Fact

Check = Callable[[Any], bool]

ANSWERS_MAX_CHARS = 20000
MATERIALS_MAX_CHARS = 4000
WRAPPED_KEY_MAX_BYTES = 4096
PERSONS_MAX = 1_000_000


def _text(limit: int, *, optional: bool = False) -> Check:
    return lambda v: (optional and v is None) or (type(v) is str and len(v) <= limit and (optional or bool(v)))


def _id(*, optional: bool = False) -> Check:
    return lambda v: (optional and v is None) or (type(v) is bytes and len(v) == 16)


def _answers(value: Any) -> bool:
    plain = type(value) is dict and all(type(k) is str and type(v) is str for k, v in value.items())
    return plain and len(json.dumps(value, ensure_ascii=False)) <= ANSWERS_MAX_CHARS


def _materials(value: Any) -> bool:
    plain = type(value) is list and all(type(v) is str for v in value) and len(set(value)) == len(value)
    return plain and len(json.dumps(value, ensure_ascii=False)) <= MATERIALS_MAX_CHARS


def _scans(value: Any) -> bool:
    """Hashes by paper; a station of before has none."""
    if value is None:
        return True
    plain = type(value) is dict and all(type(k) is str and len(k) <= 40 and type(v) is list for k, v in value.items())
    hashes = [one for listed in value.values() for one in listed] if plain else []
    return plain and len(hashes) <= 200 and all(type(h) is str and re.fullmatch("[0-9a-f]{64}", h) for h in hashes)


def _number(value: Any) -> bool:
    return type(value) is int and 0 < value < 10000


def _day(value: Any) -> bool:
    try:
        return type(value) is str and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _instant(value: Any) -> bool:
    try:
        return type(value) is str and stamp(parse_stamp(value)) == value
    except ValueError:
        return False


def _wrapped_key(value: Any) -> bool:
    return type(value) is bytes and 64 <= len(value) <= WRAPPED_KEY_MAX_BYTES


SHAPES: dict[str, dict[str, Check]] = {
    "case_submitted": {
        "case_id": _id(),
        "service": _text(60),
        "service_version": _number,
        "pack": _text(64),
        "person_id": _id(optional=True),
        "unit_id": _id(optional=True),
        "household_id": _id(optional=True),
        "person_name": _text(120, optional=True),
        "township": _text(9),
        "receipt_no": _text(40),
        "answers": _answers,
        "materials": _materials,
        "scans": _scans,
    },
    "case_resubmitted": {"case_id": _id(), "answers": _answers, "materials": _materials, "scans": _scans},
    "case_withdrawn": {"case_id": _id(), "reason": _text(500)},
    "eligibility_checked": {
        "person_id": _id(),
        "checked_on": _day,
        "seen_at": _instant,
        "method": lambda v: v in survival.METHODS,
        "found": lambda v: type(v) is int and v in (0, 1),
        "note": _text(survival.NOTE_MAX_CHARS, optional=True),
        "photo": lambda v: v is None or (type(v) is bytes and len(v) == 32),
    },
    "document_printed": {
        "document": lambda v: v in prints.DOCUMENTS,
        "copy": _number,
        "number": _text(40, optional=True),
        "persons": lambda v: type(v) is int and 0 <= v <= PERSONS_MAX,
        "purpose": _text(prints.PURPOSE_MAX_CHARS, optional=True),
    },
    "officer_key_changed": {"operator_no": _text(20), "wrapped_key": _wrapped_key},
}


def read(fact: Fact) -> dict[str, Any]:
    """The body of a station's fact, every part of it checked. Raises Refusal naming the part that is wrong.

    What the station says beside these parts (mode, legal state, findings) is not read: the hub finds out by itself.
    """
    wrong = [name for name, check in SHAPES[fact.kind].items() if not check(fact.body.get(name))]
    if "case_id" in SHAPES[fact.kind] and fact.body.get("case_id") != fact.subject:
        wrong.append("subject")
    if wrong:
        parts = ", ".join(wrong)
        raise Refusal(f"事件内容不对：{parts}", f"the fact's body is not in order: {parts}", code="body")
    return fact.body
