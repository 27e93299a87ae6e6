# SPDX-License-Identifier: Apache-2.0
"""The whole register, township by township and village by village, as rows ready to be written.

Rows are tuples in the order of the table's declared columns, without `rev`; registry rows in the order of all columns.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat

from provisioning.county import work
from provisioning.county.dirt import Dirt
from provisioning.county.draw import shares
from provisioning.county.economy import Economy
from provisioning.county.families import Families, Member
from provisioning.county.numbers import IdNumbers
from provisioning.county.pension import Accounts
from provisioning.county.people import People, Person
from provisioning.county.places import Township, Village, townships, village_divisions
from provisioning.county.units import Employers
from schema import period
from schema.errors import ConfigError
from schema.parameter import Parameters
from schema.tables import TABLES

FEWEST = 300
MOST = 2_000_000
OF_EACH_LOT = 12  # persons ready to claim, and persons not enrolled, that every township has
URBAN_WEIGHT = 2.4

Row = tuple[object, ...]


@dataclass
class Part:
    """One village's rows, by table, and its persons."""

    place: str
    rows: dict[str, list[Row]] = field(default_factory=dict)
    persons: list[Person] = field(default_factory=list)

    def add(self, table: str, row: Row) -> None:
        """Append one row of a table."""
        self.rows.setdefault(table, []).append(row)


class Register:
    """A synthetic register of exactly `persons` persons as of the end of `month`.

    Iterate over `parts()` once; `dirt.counts` is complete afterwards.
    Raises ConfigError when the number or the month cannot be.
    """

    def __init__(self, persons: int, seed: int, month: str, parameters: Parameters) -> None:
        if not FEWEST <= persons <= MOST:
            raise ConfigError(
                f"人数应在 {FEWEST} 到 {MOST} 之间，这里是 {persons}",
                f"the number of persons must be {FEWEST} to {MOST}; this is {persons}",
            )
        if not period.is_month(month) or month < "2014-01":
            raise ConfigError(
                f"月份应写成 2026-10 的样子，不早于 2014-01，这里是 {month}",
                f"the month must look like 2026-10, not before 2014-01; this is {month}",
            )
        self.persons = persons
        self.seed = seed
        self.month = month
        self.dirt = Dirt()
        self._today = period.last_day(month).toordinal()
        self._numbers = IdNumbers(self._random("numbers").randrange(1000))
        self._employers = Employers(self._random("units"), persons)
        self._economy = Economy(Accounts(parameters, month), self._employers, self.dirt)

    def parts(self) -> Iterator[Part]:
        """First the places and employers, then every village."""
        yield self._common()
        quotas = shares(self.persons, [t.weight for t in townships()])
        for township, quota in zip(townships(), quotas, strict=True):
            yield from self._township(township, quota)

    def _random(self, name: str) -> random.Random:
        # A stream of its own for each place: a change in one village leaves the others as they were.
        return random.Random(f"{self.seed}/{self.persons}/{self.month}/{name}")

    def _common(self) -> Part:
        part = Part("county")
        columns = TABLES["division"].names[:-1]
        for row in village_divisions():
            part.add("division", tuple(row[c] for c in columns))
        for unit in self._employers.units:
            part.add("unit", unit.row())
        rng = self._random("work")
        work.offers(rng, self._employers.units, self._today, part.add)
        work.classes(rng, townships(), self._today, part.add)
        return part

    def _township(self, township: Township, quota: int) -> Iterator[Part]:
        rng = self._random(township.code)
        villages = township.villages()
        weights = [rng.lognormvariate(0, 0.35) * (URBAN_WEIGHT if v.urban else 1) for v in villages]
        sizes = shares(quota, weights)
        streams = [self._random(v.code) for v in villages]
        families = [Families(r, self._today) for r in streams]
        needed: list[list[list[Member]]] = [[] for _ in villages]
        room = list(sizes)
        for ready in chain.from_iterable(repeat((True, False), min(OF_EACH_LOT, quota // 5))):
            # Spread over the villages, and to where a couple still fits.
            i = max(range(len(villages)), key=lambda v: (room[v] > 1, -len(needed[v]), room[v]))
            household = families[i].ready_to_claim() if ready else families[i].not_enrolled()
            needed[i].append(household)
            room[i] -= len(household)
        for village, size, stream, family, first in zip(villages, sizes, streams, families, needed, strict=True):
            yield self._village(village, size, stream, family, first)

    def _village(
        self, village: Village, size: int, rng: random.Random, families: Families, first: list[list[Member]]
    ) -> Part:
        part = Part(village.code)
        people = People(rng, village, self._today, self._numbers, self.dirt)
        for members in chain(first, families.households()):
            if len(part.persons) >= size:
                break
            household = people.household(members[: size - len(part.persons)])
            part.add("household", (household[0].household, household[0].name, village.code))
            for person in household:
                self._economy.live(person, rng, part.add)
                part.persons.append(person)
            for person in household:
                twin = people.twin(person) if len(part.persons) < size else None
                if twin is not None:
                    part.persons.append(twin)
        drawn = self._random(f"{village.code}/work")
        for person in part.persons:
            work.person(drawn, person, self._today, part.add)
        part.rows["person"] = [p.row() for p in part.persons]
        part.rows["contact"] = [p.contact() for p in part.persons]
        return part
