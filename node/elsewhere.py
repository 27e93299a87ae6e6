# SPDX-License-Identifier: Apache-2.0
"""Whether an ID number is known elsewhere in the county, asked of the digest that the hub sends (`schema.elsewhere`).

"Perhaps" is all it can say: one number in 33 that nobody has is taken for somebody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from schema import elsewhere, resident_id, view


@dataclass(frozen=True)
class Known:
    """Somebody of this number may be registered in the county. `township`: its code, '' when the digest does not say.

    `name`, `name_en`: the township's.
    """

    number: str
    township: str
    name: str
    name_en: str


def known(db: Any, typed: str, today: date) -> Known | None:
    """What the digest says of a whole ID number, 15 or 18 digits, of somebody who is not in the register here.

    None for anything that is no right ID number, for our own people, and before the digest has come.
    """
    read, _ = resident_id.read(typed, today)
    if read is None or view.find_by_id_number(db, read.number) is not None:
        return None
    head = _bucket(db, elsewhere.KEY_BUCKET)
    if not head:
        return None
    key, townships = elsewhere.unpack_key(head)
    bucket, rest = elsewhere.place(key, read.number)
    found = [town for place, town in elsewhere.unpack(_bucket(db, bucket)) if place == rest]
    if not found:
        return None
    code = townships[found[0]] if found[0] < len(townships) else ""
    row = db.execute("SELECT name, coalesce(name_en, name) AS name_en FROM division WHERE code = ?", (code,)).fetchone()
    return Known(read.number, code, row["name"] if row else code, row["name_en"] if row else code)


def _bucket(db: Any, number: int) -> bytes:
    row = db.execute("SELECT entries FROM elsewhere WHERE bucket = ?", (number,)).fetchone()
    return bytes(row["entries"]) if row else b""
