# SPDX-License-Identifier: Apache-2.0
"""Letters cut into syllables, as a clerk mixes them: `zhangsm` is zhang-s-m, 张三明 as well as 张淑梅."""

from __future__ import annotations

import re

CUTS = 4
MAX_LETTERS = 40
# A syllable or the beginning of one: a consonant with or without its vowels, or vowels alone.
_SYLLABLE = re.compile(r"(?:[zcs]h|[b-df-hj-np-tw-z])(?:[aeiouv]+(?:ng?|r)?)?|[aeo][aeiou]*(?:ng?|r)?")
_LONGEST = 6  # zhuang


def cuts(letters: str) -> list[list[str]]:
    """The ways to cut lower-case letters into syllables or their beginnings, fewest pieces first, `CUTS` at most.

    All letters alone (initials) and one piece (full pinyin) are left out: they are looked up without cutting.
    """
    letters = letters[:MAX_LETTERS]
    ways: list[list[list[str]]] = [[] for _ in letters] + [[[]]]
    for at in range(len(letters) - 1, -1, -1):
        for end in range(at + 1, min(at + _LONGEST, len(letters)) + 1):
            if _SYLLABLE.fullmatch(letters, at, end):
                ways[at] += [[letters[at:end], *rest] for rest in ways[end]]
        ways[at] = sorted(ways[at], key=len)[:CUTS]
    return [way for way in ways[0] if 1 < len(way) < len(letters)]
