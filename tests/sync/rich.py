# SPDX-License-Identifier: Apache-2.0
"""A township with something in every table and dirt in most: what a first load must carry without a change."""

from __future__ import annotations

import random
from typing import Any

from schema import crsqlite, ids
from schema.crsqlite import Cell
from sync.hub import publish
from tests.sync.county import TOWNSHIP

STATION_SITE = bytes([0x51]) * 16
SURNAMES = "测试甲乙丙丁戊己庚辛"


def settle(world: Any, persons: int = 40, seed: int = 1) -> list[bytes]:
    """Persons of the township with all that hangs on them; returns their ids."""
    rng = random.Random(seed)
    made = [ids.new_id() for _ in range(persons)]
    books = [ids.new_id() for _ in range(persons // 3 + 1)]
    with publish.transaction(world.hub) as pub:
        for book in books:
            pub.put(
                "household",
                {"id": book, "head_name": rng.choice([None, "测试"]), "village": f"{TOWNSHIP}20{rng.randrange(3)}"},
            )
        unit = ids.new_id()
        pub.put("unit", {"id": unit, "uscc": "91330683MA0000000X", "name": "测试厂", "township": TOWNSHIP})
        for number, person in enumerate(made):
            _person(pub, rng, person, number, rng.choice([*books, None, ids.new_id()]), unit)
    _clocks(world, made)
    return made


def _person(pub: Any, rng: random.Random, person: bytes, number: int, household: bytes | None, unit: bytes) -> None:
    born = f"19{rng.randrange(30, 99)}-0{rng.randrange(1, 9)}-1{rng.randrange(9)}"
    name = rng.choice(SURNAMES) + rng.choice(SURNAMES)
    dirty = rng.random() < 0.2
    pub.put("person", {
        "id": person, "id_number": "x" if dirty else f"330683{born.replace('-', '')}{rng.randrange(1000):03d}X",
        "name": name, "initials": "cs", "pinyin": "ceshi", "sex": rng.choice("129"), "birth_on": born, "ethnic": "01",
        "village": f"{TOWNSHIP}20{rng.randrange(3)}", "household_id": household, "life_status": "1",
        "work_began_on": None if number % 3 else "1980-01-01",
    })  # fmt: skip
    case = rng.choice([None, ids.new_id()])
    enrolment = rng.choice([ids.new_id(), ids.owned_id("enrolment", person, "resident_pension")])
    pub.put("enrolment", {
        "id": ids.derived_id(case, "enrolment") if case else enrolment, "person_id": person, "case_id": case,
        "insurance": "resident_pension", "state": "active", "began_month": "2010-01", "grade_fen": 50_000,
    })  # fmt: skip
    pub.put(
        "account",
        {
            "person_id": person,
            "insurance": "resident_pension",
            "balance_fen": -rng.randrange(10**12),
            "paid_months": 7,
            "as_of_month": "2026-10",
        },
    )
    pub.put(
        "bank_account",
        {"person_id": person, "bank": "农商银行", "account_no": str(number), "holder": name if number % 4 else "别人"},
    )
    if number % 2:
        pub.put(
            "employment",
            {"id": ids.new_id(), "person_id": person, "unit_id": unit, "wage_fen": 2**62, "began_month": "2020-01"},
        )
        pub.put("statement", {
            "person_id": person, "insurance": "resident_pension", "month": "2026-09", "contribution_fen": 1,
            "subsidy_fen": 0, "benefit_fen": 0, "from_account_fen": 0, "balance_fen": 1,
        })  # fmt: skip
        pub.put("benefit", {
            "id": ids.new_id(), "person_id": person, "kind": "resident_pension", "state": "active",
            "from_month": "2020-01", "basic_fen": 1, "account_fen": 2, "extra_fen": 3,
        })  # fmt: skip
    if number % 5:
        pub.cells("contact", person, {"phone": f"139{number:08d}", "note": rng.choice([None, "", "备注"])})
        pub.cells("contact", person, {"phone": f"138{number:08d}"})


def _clocks(world: Any, persons: list[bytes]) -> None:
    """Cells by a station, a row deleted for good, one that came back."""
    with publish.transaction(world.hub, merging=True) as pub:
        touched = [persons[1], persons[2], persons[3]]
        crsqlite.apply(pub.db, [
            Cell("contact", persons[1], "address", "东街 1 号", 4, 0, 1, None),
            Cell("contact", persons[2], crsqlite.ROW_SENTINEL, None, 2, 0, 2, None),
            Cell("contact", persons[3], crsqlite.ROW_SENTINEL, None, 2, 0, 2, None),
            Cell("contact", persons[3], crsqlite.ROW_SENTINEL, None, 3, 0, 3, None),
            Cell("contact", persons[3], "phone", "13700000000", 0, 0, 3, None),
        ], STATION_SITE)  # fmt: skip
        pub.touch("contact", touched)
        pub.put("conflict", {
            "id": ids.new_id(), "kind": "cell", "rule": "H", "tbl": "contact", "row_id": persons[1], "col": "phone",
            "base": 1, "kept": "1", "kept_by": "hub", "kept_version": 2, "lost": None, "lost_by": "0100-1",
            "lost_version": 2, "found_at": "2026-11-20T01:00:00.000Z",
        })  # fmt: skip
