# SPDX-License-Identifier: Apache-2.0
"""Months, ages and working days. A month is text `YYYY-MM`; nothing here reads the clock."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

import chinese_calendar

# 元旦、劳动节、国庆节：全国年节及纪念日放假办法（2024 修订）二. The others follow the moon or the sun.
_FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
_MONTH = re.compile(r"(?:19|20|21)[0-9]{2}-(?:0[1-9]|1[0-2])")


def is_month(text: str) -> bool:
    """Whether the text is a month this system can hold (1900-01 to 2199-12)."""
    return bool(_MONTH.fullmatch(text))


def month_of(day: date) -> str:
    """The month a day lies in."""
    return f"{day.year:04d}-{day.month:02d}"


def add_months(month: str, count: int) -> str:
    """The month `count` later (earlier when negative)."""
    year, index = divmod(_ordinal(month) + count, 12)
    return f"{year:04d}-{index + 1:02d}"


def months_between(earlier: str, later: str) -> int:
    """How many months from the first to the second; negative when the second is earlier."""
    return _ordinal(later) - _ordinal(earlier)


def first_day(month: str) -> date:
    """The first day of a month."""
    year, index = divmod(_ordinal(month), 12)
    return date(year, index + 1, 1)


def last_day(month: str) -> date:
    """The last day of a month."""
    first = first_day(month)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def age_on(birth: date, on: date) -> int:
    """Full years of age on a day; a birthday counts from its beginning, 29 February from 1 March in common years."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def month_reaching_age(birth: date, years: int) -> str:
    """The month in which someone becomes that old."""
    return f"{birth.year + years:04d}-{birth.month:02d}"


def is_announced(day: date) -> bool:
    """Whether the State Council's holidays and make-up days of that year are known to this program."""
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True


def is_working_day(day: date) -> bool:
    """Whether offices work that day: by the State Council's list for the year.

    In a year it does not cover (`is_announced`): Monday to Friday without the holidays whose date the law fixes.
    """
    if is_announced(day):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5 and (day.month, day.day) not in _FIXED_HOLIDAYS


def add_working_days(day: date, count: int) -> date:
    """The `count`-th working day after `day`; the day itself is not counted. Zero gives the day itself."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def working_days_left(today: date, last: date) -> int:
    """How many working days there are from tomorrow to the last day; negative: so many since it."""
    earlier, later = sorted((today, last))
    days = (earlier + timedelta(days=n) for n in range(1, (later - earlier).days + 1))
    return sum(map(is_working_day, days)) * (1 if last >= today else -1)


def _ordinal(month: str) -> int:
    if not is_month(month):
        raise ValueError("a month is YYYY-MM")
    return int(month[:4]) * 12 + int(month[5:]) - 1
