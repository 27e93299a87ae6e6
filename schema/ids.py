# SPDX-License-Identifier: Apache-2.0
"""Identifiers made where the work is done: 16 random bytes, and receipt numbers from leased blocks.

Ids of persons and of registry rows are never derived: a row that was evicted and made again under a derived id restarts
its CRDT versions and silently loses edits. Rows that the hub alone makes for a case or a person get ids that follow
from that one's random id: the same on any machine, and a first load need not carry 16 random bytes per row.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

ID_BYTES = 16
# Tables with one row for each person and value of this column, neither of which ever changes.
FOLLOWS = {"benefit": "kind", "employment": "began_month", "enrolment": "insurance"}
_CHECK_WEIGHTS = (7, 3, 1)


def new_id() -> bytes:
    """16 random bytes."""
    return secrets.token_bytes(ID_BYTES)


def derived_id(base: bytes, label: str) -> bytes:
    """The id of a row that follows from another id: the same for the same base and label, on any machine."""
    return sha256(base + label.encode()).digest()[:ID_BYTES]


def owned_id(table: str, person_id: bytes, value: str) -> bytes:
    """The id of the person's row of one of the tables in FOLLOWS with this value in its column."""
    return derived_id(person_id, f"{table} {value}")


def to_text(value: bytes) -> str:
    """An id as 32 hex digits: the form used in URLs, logs and JSON."""
    return value.hex()


def from_text(text: str) -> bytes:
    """32 hex digits back to an id. Raises ValueError for anything else."""
    value = bytes.fromhex(text)
    if len(value) != ID_BYTES or len(text) != 2 * ID_BYTES:
        raise ValueError("an id is 32 hex digits")
    return value


def is_text(text: str) -> bool:
    """Whether this is an id as text."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def receipt_no(station: str, year: int, serial: int) -> str:
    """Receipt number 0100-1-26-000417-3: station and window, year, serial, check digit.

    Unique because the hub leases each station its own block of serials.
    """
    return with_check_digit(f"{station}-{year % 100:02d}-{serial:06d}")


def with_check_digit(body: str) -> str:
    """A printed number with the digit that shows a mistyped one."""
    return f"{body}-{_check_digit(body)}"


def is_receipt_no(text: str) -> bool:
    """Whether the check digit fits: catches one mistyped digit and most swaps."""
    body, _, check = text.strip().rpartition("-")
    return bool(body) and check.isdigit() and check == str(_check_digit(body))


def _check_digit(body: str) -> int:
    digits = [int(c) for c in body if c.isdigit()]
    return sum(d * _CHECK_WEIGHTS[i % 3] for i, d in enumerate(digits)) % 10
