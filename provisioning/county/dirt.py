# SPDX-License-Identifier: Apache-2.0
"""What is wrong in real registers, and how often. Every kind is named, drawn and counted here, and shown after a load.

Shares are of those a kind can befall (people with a phone, with a bank account ...). The persons every township must
have for a claim or an enrolment are spared, so that a demonstration does not stumble over a planted fault.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from provisioning.county.families import YEAR


@dataclass(frozen=True)
class Kind:
    """One kind of dirt. `share` is a probability; 0 marks what follows from something else and is only counted."""

    share: float
    zh: str
    en: str


KINDS: dict[str, Kind] = {
    "old_county_code": Kind(0, "证号前六位是旧县代码", "ID number under an old county code"),
    "number_15_kept": Kind(0.06, "另存有 15 位旧证号", "15-digit number kept beside"),
    "duplicate_person": Kind(0.0012, "同名同生日、证号不同，疑似重复", "same name and birth date, another number"),
    "same_number_pair": Kind(0.0006, "同一人 15 位、18 位证号各一条", "one person twice: 15- and 18-digit number"),
    "birth_differs": Kind(0.0025, "登记的出生日期与证号不符", "recorded birth date differs from the ID number"),
    "missing_phone": Kind(0, "成年人没有电话", "adult without a phone"),
    "phone_with_spaces": Kind(0.012, "电话里有空格或横线", "phone with spaces or dashes"),
    "old_township_address": Kind(0.02, "地址用旧乡镇名", "address under an old township name"),
    "holder_variant": Kind(0.008, "银行户名与姓名写法不同", "bank account holder spelled otherwise"),
}

# Forms that banks keep apart and people do not.
_VARIANTS = dict(zip("国华军兰凤银云庆丽张", "國華軍蘭鳳銀雲慶麗張", strict=True))


class Dirt:
    """Draws dirt and counts what fell."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(KINDS, 0)

    def falls(self, kind: str, rng: random.Random) -> bool:
        """Whether this one is befallen; counted when it is."""
        hit = rng.random() < KINDS[kind].share
        self.counts[kind] += hit
        return hit

    def note(self, kind: str) -> None:
        """Count one that follows from something else."""
        self.counts[kind] += 1


def spaced(phone: str, rng: random.Random) -> str:
    """13857582046 as people write it: 138 5758 2046, 138-5758-2046."""
    return rng.choice((" ", "-", "  ")).join((phone[:3], phone[3:7], phone[7:]))


def other_spelling(name: str, rng: random.Random) -> str:
    """A name as the bank has it: a traditional character, or a space between the characters."""
    spelled = "".join(_VARIANTS.get(c, c) for c in name)
    if spelled != name and rng.random() < 0.7:
        return spelled
    return f"{name[0]} {name[1:]}"


def other_birth(birth: int, rng: random.Random) -> int:
    """A birth day (ordinal) taken down by the lunar calendar, or with a wrong year."""
    if rng.random() < 0.8:
        return birth - rng.randrange(18, 50)
    return birth - round(YEAR * rng.choice((1, 2, 10)))
