# SPDX-License-Identifier: Apache-2.0
"""Letters are cut as a clerk means them, in few ways."""

from __future__ import annotations

import pytest

from node import pinyin


@pytest.mark.parametrize(
    ("letters", "meant"),
    [
        ("zhangsm", ["zhang", "s", "m"]),
        ("zjianguo", ["z", "jian", "guo"]),
        ("ouyangx", ["ou", "yang", "x"]),
        ("lvx", ["lv", "x"]),
        ("zhangan", ["zhang", "an"]),
        ("zhangan", ["zhan", "gan"]),
    ],
)
def test_what_is_meant_is_among_the_cuts(letters: str, meant: list[str]) -> None:
    assert meant in pinyin.cuts(letters)


def test_initials_alone_and_one_syllable_are_not_cut() -> None:
    assert pinyin.cuts("zsm") == pinyin.cuts("zh") == pinyin.cuts("zhang")[:0] == []
    assert ["zhang"] not in pinyin.cuts("zhang")


def test_a_long_line_of_letters_is_cut_in_few_ways() -> None:
    assert len(pinyin.cuts("zhangan" * 50)) == pinyin.CUTS
