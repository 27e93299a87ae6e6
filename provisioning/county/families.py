# SPDX-License-Identifier: Apache-2.0
"""Households of one village: couples, their children, their parents; one household, one village.

The shares are tuned so that the county has the age pyramid of an ageing one: about one in eight below 16, more than one
in four from 60 on. Children bear the father's surname, a few the mother's; brides keep their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.county.draw import Choice
from provisioning.county.names import names

MALE, FEMALE = "1", "2"
YEAR = 365.2425
OLDEST = 100.9
CLAIM_AGE = 60
READY, UNENROLLED = "ready_to_claim", "not_enrolled"


@dataclass(slots=True)
class Member:
    """One of a household. `birth` is a day ordinal; `lot` is set for those every township must have."""

    role: str
    sex: str
    birth: int
    surname: str
    outsider: bool = False
    lot: str = ""


class Families:
    """Draws households of one village. `today` is the day ordinal ages are counted at."""

    def __init__(self, rng: random.Random, today: int) -> None:
        self.rng = rng
        self.today = today
        self.surnames = names().of_village(rng)

    def households(self) -> Iterator[list[Member]]:
        """Ordinary households without end; the head comes first, whoever may be missed last."""
        kinds = Choice.of(
            {
                self._old_alone: 11, self._old_couple: 16, self._middle_aged: 32, self._young_family: 19,
                self._three_generations: 18, self._single: 6,
            }
        )  # fmt: skip
        while True:
            yield kinds.draw(self.rng)()

    def ready_to_claim(self) -> list[Member]:
        """A couple of whom the head turned 60 within the last half year and has not claimed."""
        birthday = self.today - self.rng.randrange(2, 170)
        birth = birthday - round(CLAIM_AGE * YEAR)
        sex = self.rng.choice((MALE, FEMALE))
        head = Member("head", sex, birth, self.surnames.draw(self.rng), lot=READY)
        other = FEMALE if sex == MALE else MALE
        return [head, self._spouse_of(head, other, self.rng.uniform(-2.5, 2.5))]

    def not_enrolled(self) -> list[Member]:
        """One adult whom no pension scheme knows yet."""
        age = self.rng.uniform(24, 50)
        return [self._head(age, self.rng.choice((MALE, FEMALE)), lot=UNENROLLED)]

    def _old_alone(self) -> list[Member]:
        sex = MALE if self.rng.random() < 0.36 else FEMALE
        return [self._head(self.rng.triangular(62, OLDEST, 74), sex)]

    def _old_couple(self) -> list[Member]:
        return self._couple(self.rng.triangular(60, 94, 66))

    def _middle_aged(self) -> list[Member]:
        family = self._couple(self.rng.uniform(44, 63))
        if self.rng.random() < 0.5:
            family += self._children(family, count=1, oldest=32)
        return family

    def _young_family(self) -> list[Member]:
        family = self._couple(self.rng.triangular(24, 48, 36))
        return family + self._children(family, count=self.rng.choices((0, 1, 2, 3), (22, 42, 34, 2))[0])

    def _three_generations(self) -> list[Member]:
        family = self._couple(self.rng.triangular(26, 58, 42))
        family += self._children(family, count=self.rng.choices((1, 2), (58, 42))[0])
        return family + self._parents(family[0])

    def _single(self) -> list[Member]:
        sex = MALE if self.rng.random() < 0.68 else FEMALE
        return [self._head(self.rng.uniform(19, 60), sex)]

    def _head(self, age: float, sex: str, lot: str = "") -> Member:
        return Member("head", sex, self._born(age), self.surnames.draw(self.rng), lot=lot)

    def _couple(self, husband_age: float) -> list[Member]:
        husband = self._head(husband_age, MALE)
        return [husband, self._spouse_of(husband, FEMALE, self.rng.gauss(2.2, 2.4))]

    def _spouse_of(self, head: Member, sex: str, younger_years: float) -> Member:
        birth = min(head.birth + round(younger_years * YEAR), self.today - round(20 * YEAR))
        outsider = birth > self.today - 55 * YEAR and self.rng.random() < 0.16
        lists = names()
        surname = (lists.elsewhere if outsider else lists.local).draw(self.rng)
        return Member("spouse", sex, max(birth, self._born(OLDEST)), surname, outsider)

    def _children(self, couple: list[Member], count: int, oldest: int = 30) -> list[Member]:
        father, mother = couple
        surname = mother.surname if self.rng.random() < 0.06 else father.surname
        born = mother.birth + round(self.rng.triangular(21, 34, 25) * YEAR)
        children = []
        for _ in range(count):
            if self.today - oldest * YEAR < born <= self.today:
                sex = MALE if self.rng.random() < 0.53 else FEMALE
                children.append(Member("child", sex, born, surname))
            born += round(self.rng.triangular(1.2, 9, 3.5) * YEAR)
        return children

    def _parents(self, head: Member) -> list[Member]:
        father_birth = head.birth - round(self.rng.triangular(21, 38, 25) * YEAR)
        father = Member("parent", MALE, father_birth, head.surname)
        mother = self._spouse_of(father, FEMALE, self.rng.gauss(1.8, 2.2))
        # A mother is never too young for her son, whatever the draw said.
        mother.birth = min(mother.birth, head.birth - round(19 * YEAR))
        mother.role = "parent"
        living = [p for p in (father, mother) if self.today - p.birth < OLDEST * YEAR]
        return living if self.rng.random() < 0.55 else living[-1:]

    def _born(self, age_years: float) -> int:
        return self.today - int(age_years * YEAR)
