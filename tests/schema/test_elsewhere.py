# SPDX-License-Identifier: Apache-2.0
"""The digest of who is registered where: small, kept whole, and too short to count people out of."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import elsewhere

KEY = bytes(range(32))
ENTRIES = st.lists(st.tuples(st.integers(0, (1 << elsewhere.REST_BITS) - 1), st.integers(0, 15)), max_size=300)


@given(ENTRIES)
def test_what_is_packed_comes_out_in_order(entries: list[elsewhere.Entry]) -> None:
    assert list(elsewhere.unpack(elsewhere.pack(entries))) == sorted(entries)


@given(ENTRIES, st.integers(0, 40))
def test_a_bucket_cut_short_ends_early_and_breaks_nothing(entries: list[elsewhere.Entry], cut: int) -> None:
    packed = elsewhere.pack(entries)
    read = list(elsewhere.unpack(packed[: max(0, len(packed) - cut)]))
    assert read == sorted(entries)[: len(read)]


def test_a_county_of_half_a_million_takes_less_than_11_bits_each() -> None:
    draw = random.Random(1)
    per_bucket = 500_000 // elsewhere.BUCKETS
    sizes = [
        len(elsewhere.pack((draw.randrange(1 << elsewhere.REST_BITS), draw.randrange(15)) for _ in range(per_bucket)))
        for _ in range(200)
    ]
    assert sum(sizes) * 8 / (200 * per_bucket) < 11


def test_one_number_has_one_place_under_a_key_and_another_under_another() -> None:
    number = "330683196508120010"
    assert elsewhere.place(KEY, number) == elsewhere.place(KEY, number) != elsewhere.place(bytes(32), number)
    bucket, rest = elsewhere.place(KEY, number)
    assert 0 <= bucket < elsewhere.BUCKETS and 0 <= rest < 1 << elsewhere.REST_BITS


def test_counting_through_all_numbers_of_the_county_finds_several_for_each_entry() -> None:
    """The bound that protects people when a station is stolen: see the decision."""
    divisions, days, serials = 2, 96 * 365, 1000
    assert divisions * days * serials / 2 ** (elsewhere.BUCKET_BITS + elsewhere.REST_BITS) > 4


@pytest.mark.parametrize("townships", [[], ["330683100"], ["330683100", "330683101"]])
def test_the_key_travels_with_the_names_of_the_townships(townships: list[str]) -> None:
    assert elsewhere.unpack_key(elsewhere.pack_key(KEY, townships)) == (KEY, townships)
