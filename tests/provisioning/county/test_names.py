# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from collections import Counter

import pytest

from provisioning.county.names import names, spelled


def _given(year: int, sex: str) -> Counter[str]:
    rng = random.Random(1)
    return Counter(names().given(rng, year, sex) for _ in range(3000))


def test_a_name_is_one_or_two_characters() -> None:
    for year in (1930, 1955, 1970, 1985, 2000, 2020):
        for sex in "12":
            assert {len(name) for name in _given(year, sex)} == {1, 2}


def test_fashion_changes_with_the_decades() -> None:
    for sex in "12":
        old, middle, new = _given(1935, sex), _given(1970, sex), _given(2020, sex)
        assert not set(old) & set(new)
        assert sum((middle & new).values()) < 0.05 * 3000


def test_one_character_names_were_most_in_fashion_in_the_eighties() -> None:
    def single(year: int) -> int:
        return sum(n for name, n in _given(year, "1").items() if len(name) == 1)

    assert single(1985) > 2 * single(1955)
    assert single(1985) > 2 * single(2020)


@pytest.mark.parametrize(("name", "spelling"), [("竺建国", ("zhujianguo", "zjg")), ("过小英", ("guoxiaoying", "gxy"))])
def test_a_name_is_spelled_as_the_search_box_expects(name: str, spelling: tuple[str, str]) -> None:
    assert spelled(name) == spelling
