# SPDX-License-Identifier: Apache-2.0
"""Ids are random and unguessable; a receipt number catches a clerk's slip of the finger."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import ids


def test_ids_are_16_bytes_and_do_not_repeat() -> None:
    made = {ids.new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(i) for i in made} == {16}


@pytest.mark.parametrize("text", ["", "zz", "00" * 15, "00" * 17, " " + "00" * 16])
def test_only_32_hex_digits_are_an_id(text: str) -> None:
    with pytest.raises(ValueError):
        ids.from_text(text)


@given(st.integers(0, 999999), st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_in_a_receipt_number_is_noticed(serial: int, place: int, shift: int) -> None:
    number = ids.receipt_no("0100-1", 2026, serial)
    assert ids.is_receipt_no(number)
    positions = [i for i, c in enumerate(number) if c.isdigit()]
    at = positions[place % len(positions)]
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]
    assert not ids.is_receipt_no(wrong)


def test_a_receipt_number_reads_station_window_year_serial_check() -> None:
    assert ids.receipt_no("0100-1", 2026, 417).startswith("0100-1-26-000417-")
