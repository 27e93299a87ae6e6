# SPDX-License-Identifier: Apache-2.0
"""One line of a register file: what it says of a person, table by table, and all that is wrong with it at once.

An empty cell says nothing: it never clears what the register knows. Findings of grade `block` refuse the line; a
`hint` leaves one value out, or tells what was understood.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Any

from hub.importing import headings
from hub.importing.headings import Column
from hub.importing.remarks import block, hint, left_out
from hub.settlement.kernel import AMOUNT_LIMIT_FEN, BALANCE_LIMIT_FEN
from schema import field_types, ids, money, resident_id
from schema.field_types import Context
from schema.findings import Finding
from schema.parameter import Parameters
from schema.resident_id import ResidentId
from schema.service_parts import Field
from schema.sheets import LOST_DIGITS, Line

COUNT_MAX = 1200
TOWNSHIP_DIGITS = 9
ALIVE, DEAD = "1", "2"
OF_INSURANCE = (
    "enrolment_state", "began_month", "grade", "balance", "paid_months", "benefit", "benefit_basic", "benefit_account",
    "benefit_state", "benefit_from", "paid_through",
)  # fmt: skip
_DATE_OF_MONTH = re.compile(r"([0-9]{4}[-/.年]?[0-9]{1,2})[-/.月][0-9]{1,2}日?|([0-9]{6})[0-9]{2}")


@dataclass(frozen=True)
class Setting:
    """What judging a line may look at: the day, the parameters, the divisions in force (code -> code to use now)."""

    today: date
    parameters: Parameters
    villages: Mapping[str, str]

    @property
    def context(self) -> Context:
        return Context(self.today, self.parameters)


@dataclass(frozen=True)
class Parsed:
    """A line understood. `stated`: per table, the columns that the file says something about."""

    line: Line
    resident: ResidentId | None
    stated: dict[str, dict[str, Any]]
    findings: list[Finding] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return any(f.severity == "block" for f in self.findings)


def parse(line: Line, cells: Mapping[str, str], setting: Setting) -> Parsed:
    """Read and judge the cells of a line, given by column id."""
    findings: list[Finding] = []
    values: dict[str, Any] = {}
    resident = None
    for name, text in cells.items():
        if not text:
            continue
        column = headings.register().columns[name]
        if column.type == "resident_id":
            resident, found = _resident(text, setting.today)
        else:
            values[name], found = _value(column, text, setting)
        findings += found
    for needed in headings.NEEDED:
        if not cells.get(needed):
            findings.append(block("required", needed, **headings.register().columns[needed].label))
    findings += _agreement(values, resident, setting.today)
    stated = _stated(values, resident) if resident else {}
    return Parsed(line, resident, stated, findings)


def key_of(text: str) -> str:
    """What two lines of the same person have in common: the 18-digit form of what stands in the number's column."""
    plain = resident_id.compact(text)
    return resident_id.upgrade(plain) if len(plain) == 15 and plain.isascii() and plain.isdigit() else plain


def _resident(text: str, today: date) -> tuple[ResidentId | None, list[Finding]]:
    if LOST_DIGITS.fullmatch(text):
        return None, [block("id_lost_digits", "id_number")]
    return resident_id.read(text, today)


def _value(column: Column, text: str, setting: Setting) -> tuple[Any, list[Finding]]:
    """The value of one cell. A wrong one of a soft column becomes a remark."""
    value, found = _READERS.get(column.type, _typed)(column, text, setting)
    return value, [left_out(f) for f in found] if column.soft else found


def _typed(column: Column, text: str, setting: Setting) -> tuple[Any, list[Finding]]:
    return field_types.parse(_form_field(column.id), text, setting.context)


@cache
def _form_field(name: str) -> Field:
    column = headings.register().columns[name]
    return Field(column.id, column.type, column.label, "", limit=column.limit)


def _code(column: Column, text: str, setting: Setting) -> tuple[Any, list[Finding]]:
    code = headings.register().code(column.id, text)
    return code, [] if code is not None else [block("code_unknown", column.id, text=text[:20])]


def _count(column: Column, text: str, setting: Setting) -> tuple[Any, list[Finding]]:
    plain = unicodedata.normalize("NFKC", text).removesuffix("个月").removesuffix("月")
    if re.fullmatch("[0-9]{1,4}", plain) and int(plain) <= COUNT_MAX:
        return int(plain), []
    return None, [block("count_form", column.id, text=text[:20], most=COUNT_MAX)]


def _money(column: Column, text: str, setting: Setting) -> tuple[Any, list[Finding]]:
    """An amount a month can be settled with: one absurd balance must not stop the whole county's month."""
    value, found = _typed(column, text, setting)
    limit = BALANCE_LIMIT_FEN if column.id == "balance" else AMOUNT_LIMIT_FEN // 4
    if value is None or value < limit:
        return value, found
    return None, [block("amount_range", column.id, most=money.yuan(limit))]


