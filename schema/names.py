# SPDX-License-Identifier: Apache-2.0
"""Pinyin of names, so that clerks can type zjg or zhangjianguo for 张建国."""

from __future__ import annotations

from functools import lru_cache

# Read differently as surnames than as words; a clerk looks for what the person is called.
_SURNAMES = {
    "尉迟": "yu chi", "万俟": "mo qi",
    "单": "shan", "仇": "qiu", "曾": "zeng", "解": "xie", "查": "zha", "区": "ou", "朴": "piao", "盖": "ge",
    "缪": "miao", "翟": "zhai", "任": "ren", "乐": "yue", "葛": "ge", "宁": "ning", "纪": "ji",
    "华": "hua", "过": "guo", "应": "ying", "员": "yun", "洗": "xian", "召": "shao", "种": "chong", "覃": "qin",
}  # fmt: skip
INITIALS_LIMIT, PINYIN_LIMIT = 20, 120


@lru_cache(maxsize=100_000)
def pinyin(name: str) -> tuple[str, str]:
    """(full, initials): '张建国' -> ('zhangjianguo', 'zjg'). ü is v, as typed; what has no reading is left out."""
    kept = "".join(c for c in name if c.isalpha())
    surname = next((s for s in (kept[:2], kept[:1]) if s in _SURNAMES), "")
    spoken = _SURNAMES[surname].split() if surname else []
    syllables = [*spoken, *_syllables(kept[len(surname) :])]
    return "".join(syllables)[:PINYIN_LIMIT], "".join(s[0] for s in syllables)[:INITIALS_LIMIT]


@lru_cache(maxsize=1_000)
def spelled(words: str) -> tuple[str, str]:
    """(full, initials) of words that are no name: 单位 is danwei, 单国强 shanguoqiang."""
    syllables = _syllables("".join(c for c in words if c.isalpha()))
    return "".join(syllables), "".join(s[0] for s in syllables)


def _syllables(text: str) -> list[str]:
    # Imported here: its dictionary takes a second to load, and most commands never spell a name.
    from pypinyin import Style, lazy_pinyin

    return [s.lower() for s in lazy_pinyin(text, style=Style.NORMAL, errors=_latin_only) if s]


def _latin_only(run: str) -> str:
    """Latin letters stay; characters without a known reading go."""
    return "".join(c for c in run if c.isascii())
