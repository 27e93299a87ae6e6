# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import resident_id
from schema.findings import Finding

TODAY = date(2026, 11, 23)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
BIRTHS = st.dates(date(1900, 1, 1), TODAY)


def checked(body: str) -> str:
    """The standard's own sum, written out here so that library and standard are compared."""
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def codes(findings: list[Finding]) -> list[str]:
    return [f.code for f in findings]


@pytest.mark.parametrize(
    ("number", "sex", "birth_on", "division"),
    [
        ("330683198001010013", "1", date(1980, 1, 1), "330683"),
        ("330623197005150020", "2", date(1970, 5, 15), "330623"),
        ("11010519491231002X", "2", date(1949, 12, 31), "110105"),
        ("330683200003071231", "1", date(2000, 3, 7), "330683"),
        ("330683199512123452", "1", date(1995, 12, 12), "330683"),
    ],
)
def test_the_numbers_of_the_handbook_are_accepted(number: str, sex: str, birth_on: date, division: str) -> None:
    read, findings = resident_id.read(number, TODAY)
    assert read is not None
    assert (read.number, read.sex, read.birth_on, read.division) == (number, sex, birth_on, division)
    assert [f for f in findings if f.severity != "hint"] == []


@pytest.mark.parametrize("number", ["330623196003071236", "330683196003071232", checked("33232319550102001")])
def test_any_division_is_accepted_for_any_birth_year(number: str) -> None:
    read, findings = resident_id.read(number, TODAY)
    assert read is not None
    assert read.number == number
    assert all(f.severity == "hint" for f in findings)


def test_the_former_county_is_said_to_be_right_and_the_present_one_is_not_mentioned() -> None:
    _, former = resident_id.read("330623196003071236", TODAY)
    assert [(f.severity, f.zh) for f in former] == [("hint", "旧证号前六位 330623 是原嵊县，可以用")]
    assert resident_id.read("330683196003071232", TODAY)[1] == []


def test_a_15_digit_number_becomes_the_18_digit_one_and_keeps_both() -> None:
    read, findings = resident_id.read("330623700515002", TODAY)
    assert read is not None
    assert (read.number, read.number_15, read.birth_on) == ("330623197005150020", "330623700515002", date(1970, 5, 15))
    assert codes(findings) == ["id_former_division"]


def test_births_from_2000_on_have_no_15_digit_form() -> None:
    read, _ = resident_id.read("330683200003071231", TODAY)
    assert read is not None
    assert read.number_15 is None


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "１１０１０５１９４９１２３１００２ｘ",
        "110105\u30001949\t1231002X",
        "\ufeff11010519491231002X\u200b",
    ],
)
def test_width_spaces_and_case_do_not_matter(typed: str) -> None:
    read, findings = resident_id.read(typed, TODAY)
    assert read is not None
    assert read.number == "11010519491231002X"
    assert findings == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["id_empty"]),
        ("   \u3000", ["id_empty"]),
        ("33068319811103042", ["id_length"]),
        ("3306831981110304291", ["id_length"]),
        ("33068319811103O429", ["id_characters"]),
        ("X30683198111030429", ["id_characters"]),
        ("33068319811103042٣", ["id_characters"]),
        ("身份证330683", ["id_characters", "id_length"]),
        ("330683198111030421", ["id_check_digit"]),
        ("330683198111030492", ["id_check_digit"]),
        (checked("33068319811303042"), ["id_date"]),
        (checked("33068319810229042"), ["id_date"]),
        (checked("33068320270101042"), ["id_future"]),
        (checked("33068320261123042"), []),
        (checked("33068320261124042"), ["id_future"]),
        (checked("33068318960101042"), []),
        (checked("33068318951122042"), ["id_too_old"]),
        ("330683811303042", ["id_date"]),
        ("330683198113030421", ["id_check_digit", "id_date"]),
    ],
)
def test_each_fault_has_its_own_finding(typed: str, expected: list[str]) -> None:
    read, findings = resident_id.read(typed, TODAY, "new_id_number")
    assert codes(findings) == expected
    assert (read is None) == bool(expected)
    assert all(f.field == "new_id_number" and f.severity == "block" and f.zh and f.en for f in findings)


def test_a_wrong_check_digit_never_offers_the_right_one() -> None:
    _, findings = resident_id.read("330683198111030421", TODAY)
    assert findings[0].zh == "身份证号至少有一位不对。请对照证件逐位看，或放卡读取"
    assert not any(character.isdigit() for character in findings[0].zh + findings[0].en)


@given(BIRTHS, st.integers(0, 999), st.sampled_from(["330683", "330623", "332323", "110105", "999999"]))
def test_every_number_with_the_standards_check_digit_is_accepted(birth_on: date, order: int, division: str) -> None:
    number = checked(f"{division}{birth_on:%Y%m%d}{order:03d}")
    read, _ = resident_id.read(number, TODAY)
    assert read is not None
    assert (read.number, read.birth_on, read.sex) == (number, birth_on, "1" if order % 2 else "2")


@given(BIRTHS, st.integers(0, 999), st.integers(0, 17), st.integers(1, 9))
def test_one_mistyped_digit_is_always_seen(birth_on: date, order: int, place: int, by: int) -> None:
    number = checked(f"330683{birth_on:%Y%m%d}{order:03d}")
    digit = "0123456789X".index(number[place])
    wrong = number[:place] + str((digit + by) % 10) + number[place + 1 :]
    assert wrong == number or resident_id.read(wrong, TODAY)[0] is None


@given(BIRTHS, st.integers(0, 999))
def test_the_15_digit_form_of_a_number_leads_back_to_it(birth_on: date, order: int) -> None:
    read, _ = resident_id.read(checked(f"330623{birth_on:%Y%m%d}{order:03d}"), TODAY)
    assert read is not None
    if read.number_15 is not None:
        assert resident_id.read(read.number_15, TODAY)[0] == read


@given(st.text(max_size=40))
def test_any_text_at_all_gives_a_number_or_a_finding(text: str) -> None:
    read, findings = resident_id.read(text, TODAY)
    assert (read is None) == any(f.severity == "block" for f in findings)
