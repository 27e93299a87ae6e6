# SPDX-License-Identifier: Apache-2.0
"""Persons: from a household's members to names, numbers, addresses, phones and schooling."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from provisioning.county import dirt, numbers
from provisioning.county.draw import Choice
from provisioning.county.families import YEAR, Member
from provisioning.county.names import names, spelled
from provisioning.county.places import Village

ALIVE, DEAD = "1", "2"
ADULT = 18
KEPT_DAYS_AFTER_DEATH = 600
STREETS = ("剡溪路", "官河路", "越秀路", "一景路", "鹿山路", "领带园路", "兴盛街", "东南路", "北直街", "富民街")

# GB/T 4658: 10 graduate, 20 university, 30 college, 40 secondary technical, 60 high, 70 middle, 80 primary, 90 none.
_SCHOOLING = (
    (1944, Choice.of({"90": 45, "80": 46, "70": 8, "60": 1})),
    (1959, Choice.of({"90": 18, "80": 52, "70": 23, "60": 6, "40": 1})),
    (1974, Choice.of({"90": 3, "80": 34, "70": 46, "60": 12, "40": 3, "30": 2})),
    (1989, Choice.of({"80": 9, "70": 47, "60": 19, "40": 8, "30": 11, "20": 6})),
    (2004, Choice.of({"70": 20, "60": 22, "40": 12, "30": 24, "20": 20, "10": 2})),
)
_MINORITIES = Choice.of({"06": 24, "15": 22, "12": 14, "24": 3, "05": 2, "08": 10, "09": 11, "22": 6, "11": 4, "03": 4})


@dataclass(slots=True)
class Person:
    """One person. Days are ordinals; `age` is whole years on the register's day; `lot` as drawn with the family."""

    id: bytes
    number: str
    number_15: str | None
    name: str
    sex: str
    birth: int
    birth_written: int
    age: int
    village: Village
    household: bytes
    died: int | None
    ethnic: str
    phone: str | None
    address: str
    education: str | None
    lot: str
    work_began: int | None = None

    @property
    def alive(self) -> bool:
        return self.died is None

    def row(self) -> tuple[object, ...]:
        """Columns of table `person` up to `rev`."""
        pinyin, initials = spelled(self.name)
        return (
            self.id, self.number, self.number_15, self.name, initials, pinyin, self.sex, iso(self.birth_written),
            self.ethnic, self.village.code, self.household, ALIVE if self.died is None else DEAD,
            iso(self.died) if self.died is not None else None,
            iso(self.work_began) if self.work_began is not None else None,
        )  # fmt: skip

    def contact(self) -> tuple[object, ...]:
        """Columns of registry table `contact`; its id is the person's."""
        return (self.id, self.phone, self.address, self.village.code, self.education, None)


@cache
def iso(day: int) -> str:
    """An ordinal as YYYY-MM-DD."""
    return date.fromordinal(day).isoformat()


class People:
    """Makes the persons of one village."""

    def __init__(
        self, rng: random.Random, village: Village, today: int, given: numbers.IdNumbers, spoils: dirt.Dirt
    ) -> None:
        self.rng = rng
        self.village = village
        self.today = today
        self.given = given
        self.dirt = spoils
        self.stale_village = f"{village.township.stale}{village.name}"

    def household(self, members: list[Member]) -> list[Person]:
        """The household's persons: one household id, one address."""
        rng = self.rng
        household, address = rng.randbytes(16), self._address()
        if not any(m.lot for m in members) and self.dirt.falls("old_township_address", rng):
            address = address.replace(self.village.address, self.stale_village)
        return [self._person(m, household, address) for m in members]

    def twin(self, person: Person) -> Person | None:
        """The same person a second time, as registers have it; None for most. A twin has no account of its own."""
        rng = self.rng
        if person.lot or person.age < ADULT:
            return None
        if self.dirt.falls("duplicate_person", rng):
            number = self.given.new(person.number[:6], person.birth, person.sex)
            return replace(person, id=rng.randbytes(16), number=number, number_15=None)
        if date.fromordinal(person.birth).year < 1980 and self.dirt.falls("same_number_pair", rng):
            old = numbers.fifteen(person.number)
            return replace(person, id=rng.randbytes(16), number=old, number_15=old)
        return None

    def _person(self, member: Member, household: bytes, address: str) -> Person:
        rng, birth = self.rng, member.birth
        year = date.fromordinal(birth).year
        age = int((self.today - birth) / YEAR)
        division = numbers.ELSEWHERE.draw(rng) if member.outsider else numbers.home_division(rng, year)
        number = self.given.new(division, birth, member.sex)
        if division in (numbers.COUNTY_BEFORE_1995, numbers.COUNTY_BEFORE_1983):
            self.dirt.note("old_county_code")
        spared = bool(member.lot)
        had_15 = year < numbers.FIFTEEN_DIGITS_UNTIL - 16 and not spared
        return Person(
            rng.randbytes(16), number,
            numbers.fifteen(number) if had_15 and self.dirt.falls("number_15_kept", rng) else None,
            member.surname + names().given(rng, year, member.sex), member.sex, birth,
            dirt.other_birth(birth, rng) if not spared and self.dirt.falls("birth_differs", rng) else birth,
            age, self.village, household, None if spared else self._death(age),
            _MINORITIES.draw(rng) if rng.random() < (0.06 if member.outsider else 0.002) else "01",
            self._phone(age, spared), address, _schooling(rng, year, age), member.lot,
        )  # fmt: skip

    def _death(self, age: int) -> int | None:
        yearly = 0.00015 * math.exp(0.1 * (age - 20))
        if self.rng.random() >= yearly * KEPT_DAYS_AFTER_DEATH / YEAR:
            return None
        return self.today - self.rng.randrange(1, KEPT_DAYS_AFTER_DEATH) if age > 2 else None

    def _phone(self, age: int, spared: bool) -> str | None:
        rng = self.rng
        if age < ADULT:
            return numbers.mobile(rng) if age >= 12 and rng.random() < 0.4 else None
        missing = 0.07 if age < 60 else 0.18 if age < 75 else 0.4
        if not spared and rng.random() < missing:
            self.dirt.note("missing_phone")
            return None
        if age >= 65 and rng.random() < 0.3:
            return numbers.landline(rng)
        phone = numbers.mobile(rng)
        return dirt.spaced(phone, rng) if not spared and self.dirt.falls("phone_with_spaces", rng) else phone

    def _address(self) -> str:
        rng, house = self.rng, self.rng.randrange(1, 320)
        if not self.village.urban:
            return f"{self.village.address}{house}号"
        street, block = rng.choice(STREETS), rng.randrange(1, 24)
        room = f"{rng.randrange(1, 18)}0{rng.randrange(1, 5)}"
        return f"{self.village.address}{street}{house}号{block}幢{room}室"


def _schooling(rng: random.Random, birth_year: int, age: int) -> str | None:
    if age < 6:
        return None
    if age < 16:
        return "80" if age < 13 else "70"
    for until, choice in _SCHOOLING:
        if birth_year <= until:
            found = choice.draw(rng)
            # Nobody has left university before being of an age to.
            return "60" if age < 22 and found < "40" else found
    return "60"

