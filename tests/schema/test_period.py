# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import period
from tests.schema.domain import CASES

MONTHS = st.builds(lambda y, m: f"{y:04d}-{m:02d}", st.integers(1950, 2149), st.integers(1, 12))
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@given(MONTHS, st.integers(-600, 600))
def test_adding_months_and_counting_between_are_inverse(month: str, count: int) -> None:
    later = period.add_months(month, count)
    assert period.months_between(month, later) == count
    assert period.add_months(later, -count) == month


@given(DAYS)
def test_a_day_lies_between_the_first_and_last_of_its_month(day: date) -> None:
    month = period.month_of(day)
    assert period.first_day(month) <= day <= period.last_day(month)
    assert period.last_day(month).toordinal() + 1 == period.first_day(period.add_months(month, 1)).toordinal()


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "202601", "26-01", "2026-01-01", "", "1899-12", "２０２６-01"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    assert not period.is_month(text)
    with pytest.raises(ValueError, match="YYYY-MM"):
        period.add_months(text, 1)


@pytest.mark.parametrize(
    ("birth", "on", "age"),
    [
        (date(1966, 11, 8), date(2026, 11, 7), 59),
        (date(1966, 11, 8), date(2026, 11, 8), 60),
        (date(2000, 2, 29), date(2018, 2, 28), 17),
        (date(2000, 2, 29), date(2018, 3, 1), 18),
        (date(2026, 11, 8), date(2026, 11, 8), 0),
    ],
)
def test_age_is_reached_on_the_birthday(birth: date, on: date, age: int) -> None:
    assert period.age_on(birth, on) == age


@given(st.dates(date(1900, 1, 1), date(2050, 12, 31)), st.integers(0, 120))
def test_the_month_of_reaching_an_age_is_the_first_whose_last_day_has_it(birth: date, years: int) -> None:
    month = period.month_reaching_age(birth, years)
    born_on_leap_day = (birth.month, birth.day) == (2, 29)
    if not born_on_leap_day:
        assert period.age_on(birth, period.last_day(month)) == years
    assert period.age_on(birth, period.last_day(period.add_months(month, -1))) == years - 1


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),  # over a weekend
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # National Day, then work again
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # a make-up Saturday before Spring Festival
        (date(2026, 2, 13), 2, date(2026, 2, 24)),  # and the festival after it
        (date(2026, 11, 23), 10, date(2026, 12, 7)),
        (date(2026, 11, 22), 0, date(2026, 11, 22)),
    ],
)
def test_working_days_follow_holidays_and_make_up_days(start: date, count: int, expected: date) -> None:
    assert period.add_working_days(start, count) == expected


LIMITS = tomllib.loads((CASES / "working_days.toml").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", LIMITS, ids=lambda case: case["title"])
def test_a_legal_limit_ends_on_the_day_that_the_policy_officers_count(case: dict[str, Any]) -> None:
    last = period.add_working_days(case["received"], case["limit"])
    assert (last, period.is_announced(last)) == (case["last"], case.get("announced", True))
    assert period.working_days_left(case["received"], last) == case["limit"]


@given(DAYS, st.integers(0, 90))
def test_days_left_is_what_was_added_and_days_since_its_negative(day: date, count: int) -> None:
    last = period.add_working_days(day, count)
    assert period.working_days_left(day, last) == count
    assert period.working_days_left(last, day) == -count


def test_a_year_without_an_announced_calendar_knows_the_holidays_that_the_law_dates() -> None:
    off = [date(2090, 1, 1), *(date(2090, 5, n) for n in (1, 2)), *(date(2090, 10, n) for n in (1, 2, 3))]
    assert not any(map(period.is_working_day, off))
    assert period.is_working_day(date(2090, 10, 4)) and not period.is_working_day(date(2090, 10, 7))



@given(DAYS, st.integers(0, 30), st.integers(0, 30))
def test_working_days_add_up(day: date, first: int, second: int) -> None:
    assert period.add_working_days(period.add_working_days(day, first), second) == period.add_working_days(
        day, first + second
    )
