# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from provisioning.county import numbers
from schema import resident_id, unit_code

DAYS = st.dates(date(1900, 1, 1), date(2026, 10, 31))


@given(DAYS, st.sampled_from(["330683", "330623", "522424"]), st.sampled_from("12"))
def test_a_number_says_division_birth_and_sex_and_its_check_digit_holds(birth: date, division: str, sex: str) -> None:
    number = numbers.IdNumbers(7).new(division, birth.toordinal(), sex)
    read, _ = resident_id.read(number, date(2026, 10, 31))
    assert read is not None
    assert (read.division, read.birth_on, read.sex) == (division, birth, sex)


def test_all_sequences_of_a_day_are_given_out_once_and_no_more() -> None:
    # 33068319800101001 -> 3 is a worked example of the check digit.
    given_out = numbers.IdNumbers(7)
    day = date(1980, 1, 1).toordinal()
    made = {given_out.new("330683", day, "1") for _ in range(500)}
    assert "330683198001010013" in made and len(made) == 500
    with pytest.raises(ValueError, match="given"):
        given_out.new("330683", day, "1")


def test_the_fifteen_digit_form_reads_back_to_the_same_number() -> None:
    number = numbers.IdNumbers(7).new("330623", date(1966, 5, 1).toordinal(), "2")
    read, _ = resident_id.read(numbers.fifteen(number), date(2026, 10, 31))
    assert read is not None and read.number == number


@given(st.integers(0, 99_999), st.sampled_from(["91", "92", "93", "12", "52"]), st.integers())
def test_a_unit_code_holds(serial: int, prefix: str, seed: int) -> None:
    code, findings = unit_code.read(numbers.unit_code(random.Random(seed), prefix, serial))
    assert findings == [] and code is not None and code.startswith(f"{prefix}330683")


@given(st.integers())
def test_a_card_number_holds_and_is_of_the_issuer(seed: int) -> None:
    card = numbers.bank_card(random.Random(seed), "620800")
    assert len(card) == 19 and card.startswith("620800") and luhn.is_valid(card)
