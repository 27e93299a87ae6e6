# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from datetime import date
from itertools import islice

import pytest

from provisioning.county.families import READY, YEAR, Families, Member

TODAY = date(2026, 10, 31).toordinal()


@pytest.fixture(scope="module")
def households() -> list[list[Member]]:
    return list(islice(Families(random.Random(7), TODAY).households(), 2000))


def _of(family: list[Member], role: str) -> list[Member]:
    return [m for m in family if m.role == role]


def test_a_household_begins_with_its_head_and_has_at_most_one_couple_of_each_generation(
    households: list[list[Member]],
) -> None:
    for family in households:
        assert family[0].role == "head" and len(_of(family, "head")) == 1
        assert len(_of(family, "spouse")) <= 1 and len(_of(family, "parent")) <= 2
        assert len(family) <= 7


def test_spouses_are_of_either_sex_and_of_age(households: list[list[Member]]) -> None:
    for family in households:
        for spouse in _of(family, "spouse"):
            assert spouse.sex != family[0].sex
            assert (TODAY - spouse.birth) / YEAR >= 19.9


def test_children_are_younger_than_their_mother_by_a_generation_and_bear_a_parents_name(
    households: list[list[Member]],
) -> None:
    children = 0
    for family in households:
        for child in _of(family, "child"):
            father, mother = family[0], family[1]
            children += 1
            assert 20 < (child.birth - mother.birth) / YEAR < 50
            assert child.surname in (father.surname, mother.surname)
            assert child.birth <= TODAY
    assert children > 600


def test_grandparents_are_the_fathers_parents(households: list[list[Member]]) -> None:
    parents = [(family[0], p) for family in households for p in _of(family, "parent")]
    assert len(parents) > 300
    for head, parent in parents:
        assert (head.birth - parent.birth) / YEAR >= 18.9
        if parent.sex == "1":
            assert parent.surname == head.surname


def test_a_village_has_its_clans(households: list[list[Member]]) -> None:
    heads = [family[0].surname for family in households]
    assert max(heads.count(name) for name in set(heads)) > 0.2 * len(heads)


def test_whoever_is_ready_to_claim_has_turned_sixty_within_half_a_year() -> None:
    families = Families(random.Random(3), TODAY)
    for _ in range(300):
        head = families.ready_to_claim()[0]
        born = date.fromordinal(head.birth)
        assert head.lot == READY
        assert date(2026, 5, 1) < date(born.year + 60, born.month, min(born.day, 28)) <= date(2026, 10, 31)
