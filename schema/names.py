# SPDX-License-Identifier: Apache-2.0
"""Pinyin of names, so that clerks can type zjg or zhangjianguo for 张建国."""

from __future__ import annotations

from functools import lru_cache

from pypinyin import Style, lazy_pinyin

# Read differently as surnames than as words; a clerk looks for what the person is called.
_SURNAMES = {
    "单": "shan", "仇": "qiu", "曾": "zeng", "解": "xie", "查": "zha", "区": "ou", "朴": "piao", "盖": "ge", "缪": "miao",
    "翟": "zhai", "任": "ren", "乐": "yue", "葛": "ge", "宁": "ning", "尉迟": "yuchi", "万俟": "moqi", "纪": "ji",
    "华": "hua", "过": "guo", "应": "ying", "员": "yun", "洗": "xian", "召": "shao", "种": "chong", "繁": "po", "覃": "qin",
}  # fmt: skip
INITIALS_LIMIT, PINYIN_LIMIT = 20, 120


@lru_cache(maxsize=100_000)
def pinyin(name: str) -> tuple[str, str]:
    """(full, initials): '张建国' -> ('zhangjianguo', 'zjg'). ü is v, as it is typed; what has no reading is left out."""
    kept = "".join(c for c in name if c.isalpha())
    surname = next((s for s in (kept[:2], kept[:1]) if s in _SURNAMES), "")
    spoken = ["".join(_SURNAMES[surname])] if len(surname) == 1 else []
    initials = [spoken[0][0]] if spoken else []
    rest = kept[len(surname) :] if spoken else kept
    if len(surname) == 2:
        spoken, initials, rest = [_SURNAMES[surname]], _double_initials(surname), kept[2:]
    syllables = [s.lower() for s in lazy_pinyin(rest, style=Style.NORMAL, errors=_latin_only) if s]
    full = "".join([*spoken, *syllables])[:PINYIN_LIMIT]
    return full, "".join([*initials, *(s[0] for s in syllables)])[:INITIALS_LIMIT]


def _double_initials(surname: str) -> list[str]:
    return {"尉迟": ["y", "c"], "万俟": ["m", "q"]}[surname]


def _latin_only(run: str) -> list[str]:
    """Latin letters stay; characters without a known reading go."""
    return ["".join(c for c in run if c.isascii())]
