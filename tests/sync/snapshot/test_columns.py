# SPDX-License-Identifier: Apache-2.0
"""Columns of a snapshot: what goes in comes out, in few bytes, and no bytes at all crash the reader or fill memory."""

from __future__ import annotations

import contextlib
import lzma
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import BadFrame
from sync.snapshot import columns as snapshot_columns
from sync.snapshot.columns import Budget, pack, unpack
from sync.wire import codec

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
KINDS = [INT64, st.integers(0, 3), TEXT, st.sampled_from(["甲", "", "乙"]), st.binary(max_size=9)]
COLUMNS = st.one_of(*(st.lists(st.one_of(st.none(), kind), min_size=1, max_size=600) for kind in KINDS))
# A few seeds give columns long enough for dictionaries of more than 256 values.
LONG = [
    [f"{random.Random(1).randrange(10)}{i % 400}" for i in range(9_000)],
    [random.Random(i).randbytes(16) for i in range(700)],
    [None if i % 3 else i * 1_000_003 for i in range(2_000)],
]


def there_and_back(values: list[Any]) -> list[Any]:
    return unpack(codec.load(codec.dump(pack(values))), len(values), Budget())


@given(COLUMNS)
def test_a_column_comes_out_as_it_went_in(values: list[Any]) -> None:
    assert there_and_back(values) == values


@pytest.mark.parametrize("values", LONG)
def test_a_long_column_comes_out_as_it_went_in(values: list[Any]) -> None:
    assert there_and_back(values) == values


def test_what_repeats_costs_next_to_nothing() -> None:
    villages = [f"33068310020{i // 900}" for i in range(9_000)]
    assert len(codec.dump(pack(villages))) < 200
    assert len(codec.dump(pack([None] * 25_000))) < 10


HOSTILE = st.recursive(
    st.one_of(st.none(), st.integers(-3, 9), st.binary(max_size=40), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@given(HOSTILE, st.integers(0, 50))
def test_whatever_stands_in_a_column_it_is_read_or_refused(column: Any, count: int) -> None:
    with contextlib.suppress(BadFrame):
        assert len(unpack(column, count, Budget(1_000))) == count


@given(st.integers(0, 5), st.data())
def test_a_good_column_with_a_byte_changed_is_read_or_refused(number: int, data: st.DataObject) -> None:
    values = [[1, 300, -5], ["a", None, "b"], [b"x", b""], list(range(600)), ["甲"] * 9, [None, 1] * 400][number]
    packed = bytearray(codec.dump(pack(values)))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(BadFrame):
        unpack(codec.load(bytes(packed)), len(values), Budget())


def bomb(size: int) -> bytes:
    return b"\1" + lzma.compress(bytes(size), lzma.FORMAT_RAW, filters=snapshot_columns._FILTERS)


@pytest.mark.parametrize("form", [lambda part: [3, part], lambda part: [2, 8, part], lambda part: [5, part, [0, 1]]])
def test_a_bomb_is_recognised_by_the_first_byte_too_many(form: Any) -> None:
    with pytest.raises(BadFrame) as caught:
        unpack(form(bomb(5_000_000)), 10, Budget(1_000_000))
    assert "size" in str(caught.value)


def test_nested_columns_end_somewhere() -> None:
    column: list[Any] = [0, 1]
    for _ in range(6):
        column = [5, b"\0\1", column]
    with pytest.raises(BadFrame):
        unpack(column, 1, Budget())


@pytest.mark.parametrize(
    "column",
    [
        [1, [3, b"\0a\0"], b"\0\2"], [1, [3, b"\0a\0"], b"\0"], [2, 9, b"\0" + bytes(9)], [2, 1, b"\0"], [3, b"\0a"],
        [3, b"\0a\0b\0"], [3, b"\0\xff\0"], [4, [0, 2], b"\0x"], [4, [0, "x"], b"\0x"], [5, b"\0\2", [0, 1]],
        [0, True], [0, 1.5], [9, 1], [0], [], None, [3, b"\2a\0"], [3, b"\1nonsense"],
    ],
)  # fmt: skip
def test_a_column_of_one_value_that_is_malformed_is_refused(column: Any) -> None:
    with pytest.raises(BadFrame):
        unpack(column, 1, Budget())