def _month(column: Column, text: str, setting: Setting) -> tuple[Any, list[Finding]]:
    """A month, also where the register gives a whole date for it."""
    found = _DATE_OF_MONTH.fullmatch(unicodedata.normalize("NFKC", text).replace(" ", ""))
    return _typed(column, (found[1] or found[2]) if found else text, setting)


def _village(column: Column, text: str, setting: Setting) -> tuple[Any, list[Finding]]:
    """A division in force; a former one gives its successor. A village nobody listed is taken if its township is."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    code = setting.villages.get(plain)
    if code == plain:
        return code, []
    if code is not None:
        return code, [hint("village_former", column.id, text=plain, now=code)]
    township = setting.villages.get(plain[:TOWNSHIP_DIGITS])
    if re.fullmatch("[0-9]{12}", plain) and township == plain[:TOWNSHIP_DIGITS]:
        return plain, [hint("village_unlisted", column.id, text=plain, township=township)]
    return None, [block("village_unknown", column.id, text=plain[:20])]


_READERS = {"code": _code, "count": _count, "money": _money, "month": _month, "village": _village}


def _agreement(values: Mapping[str, Any], resident: ResidentId | None, today: date) -> list[Finding]:
    """Cells that contradict each other or cannot stand alone."""
    get = values.get
    out = []
    if resident and get("birth_on") not in (None, resident.birth_on.isoformat()):
        out.append(block("birth_differs", "birth_on", birth_on=resident.birth_on))
    if resident and get("sex") not in (None, resident.sex):
        out.append(block("sex_differs", "sex"))
    if get("died_on") and get("life_status") == ALIVE:
        out.append(block("died_alive", "died_on"))
    if (get("died_on") or "") > today.isoformat():
        out.append(block("died_future", "died_on"))
    bank = [get(name) for name in ("bank", "account_no", "holder")]
    if any(bank) and not all(bank):
        out.append(block("bank_incomplete", "account_no"))
    if all(bank) and get("name") not in (None, get("holder")):
        out.append(block("holder_differs", "holder", holder=get("holder")))
    total = values.get("benefit")
    if total is not None and total < (get("benefit_basic") or 0) + (get("benefit_account") or 0):
        out.append(block("benefit_parts", "benefit", total=money.yuan(total)))
    if not get("insurance") and any(get(name) is not None for name in OF_INSURANCE):
        out.append(block("insurance_missing", "insurance"))
    return out


def _stated(values: dict[str, Any], resident: ResidentId) -> dict[str, dict[str, Any]]:
    """The values by table and column of the register; what the file says nothing about is left out."""
    get = values.get
    tables: dict[str, dict[str, Any]] = {
        "person": {
            "id_number": resident.number,
            "id_number_15": resident.number_15,
            "name": get("name"),
            "sex": resident.sex,
            "birth_on": resident.birth_on.isoformat(),
            "ethnic": get("ethnic"),
            "village": get("village"),
            "household_id": household_id(get("household_no")),
            "life_status": DEAD if get("died_on") else get("life_status"),
            "died_on": get("died_on"),
            "work_began_on": get("work_began_on"),
        },
        "household": {"id": household_id(get("household_no")), "head_name": get("household_no") and get("head_name")},
        "contact": {"phone": get("phone"), "address": get("address") or get("registered_at")},
        "enrolment": {
            "insurance": get("insurance"),
            "state": get("enrolment_state"),
            "began_month": get("began_month"),
            "grade_fen": get("grade"),
        },
        "account": {"balance_fen": get("balance"), "paid_months": get("paid_months")},
        "benefit": {
            "state": get("benefit_state"),
            "from_month": get("benefit_from"),
            "paid_through": get("paid_through"),
            **_parts(values),
        },
        "bank_account": {"bank": get("bank"), "account_no": get("account_no"), "holder": get("holder")},
    }
    if tables["contact"]["address"]:
        tables["contact"]["address_village"] = get("village")
    return {table: {c: v for c, v in row.items() if v is not None} for table, row in tables.items()}


def _parts(values: Mapping[str, Any]) -> dict[str, int | None]:
    """The parts of a monthly benefit. A total without parts counts as basic pension: it draws down no account."""
    total, basic, account = (values.get(name) for name in ("benefit", "benefit_basic", "benefit_account"))
    if total is None:
        return {"basic_fen": basic, "account_fen": account}
    if basic is None and account is None:
        return {"basic_fen": total, "account_fen": 0, "extra_fen": 0}
    known = (basic or 0) + (account or 0)
    return {"basic_fen": basic or 0, "account_fen": account or 0, "extra_fen": total - known}


def household_id(number: str | None) -> bytes | None:
    """The id of a family book: from its number, so that all lines of the family meet in one row.

    A register that this system wrote gives the id itself.
    """
    if not number:
        return None
    try:
        return ids.from_text(number)
    except ValueError:
        return sha256(f"household {number}".encode()).digest()[:16]
