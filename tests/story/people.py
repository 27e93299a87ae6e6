# SPDX-License-Identifier: Apache-2.0
"""Who comes to the counter: residents of the synthetic county that fit each item, picked from the hub's register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from stdnum.cn import ric

from schema import period, resident_id
from schema.database import Store

_PEOPLE = """
    SELECT p.*, k.holder, a.paid_months AS paid,
        (SELECT count(*) FROM enrolment e WHERE e.person_id = p.id AND e.insurance LIKE '%pension') AS pensions,
        (SELECT count(*) FROM benefit b WHERE b.person_id = p.id) AS drawing,
        (SELECT count(*) FROM enrolment e WHERE e.person_id = p.id AND e.insurance = 'resident_pension'
         AND e.state = 'active') AS resident
    FROM person p LEFT JOIN bank_account k ON k.person_id = p.id
    LEFT JOIN account a ON a.person_id = p.id AND a.insurance = 'resident_pension'
    WHERE p.village LIKE ? AND p.life_status = '1' ORDER BY p.id"""


@dataclass(frozen=True)
class Residents:
    """Ids of residents of one township, by what they may ask for."""

    claimants: list[bytes]
    unenrolled: list[bytes]
    others: list[bytes]
    numbers: dict[bytes, str]
    names: dict[bytes, str]


def residents(hub: Store, township: str, today: date) -> Residents:
    """Living residents with clean numbers of a township."""
    with hub.read() as db:
        people = [dict(row) for row in db.execute(_PEOPLE, (township + "%",))]
    clean = [p for p in people if _is_clean(p, today)]
    ages = {bytes(p["id"]): period.age_on(date.fromisoformat(p["birth_on"]), today) for p in clean}
    claimants = [
        p for p in clean
        if ages[p["id"]] == 60 and p["resident"] and not p["drawing"] and (p["paid"] or 0) >= 180
        and p["holder"] == p["name"]
    ]  # fmt: skip
    unenrolled = [p for p in clean if 25 <= ages[p["id"]] <= 59 and not p["pensions"] and not p["drawing"]]
    taken = {p["id"] for p in claimants + unenrolled}
    others = [p for p in clean if ages[p["id"]] >= 18 and p["id"] not in taken]
    return Residents(
        [p["id"] for p in claimants], [p["id"] for p in unenrolled], [p["id"] for p in others],
        {p["id"]: p["id_number"] for p in clean}, {p["id"]: p["name"] for p in clean},
    )  # fmt: skip


def _is_clean(person: dict[str, Any], today: date) -> bool:
    number, findings = resident_id.read(person["id_number"], today)
    fits = number is not None and number.birth_on.isoformat() == person["birth_on"] and number.sex == person["sex"]
    return fits and not any(f.severity == "block" for f in findings)


def invented_number(serial: int) -> str:
    """A right ID number of nobody: born in 1990, with a sequence the synthetic county never reaches."""
    body = f"330683199{serial % 10}0101{990 + serial // 10 % 10}"
    return body + ric.calc_check_digit(body + "0")
