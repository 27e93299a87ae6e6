# SPDX-License-Identifier: Apache-2.0
"""Who may be meant: one slip in the number, the same name and birth date, the same phone; and nobody else."""

from __future__ import annotations

import pytest

from node import alike
from node.station import Station
from tests.node.conftest import add_person, number_of

ZHANG = number_of("33068319650812001")


def found(station: Station, **answers: str) -> list[tuple[str, str]]:
    with station.store.read() as db:
        return [(one.person["name"], one.why) for one in alike.find(db, answers)]


@pytest.mark.parametrize(
    "typed",
    [ZHANG[:9] + "9" + ZHANG[10:], ZHANG[:12] + ZHANG[13] + ZHANG[12] + ZHANG[14:], ZHANG[:17] + "3",
     " " + ZHANG[:6] + " " + ZHANG[6:16] + "91"],
)  # fmt: skip
def test_a_number_with_one_wrong_digit_or_two_swapped_suggests_who_has_it(station: Station, typed: str) -> None:
    assert typed.replace(" ", "") != ZHANG
    assert found(station, id_number=typed)[:1] == ([("张建国", "number")] if not typed.endswith("91") else [])


def test_the_same_name_and_birth_date_is_suggested_whatever_the_rest_of_the_number(station: Station) -> None:
    assert found(station, name="张建国", id_number=number_of("33012719650812999")) == [("张建国", "person")]
    assert found(station, name="张建国", id_number="330127650812999") == [("张建国", "person")]
    assert found(station, name="张建国", id_number=number_of("33012719650813999")) == []


def test_the_same_phone_is_suggested_unless_half_the_village_has_it(station: Station) -> None:
    assert found(station, phone="138 5758 2064") == [("张建国", "phone")]
    with station.store.write() as db:
        for n in range(alike.SHOWN):
            person_id = add_person(db, f"33068319710101{n:03d}", "吴小明", "330683100201")
            db.execute("INSERT INTO contact (id, phone) VALUES (?, '13857582064')", (person_id,))
    assert found(station, phone="13857582064") == []


def test_whoever_has_the_number_itself_is_found_and_not_alike(station: Station) -> None:
    assert found(station, name="张建国", id_number=ZHANG, phone="13857582064") == []


@pytest.mark.parametrize("answers", [{}, {"id_number": "x" * 18, "name": "'", "phone": "--"}, {"id_number": "９" * 40}])
def test_nonsense_suggests_nobody(station: Station, answers: dict[str, str]) -> None:
    assert found(station, **answers) == []
