# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import field_types
from schema.field_types import Context
from schema.service_parts import Choice, Field
from tests.schema.domain import parameters, services

CONTEXT = Context(date(2026, 11, 25), parameters())
BANKS = (Choice("a", {"zh": "甲", "en": "A"}), Choice("b", {"zh": "乙", "en": "B"}))


def field(kind: str, **more: Any) -> Field:
    return Field(name="x", type=kind, label={"zh": "某", "en": "X"}, section="s", **more)


def read(kind: str, text: str) -> Any:
    value, findings = field_types.parse(field(kind, choices=BANKS), text, CONTEXT)
    assert findings == [] or value is None
    return value if not findings else findings[0].code


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", "  甘霖镇\t 施家岙村  12 号 ", "甘霖镇 施家岙村 12 号"),
        ("text", "一\x00二", "一二"),
        ("textarea", "一\r\n二", "一\n二"),
        ("name", "陈 桂英", "陈桂英"),
        ("name", "买买提•艾力", "买买提·艾力"),
        ("name", "Anna  Wang", "Anna Wang"),
        ("name", "﨑", "name_short"),
        ("name", "张\ue000", "张\ue000"),
        ("name", "张3", "name_characters"),
        ("name", "张", "name_short"),
        ("resident_id", "330683 19811103 0429", "330683198111030429"),
        ("resident_id", "330683198111030421", "id_check_digit"),
        ("phone", "138 5758 2046", "13857582046"),
        ("phone", "+86 138-5758-2046", "13857582046"),
        ("phone", "１３８５７５８２０４６", "13857582046"),
        ("phone", "0575-83032000", "057583032000"),
        ("phone", "83032000", "83032000"),
        ("phone", "1385758204", "phone_length"),
        ("phone", "138575820461", "phone_length"),
        ("phone", "没有", "phone_characters"),
        ("phone", "12", "phone_length"),
        ("phone", "99", "phone_form"),
        ("date", "2026-1-5", "2026-01-05"),
        ("date", "2026年1月5日", "2026-01-05"),
        ("date", "20260105", "2026-01-05"),
        ("date", "2026/01/05", "2026-01-05"),
        ("date", "2026-02-30", "date_form"),
        ("date", "0000-01-01", "date_form"),
        ("date", "5.1.2026", "date_form"),
        ("month", "2026-1", "2026-01"),
        ("month", "2026年11月", "2026-11"),
        ("month", "202611", "2026-11"),
        ("month", "2026-13", "month_form"),
        ("month", "11-2026", "month_form"),
        ("choice", "a", "a"),
        ("choice", "c", "choice_unknown"),
        ("money", "1,000", 100_000),
        ("money", "0", 0),
        ("money", "-1", "money_negative"),
        ("money", "千元", "money_form"),
        ("village", "330683100200", "330683100200"),
        ("village", "330683100", "330683100"),
        ("village", "施家岙村", "village_form"),
        ("village", "3306831002", "village_form"),
        ("bank_account", "6208 0099 0012 3456 787", "6208009900123456787"),
        ("bank_account", "62080099X", "bank_account_form"),
        ("bank_account", "1234567", "bank_account_form"),
        ("checkbox", "on", True),
        ("checkbox", "", False),
        ("checkbox", "off", False),
    ],
)
def test_each_type_reads_what_people_type(kind: str, text: str, expected: object) -> None:
    assert read(kind, text) == expected


@pytest.mark.parametrize("kind", sorted(set(field_types.TYPES) - {"checkbox"}))
def test_empty_is_no_value_and_no_finding(kind: str) -> None:
    assert field_types.parse(field(kind), " \u3000\n", CONTEXT) == (None, [])


@pytest.mark.parametrize("kind", sorted(field_types.TYPES))
@given(raw=st.one_of(st.text(max_size=60), st.none(), st.integers()))
def test_any_input_gives_a_value_or_findings_of_that_field(kind: str, raw: object) -> None:
    value, findings = field_types.parse(field(kind, choices=BANKS), raw, CONTEXT)
    assert all(f.field == "x" and f.zh and f.en for f in findings)
    assert value is None or not any(f.severity == "block" for f in findings)


@pytest.mark.parametrize(
    ("typed", "zh", "en"),
    [
        (
            "1585750162",
            "手机号少一位，应是 11 位。没有手机可留空",
            "Phone number is one digit short of 11. Leave empty if there is none",
        ),
        (
            "158575011",
            "手机号少两位，应是 11 位。没有手机可留空",
            "Phone number is 2 digits short of 11. Leave empty if there is none",
        ),
        (
            "1585750",
            "手机号少 4 位，应是 11 位。没有手机可留空",
            "Phone number is 4 digits short of 11. Leave empty if there is none",
        ),
        (
            "158575011620",
            "手机号多一位，应是 11 位。没有手机可留空",
            "Phone number is one digit over 11. Leave empty if there is none",
        ),
    ],
)
def test_a_phone_number_says_how_many_digits_are_off(typed: str, zh: str, en: str) -> None:
    _, findings = field_types.parse(field("phone"), typed, CONTEXT)
    assert [(f.zh, f.en) for f in findings] == [(zh, en)]


def test_text_beyond_its_limit_is_refused_not_cut() -> None:
    assert [f.code for f in field_types.parse(field("text", limit=3), "一二三四", CONTEXT)[1]] == ["too_long"]
    assert [f.code for f in field_types.parse(field("text"), "x" * 5000, CONTEXT)[1]] == ["too_long"]


def test_a_rare_character_of_a_name_is_kept_as_it_is() -> None:
    compatibility = "\ufa11"  # a form that folding would silently replace
    assert read("name", f"山{compatibility}") == f"山{compatibility}"


def test_grades_are_offered_as_the_years_parameter_lists_them() -> None:
    grade = services()["resident_pension_enrolment"].field("grade")
    assert grade is not None
    entries = field_types.options(grade, CONTEXT)
    assert [e.value for e in entries] == ["100", "300", "500", "1000", "2000", "3000", "5000"]
    assert entries[3].text == {"zh": "每年 1,000 元", "en": "1,000 yuan a year"}
    assert field_types.widget(grade) == "choice"
    assert [field_types.parse(grade, e.value, CONTEXT)[0] for e in entries][3] == 100_000


def test_values_are_shown_in_both_languages() -> None:
    grade = services()["resident_pension_enrolment"].field("grade")
    assert grade is not None
    assert field_types.shown(grade, 100_000, CONTEXT)["zh"] == "每年 1,000 元"
    assert field_types.shown(field("money"), 1250, CONTEXT) == {"zh": "12.50 元", "en": "12.50 yuan"}
    assert field_types.shown(field("choice", choices=BANKS), "b", CONTEXT) == {"zh": "乙", "en": "B"}
    assert field_types.shown(field("text"), None, CONTEXT)["zh"] == "--"
    assert field_types.shown(field("checkbox"), True, CONTEXT) == {"zh": "是", "en": "yes"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("money", 100_050),
        ("money", 100_000),
        ("checkbox", True),
        ("checkbox", False),
        ("text", "甲 乙"),
        ("month", "2026-11"),
        ("date", "2026-01-05"),
        ("choice", "a"),
    ],
)
def test_a_stored_value_put_into_the_form_reads_back_as_itself(kind: str, value: object) -> None:
    what = field(kind, choices=BANKS)
    assert field_types.parse(what, field_types.raw_text(what, value), CONTEXT) == (value, [])
