# SPDX-License-Identifier: Apache-2.0
"""Numbers with right check digits: ID numbers (GB 11643-1999), unit codes (GB 32100-2015), bank cards (Luhn)."""

from __future__ import annotations

import random
from datetime import date
from functools import cache

from stdnum import luhn
from stdnum.cn import uscc

from provisioning.county.draw import Choice

CHECK_CHARACTERS = "10X98765432"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
FIFTEEN_DIGITS_UNTIL = 1999  # ID numbers had 15 digits before the standard of that year

COUNTY_NOW = "330683"
COUNTY_BEFORE_1995 = "330623"
COUNTY_BEFORE_1983 = "332323"
RENAMED_IN = 1995
# Neighbouring counties, and the provinces brides and workers come from.
ELSEWHERE = Choice.of(
    {"330624": 20, "330681": 14, "330621": 8, "330622": 8, "331023": 8, "330219": 5, "522424": 9, "362321": 9,
     "341226": 8, "421127": 6, "511321": 6, "431224": 6, "411521": 5, "532128": 4}
)  # fmt: skip

_SEQUENCES = 500  # of each sex, per division and day
_STEP = 181  # prime to 500: walks through all sequences in no visible order


class IdNumbers:
    """Hands out ID numbers; no number twice. `start` shifts the sequences, so that seeds differ in them."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._given: dict[tuple[str, int, int], int] = {}

    def new(self, division: str, birth: int, sex: str) -> str:
        """An 18-character number of that division for the day `birth` (ordinal). Sex '1' is male: an odd 17th digit."""
        odd = 1 if sex == "1" else 0
        key = (division, birth, odd)
        k = self._given.get(key, 0)
        if k >= _SEQUENCES:
            raise ValueError(f"all sequence numbers of {division} on day {birth} are given")
        self._given[key] = k + 1
        sequence = 2 * ((self._start + birth * 37 + k * _STEP) % _SEQUENCES) + odd
        day, day_sum = _day(birth)
        total = _division_sum(division) + day_sum + _sequence_sum(sequence)
        return f"{division}{day}{sequence:03d}{CHECK_CHARACTERS[total % 11]}"


def fifteen(number: str) -> str:
    """The 15-digit form such a number had before 1999: century and check digit left out."""
    return number[:6] + number[8:17]


def home_division(rng: random.Random, birth_year: int) -> str:
    """The county code a local was registered under: it changed in 1995, and a few carry one older still."""
    if birth_year >= RENAMED_IN:
        return COUNTY_NOW
    # Numbers came with the first ID cards of the mid-1980s; only early ones were coded under the old prefecture.
    if birth_year < 1983 and rng.random() < 0.015:
        return COUNTY_BEFORE_1983
    # Registered late or anew, after the county had become a city.
    return COUNTY_NOW if rng.random() < 0.02 else COUNTY_BEFORE_1995


@cache
def _division_sum(division: str) -> int:
    return sum(int(c) * w for c, w in zip(division, WEIGHTS[:6], strict=True))


@cache
def _day(birth: int) -> tuple[str, int]:
    day = date.fromordinal(birth).strftime("%Y%m%d")
    return day, sum(int(c) * w for c, w in zip(day, WEIGHTS[6:14], strict=True))


@cache
def _sequence_sum(sequence: int) -> int:
    return sum(int(c) * w for c, w in zip(f"{sequence:03d}", WEIGHTS[14:], strict=True))


def unit_code(rng: random.Random, prefix: str, serial: int) -> str:
    """A unified social credit code of this county; `prefix` is authority and kind, e.g. '91'; one per `serial`."""
    letters = "ABCDEFGHJKLMNPQRTUWXY"
    body = f"{prefix}{COUNTY_NOW}MA{rng.choice(letters)}{serial:05d}{rng.choice(letters)}"
    return body + uscc.calc_check_digit(body)


def bank_card(rng: random.Random, issuer: str) -> str:
    """A card number of 19 digits under that issuer prefix."""
    body = f"{issuer}{rng.randrange(10 ** (18 - len(issuer))):0{18 - len(issuer)}d}"
    return body + luhn.calc_check_digit(body)


_MOBILE = Choice.of(
    {"138": 14, "139": 12, "137": 9, "135": 9, "136": 8, "158": 8, "159": 7, "150": 6, "151": 5, "187": 5, "188": 4,
     "133": 4, "153": 3, "189": 4, "180": 3, "130": 2, "131": 2, "156": 2, "177": 3, "199": 2}
)  # fmt: skip


def mobile(rng: random.Random) -> str:
    """A mobile number."""
    return f"{_MOBILE.draw(rng)}{rng.randrange(10**8):08d}"


def landline(rng: random.Random) -> str:
    """A number of the local exchange, as old people leave it."""
    return f"0575-8{rng.choice('23')}{rng.randrange(10**6):06d}"
