# SPDX-License-Identifier: Apache-2.0
"""Names of the synthetic county: a surname of the place, a given name of the decade."""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from provisioning.county.draw import Choice
from schema.names import pinyin

FILE = Path(__file__).with_name("names.toml")
MALE = "1"


@dataclass(frozen=True)
class Fashion:
    """How one sex was named in one era. `single`: share of one-character names."""

    single: float
    first: Choice[str]
    second: Choice[str]

    def draw(self, rng: random.Random) -> str:
        """A given name of one or two characters."""
        second = self.second.draw(rng)
        if rng.random() < self.single:
            return second
        first = self.first.draw(rng)
        return first + second


@dataclass(frozen=True)
class Names:
    """The lists of names.toml, ready to draw from."""

    local: Choice[str]
    elsewhere: Choice[str]
    eras: tuple[tuple[int, Fashion, Fashion], ...]

    def given(self, rng: random.Random, birth_year: int, sex: str) -> str:
        """A given name as parents chose it in that year; sex '1' is male."""
        for until, male, female in self.eras:
            if birth_year <= until:
                return (male if sex == MALE else female).draw(rng)
        raise ValueError(f"names.toml has no era for {birth_year}")

    def of_village(self, rng: random.Random) -> Choice[str]:
        """Surnames of one village: a clan or two make up half of it, as in the valleys here."""
        clans = [self.local.draw(rng), self.local.draw(rng)]
        weights = [(name, 1.0) for name in clans] + [(self.local.draw(rng), 0.18) for _ in range(12)]
        return Choice([name for name, _ in weights], [weight for _, weight in weights])


@cache
def names() -> Names:
    """The lists of names.toml."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    eras = tuple((era["until"], _fashion(era["male"]), _fashion(era["female"])) for era in data["eras"])
    return Names(_weighted(data["surnames"]["weights"]), _weighted(data["surnames"]["elsewhere"]), eras)


def _fashion(table: dict) -> Fashion:
    first, second = Choice.by_rank(table["first"]), Choice.by_rank(table["second"])
    return Fashion(table["single"] / 100, first, second)


def _weighted(text: str) -> Choice[str]:
    pairs = re.findall(r"([^\d\s]+)(\d+)", text)
    return Choice([name for name, _ in pairs], [int(weight) for _, weight in pairs])


@cache
def spelled(name: str) -> tuple[str, str]:
    """(pinyin, initials) as the search box knows them; remembered, because one name is borne by many."""
    return pinyin(name)
