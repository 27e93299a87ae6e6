# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from schema.web import formats

MORNING = "2026-11-25T01:42:00.000Z"  # 09:42 in China
LATE = datetime(2025, 12, 31, 16, 30, tzinfo=UTC)  # already 2026 in China


@pytest.mark.parametrize(
    ("fen", "shown"),
    [
        (123456, "1,234.56"),
        (-123456, "\u22121,234.56"),
        (0, "0.00"),
        (5, "0.05"),
        (10**12, "10,000,000,000.00"),
        (None, "--"),
    ],
)
def test_money_is_shown_with_commas_fen_and_a_true_minus(fen: int | None, shown: str) -> None:
    assert formats.yuan(fen) == shown


@pytest.mark.parametrize(("fen", "shown"), [(420, "+4.20"), (-420, "\u22124.20"), (0, "0.00"), (None, "--")])
def test_a_difference_shows_its_sign(fen: int | None, shown: str) -> None:
    assert formats.yuan(fen, signed=True) == shown


def test_instants_are_shown_in_chinas_civil_time() -> None:
    assert (formats.hour(MORNING), formats.full(MORNING)) == ("09:42", "2026-11-25 09:42")
    assert formats.full(LATE) == "2026-01-01 00:30"


@pytest.mark.parametrize(
    ("today", "shown"),
    [(date(2026, 11, 25), "09:42"), (date(2026, 12, 1), "11-25 09:42"), (date(2027, 1, 1), "2026-11-25 09:42")],
)
def test_a_time_is_as_short_as_it_can_be_without_doubt(today: date, shown: str) -> None:
    assert formats.short(MORNING, today) == shown


@pytest.mark.parametrize(
    ("span", "zh", "en"),
    [
        (timedelta(days=2, hours=3, minutes=59), "2 天 3 小时", "2 d 3 h"),
        (timedelta(days=2, minutes=5), "2 天", "2 d"),
        (timedelta(minutes=1, seconds=10), "1 分 10 秒", "1 min 10 s"),
        (timedelta(hours=1), "1 小时", "1 h"),
        (timedelta(0), "0 秒", "0 s"),
        (timedelta(seconds=-5), "0 秒", "0 s"),
    ],
)
def test_a_duration_has_its_two_largest_units(span: timedelta, zh: str, en: str) -> None:
    assert (formats.duration(span, "zh"), formats.duration(span, "en")) == (zh, en)


@pytest.mark.parametrize("number", ["33068319650812001X", "330623650812001"])
def test_an_id_number_in_groups_copies_as_bare_digits(number: str) -> None:
    shown = formats.grouped(number)
    assert shown.count("<i>") == 2
    assert re.sub(r"<[^>]+>", "", shown) == number


def test_a_bank_account_is_grouped_in_fours_and_copies_as_bare_digits() -> None:
    shown = formats.fours("6228580399001234569")
    assert shown == "6228<i>5803</i><i>9900</i><i>1234</i><i>569</i>"
    assert formats.fours("<b>") == "&lt;b&gt;" and formats.fours(None) == "--"


def test_an_id_number_is_grouped_six_eight_four() -> None:
    assert formats.grouped("33068319650812001X") == "330683<i>19650812</i><i>001X</i>"
    assert formats.grouped("330623650812001") == "330623<i>650812</i><i>001</i>"


def test_what_stands_in_a_number_is_escaped() -> None:
    assert "<script>" not in formats.grouped("<script>alert(1)</script>")


def test_masks_hide_what_a_bystander_must_not_read() -> None:
    assert formats.id_masked("33068319650812001X") == "330683********001X"
    assert formats.phone_masked("13857582046") == "138****2046"
    assert [formats.name_masked(name) for name in ("张建国", "王丽", "欧阳春晓", "张")] == [
        "张*国",
        "王*",
        "欧**晓",
        "张*",
    ]
    assert formats.tail("6228580399007731") == "7731"


def test_a_short_id_or_phone_is_not_shown_whole_by_its_mask() -> None:
    assert formats.id_masked("12345678") == "********"
    assert formats.phone_masked("83012345") == "****45"


def test_phones_dates_and_months_have_one_form() -> None:
    assert formats.phone("13857582046") == "138 5758 2046"
    assert formats.phone("0575-83012345") == "0575-83012345"
    assert formats.day(date(2026, 11, 25)) == formats.day("2026-11-25") == "2026-11-25"
    assert formats.paper_day("2026-11-05", "zh") == "2026 年 11 月 5 日"
    assert formats.paper_day(date(2026, 11, 5), "en") == "5 November 2026"
    assert formats.months("2012-01", None) == "2012-01 ～"
    assert formats.months("1994-03", "1998-06") == "1994-03 ～ 1998-06"
    assert formats.count(24806) == "24,806"


@pytest.mark.parametrize(
    "shown",
    [formats.hour(None), formats.full(None), formats.day(None), formats.short(None, date(2026, 1, 1)),
     formats.phone(""), formats.grouped(None), formats.id_masked(None), formats.name_masked(""), formats.tail(None),
     formats.months(None, None), formats.count(None), formats.paper_day(None, "zh"), formats.phone_masked(None)],
)  # fmt: skip
def test_what_is_not_known_is_two_dashes(shown: str) -> None:
    assert shown == "--"


@pytest.mark.parametrize(
    ("message", "first"),
    [
        ("身份证号至少有一位不对。请对照证件逐位看，或放卡读取。", "身份证号至少有一位不对"),
        ("One digit short of 11. Leave empty if there is none.", "One digit short of 11"),
        ("The rate is 1.5 per cent", "The rate is 1.5 per cent"),
        ("还缺：户口簿本人页", "还缺：户口簿本人页"),
    ],
)
def test_the_summary_shows_the_first_sentence_in_the_same_words(message: str, first: str) -> None:
    assert formats.opening(message) == first
