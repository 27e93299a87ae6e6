# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import names


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("张建国", "zhangjianguo", "zjg"),
        ("单小红", "shanxiaohong", "sxh"),
        ("曾莉", "zengli", "zl"),
        ("尉迟恭", "yuchigong", "ycg"),
        ("吕布", "lvbu", "lb"),
        ("阿依古丽·买买提", "ayigulimaimaiti", "ayglmmt"),
        ("Anna Wang", "annawang", "a"),
        ("", "", ""),
    ],
)
def test_names_are_spelled_as_clerks_type_them(name: str, full: str, initials: str) -> None:
    assert names.pinyin(name) == (full, initials)


def test_a_character_without_a_reading_is_left_out() -> None:
    assert names.pinyin("张\ue000国") == ("zhangguo", "zg")


@given(st.text(max_size=60))
def test_any_text_fits_its_columns_and_is_plain_letters(name: str) -> None:
    full, initials = names.pinyin(name)
    assert len(full) <= 120 and len(initials) <= 20
    assert (full + initials).isascii()
