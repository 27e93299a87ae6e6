# SPDX-License-Identifier: Apache-2.0
"""How figures, dates and numbers are shown. One form each, the same on every page and slip.

Instants come as aware datetimes or as stored stamps and are shown in China's civil time. What is not known is `--`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from markupsafe import Markup

from schema import money
from schema.clock import CHINA, parse_stamp

UNKNOWN = "--"

Instant = datetime | str | None
Day = date | str | None


def yuan(fen: int | None, *, signed: bool = False) -> str:
    """Fen as yuan: 123456 -> 1,234.56; a true minus sign; `signed` puts a plus before a gain."""
    if fen is None:
        return UNKNOWN
    return ("+" if signed and fen > 0 else "") + money.yuan(fen)


def count(number: int | None) -> str:
    """A count with thousands: 24,806."""
    return UNKNOWN if number is None else f"{number:,}".replace("-", money.MINUS)


def civil(instant: datetime | str) -> datetime:
    """An instant, or a stored stamp, as China's civil time."""
    return (parse_stamp(instant) if isinstance(instant, str) else instant).astimezone(CHINA)


def day(value: Day) -> str:
    """2026-11-25."""
    return UNKNOWN if not value else value[:10] if isinstance(value, str) else f"{value:%Y-%m-%d}"


def hour(instant: Instant) -> str:
    """09:42."""
    return f"{civil(instant):%H:%M}" if instant else UNKNOWN


def full(instant: Instant) -> str:
    """2026-11-25 09:42."""
    return f"{civil(instant):%Y-%m-%d %H:%M}" if instant else UNKNOWN


def short(instant: Instant, today: date) -> str:
    """09:42 today, 11-25 09:42 within the year, else with the year."""
    if not instant:
        return UNKNOWN
    at = civil(instant)
    if at.date() == today:
        return f"{at:%H:%M}"
    return f"{at:%m-%d %H:%M}" if at.year == today.year else f"{at:%Y-%m-%d %H:%M}"


def paper_day(value: Day, lang: str) -> str:
    """For slips and notices: 2026 年 11 月 25 日, or 25 November 2026."""
    if not value:
        return UNKNOWN
    on = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{on.year} 年 {on.month} 月 {on.day} 日" if lang == "zh" else f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def months(first: str | None, last: str | None) -> str:
    """A range of months: 1994-03 ～ 1998-06, open when it goes on: 2012-01 ～."""
    return f"{first or UNKNOWN} ～ {last}" if last else f"{first} ～" if first else UNKNOWN


def duration(span: timedelta, lang: str) -> str:
    """The two largest units: 2 天 3 小时, 1 分 10 秒; in English 2 d 3 h. Stands beside a time, never alone."""
    left = max(0, int(span.total_seconds()))
    parts: list[str] = []
    for seconds, words in _UNITS:
        number, left = divmod(left, seconds)
        if number or (seconds == 1 and not parts):
            parts.append(f"{number} {words[lang]}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)


def phone(number: str | None) -> str:
    """A mobile number in groups 3-4-4; anything else as it is."""
    if not number:
        return UNKNOWN
    return f"{number[:3]} {number[3:7]} {number[7:]}" if re.fullmatch(r"1\d{10}", number) else number


def phone_masked(number: str | None) -> str:
    """138****2046."""
    if not number:
        return UNKNOWN
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 10 else "****" + number[-2:]


def name_masked(name: str | None) -> str:
    """For paper and other people's data: 张*国, 王*, longer names keep first and last."""
    if not name:
        return UNKNOWN
    return name[0] + "*" * max(1, len(name) - 2) + (name[-1] if len(name) > 2 else "")


def id_masked(number: str | None) -> str:
    """First 6 and last 4 of an ID number; of anything too short to be one, nothing."""
    if not number:
        return UNKNOWN
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}" if len(number) >= 15 else "*" * len(number)


def tail(number: str | None) -> str:
    """The last four digits of a bank account."""
    return number[-4:] if number else UNKNOWN


def grouped(number: str | None) -> Markup:
    """An ID number in groups 6-8-4 (15 digits: 6-6-3) set apart by margins, so that copying yields bare digits."""
    if not number:
        return Markup(UNKNOWN)
    cut = 12 if len(number) == 15 else 14
    groups = [part for part in (number[6:cut], number[cut:]) if part]
    return Markup("{}{}").format(number[:6], Markup("").join(Markup("<i>{}</i>").format(part) for part in groups))


def fours(number: str | None) -> Markup:
    """A bank account number in fours, set apart by margins: two of them can be compared at a glance."""
    if not number:
        return Markup(UNKNOWN)
    groups = [number[at : at + 4] for at in range(0, len(number), 4)]
    return Markup("{}{}").format(groups[0], Markup("").join(Markup("<i>{}</i>").format(part) for part in groups[1:]))


def opening(message: str) -> str:
    """The first sentence of a finding: what the summary shows of it, in the same words."""
    return re.split(r"。|[.](?=\s|$)", message, maxsplit=1)[0]


_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_UNITS = (
    (86400, {"zh": "天", "en": "d"}),
    (3600, {"zh": "小时", "en": "h"}),
    (60, {"zh": "分", "en": "min"}),
    (1, {"zh": "秒", "en": "s"}),
)
