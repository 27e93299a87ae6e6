# SPDX-License-Identifier: Apache-2.0
"""Case files (tests/cases) as views, answers and expectations; shared by the tests of the domain."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from schema import parameter, service
from schema.checks import Examined, examine
from schema.ids import from_text
from schema.parameter import Parameters
from schema.service_parts import Service
from schema.tables import TABLES
from schema.view import PersonView
from schema.view_unit import HouseholdView, UnitView

CASES = Path(__file__).parents[1] / "cases"
PERSON_ID = b"person-0000-0001"
UNIT_ID = b"unit------------"
CASE_ID = b"case-00000000001"


@cache
def parameters() -> Parameters:
    return parameter.load()


@cache
def services() -> dict[str, Service]:
    return service.load_all()


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def good(service_id: str) -> dict[str, Any]:
    """The complete, faultless case of an item."""
    return read(CASES / "services" / f"{service_id}.toml")


def ways(service_id: str) -> list[dict[str, Any]]:
    """The good case, and beside it one for each other way in which the item is decided: sections `[[also]]`."""
    first = good(service_id)
    others = first.pop("also", [])
    return [first, *(merged(first, also) for also in others)]


def view_of(data: dict[str, Any]) -> PersonView:
    """The view that a case file describes: sections person, contact, enrolments ...; known = false for somebody new."""
    known = data.get("known", True) and "person" in data
    held = data.get("numbers_held", {})
    holders = {number: PERSON_ID if who == "self" else b"person-0000-0002" for number, who in held.items()}
    others = {table: [_row(table, r) for r in found] for table, found in data.get("rows", {}).items()}
    rows = {name: [_row(table, r) for r in data.get(name, [])] for name, table in _LISTS.items()}
    return PersonView(
        person=_row("person", data["person"]) if known else {},
        contact=_row("contact", data.get("contact", {})) if known and "contact" in data else {},
        account=_row("account", data["account"]) if "account" in data else {},
        bank_account=_row("bank_account", data["bank_account"]) if "bank_account" in data else {},
        open_cases=[{"id": b"case-00000000002", "answers": {}, **c} for c in data.get("open_cases", [])],
        as_of=data["today"],
        known=known,
        at_hub=data.get("at_hub", False),
        holder_of=holders.get,
        unit=_unit(data),
        household=_household(data),
        accounts=[_row("account", a) for a in data.get("accounts", [])],
        rows_of=lambda table: others.get(table, []),
        row=lambda table, row_id: next((r for r in others.get(table, []) if r["id"] == row_id), {}),
        **rows,
    )


def _unit(data: dict[str, Any]) -> UnitView | None:
    """Section [unit]: empty for one that is not in the register; `working`: how many work there by it."""
    if "unit" not in data:
        return None
    held = data.get("codes_held", {})
    holders = {code: UNIT_ID if who == "self" else b"unit-----------2" for code, who in held.items()}
    row = _row("unit", data["unit"]) if data["unit"] else {}
    return UnitView(row, data.get("working", 0), [], data["today"], holders.get)


def _household(data: dict[str, Any]) -> HouseholdView | None:
    """Section [household] with [[members]], and [[member_enrolments]] that name a member by its place."""
    if "household" not in data:
        return None
    members = [_row("person", m) | {"id": member_id(i)} for i, m in enumerate(data.get("members", []))]
    enrolments: dict[bytes, list[dict[str, Any]]] = {m["id"]: [] for m in members}
    for given in data.get("member_enrolments", []):
        plain = {name: value for name, value in given.items() if name != "member"}
        enrolments[member_id(given["member"])].append(_row("enrolment", plain))
    return HouseholdView(_row("household", data["household"]), members, enrolments, [], data["today"])


def member_id(place: int) -> bytes:
    """The id of the household's member at that place of the case file."""
    return f"{f'member-{place}':-<16}".encode()


_BY_PERSON = ("person", "contact", "job_seeker", "visit_note")
_LISTS = {"enrolments": "enrolment", "benefits": "benefit", "employments": "employment"}


def _row(table: str, given: dict[str, Any]) -> dict[str, Any]:
    """A whole row of the table: given columns, ids made up, the rest NULL."""
    assert set(given) <= set(TABLES[table].names), f"{table} has no column {set(given) - set(TABLES[table].names)}"
    made = {
        "person_id": PERSON_ID,
        "id": PERSON_ID if table in _BY_PERSON else f"{table:-<16}"[:16].encode(),
        "case_id": CASE_ID[::-1],
    }
    row: dict[str, Any] = {n: given.get(n, made.get(n)) for n in TABLES[table].names if n != "rev"}
    return {n: from_text(v) if (n == "id" or n.endswith("_id")) and isinstance(v, str) else v for n, v in row.items()}


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """The base with a case's differences: tables are merged key by key, everything else is replaced."""
    out = dict(base)
    for key, value in over.items():
        out[key] = merged(base.get(key, {}), value) if isinstance(value, dict) else value
    return out


def examined(data: dict[str, Any]) -> Examined:
    item = services()[data["service"]]
    return examine(item, data["answers"], data["materials"], view_of(data), data["today"], parameters())


WAYS = [
    (service_id, at)
    for service_id in sorted(path.stem for path in (CASES / "services").glob("*.toml"))
    for at, _ in enumerate(ways(service_id))
]


def way_name(way: object) -> str:
    """`item-mode`, for the names of generated tests."""
    if not isinstance(way, tuple):
        return str(way)
    return f"{way[0]}-{ways(way[0])[way[1]]['expected']['mode']}"
