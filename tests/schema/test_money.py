# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import money

FEN = st.integers(-(10**14), 10**14)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 10, 1), (-5, 10, -1), (4, 10, 0), (15, 10, 2), (25, 10, 3), (1_820_000, 139, 13_094), (1, -2, -1), (0, 7, 0)],
)
def test_half_up_rounds_halves_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert money.half_up(numerator, denominator) == expected


@given(FEN, st.integers(1, 10**9))
def test_half_up_is_nearest_and_mirrors_negatives(numerator: int, denominator: int) -> None:
    rounded = money.half_up(numerator, denominator)
    assert abs(rounded - Fraction(numerator, denominator)) <= Fraction(1, 2)
    assert money.half_up(-numerator, denominator) == -rounded


def test_half_up_by_nothing_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        money.half_up(1, 0)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (123_456, "1,234.56"), (-123_456, "−1,234.56"), (10**11, "1,000,000,000.00")],
)
def test_yuan_groups_thousands_and_keeps_the_fen(fen: int, text: str) -> None:
    assert money.yuan(fen) == text


@given(FEN)
def test_what_yuan_writes_parse_yuan_reads(fen: int) -> None:
    assert money.parse_yuan(money.yuan(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1000", 100_000),
        (" 1,000 元 ", 100_000),
        ("12.5", 1250),
        ("１２．５０", 1250),
        ("-3.40", -340),
        ("¥8", 800),
        ("0", 0),
    ],
)
def test_parse_yuan_reads_what_people_type(text: str, fen: int) -> None:
    assert money.parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text", ["", "元", "abc", "1.234", "1,00", "1,0000", "1.2.3", "--1", "1e3", "٣", "12345678901234"]
)
def test_parse_yuan_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        money.parse_yuan(text)


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (48_094, "肆佰捌拾元玖角肆分"),
        (1_000_000, "壹万元整"),
        (1_005_000, "壹万零伍拾元整"),
        (10_010_000, "壹拾万零壹佰元整"),
        (11_000_000, "壹拾壹万元整"),
        (100_000_001, "壹佰万元零壹分"),
        (10_001_000_000, "壹亿零壹万元整"),
        (10_000_010_000, "壹亿零壹佰元整"),
        (10_500_000, "壹拾万伍仟元整"),
        (-30, "负叁角整"),
    ],
)
def test_in_words_writes_capital_characters(fen: int, words: str) -> None:
    assert money.in_words(fen) == words


@given(st.integers(0, 10**14))
def test_in_words_can_be_read_back(fen: int) -> None:
    assert _read_back(money.in_words(fen)) == fen


def _read_back(words: str) -> int:
    digits = {c: i for i, c in enumerate("零壹贰叁肆伍陆柒捌玖")}
    places = {"拾": 10, "佰": 100, "仟": 1000}
    groups = {"万": 10**4, "亿": 10**8, "兆": 10**12}
    total = group = digit = 0
    for c in words:
        if c in digits:
            digit = digits[c]
        elif c in places:
            group, digit = group + digit * places[c], 0
        elif c in groups:
            total, group, digit = total + (group + digit) * groups[c], 0, 0
        elif c == "元":
            total, group, digit = (total + group + digit) * 100, 0, 0
        elif c in "角分":
            total, digit = total + digit * (10 if c == "角" else 1), 0
    return total


def test_in_words_refuses_amounts_that_are_certainly_wrong() -> None:
    with pytest.raises(ValueError, match="large"):
        money.in_words(money.LIMIT_FEN)
