# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import unit_code


def checked(body: str) -> str:
    """The standard's own sum: weights 3^n mod 31."""
    total = sum(unit_code.ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + unit_code.ALPHABET[-total % 31]


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y43",
        "91110000600037341L",
        "91330683MA2XXXXX09",
        "113306830025820008",
        checked("N2330683MA2XXXXX0"),
    ],
)
def test_codes_of_every_kind_of_body_are_accepted(code: str) -> None:
    assert unit_code.read(code) == (code, [])


@pytest.mark.parametrize(
    "typed", ["91110000 6000 37341l", "９１１１００００６０００３７３４１Ｌ", "91110000-600037341-L"]
)
def test_width_case_spaces_and_dashes_do_not_matter(typed: str) -> None:
    assert unit_code.read(typed) == ("91110000600037341L", [])


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["uscc_empty"]),
        ("91110000600037341", ["uscc_length"]),
        ("9111000060003734OL", ["uscc_characters"]),
        ("911100006000I7341", ["uscc_characters", "uscc_length"]),
        ("911100006000373410", ["uscc_check_digit"]),
        (checked("91A10000600037341"), ["uscc_prefix"]),
        (checked("01330683MA2XXXXX0"), ["uscc_prefix"]),
    ],
)
def test_each_fault_has_its_own_finding(typed: str, expected: list[str]) -> None:
    code, findings = unit_code.read(typed, "unit")
    assert code is None
    assert [f.code for f in findings] == expected
    assert all(f.field == "unit" and f.severity == "block" for f in findings)


@given(
    st.text(unit_code.ALPHABET, min_size=9, max_size=9),
    st.sampled_from(["91", "92", "93", "11", "51", "N1", "N2", "54", "A1"]),
)
def test_every_code_with_the_standards_check_character_is_accepted(organisation: str, kind: str) -> None:
    code = checked(f"{kind}330683{organisation}")
    assert unit_code.read(code) == (code, [])


@given(st.text(max_size=40))
def test_any_text_at_all_gives_a_code_or_a_finding(text: str) -> None:
    code, findings = unit_code.read(text)
    assert (code is None) == bool(findings)
