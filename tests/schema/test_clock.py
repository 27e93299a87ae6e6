# SPDX-License-Identifier: Apache-2.0
"""Instants are stored in UTC and sort as text; legal dates are China's."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.clock import FixedClock, SystemClock, local, parse_stamp, stamp


def test_the_civil_date_changes_at_midnight_in_china() -> None:
    clock = FixedClock(datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC))
    assert clock.today() == date(2026, 11, 23)
    clock.advance(seconds=1)
    assert clock.today() == date(2026, 11, 24)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_stored_instant_comes_back_to_the_millisecond(instant: datetime) -> None:
    assert abs((parse_stamp(stamp(instant)) - instant).total_seconds()) < 0.001


def test_stored_instants_sort_as_text() -> None:
    times = [datetime(2026, 11, 23, 9, 0, 0, 5000, tzinfo=UTC), datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC)]
    assert sorted(stamp(t) for t in times) == [stamp(t) for t in times]


@pytest.mark.parametrize("text", ["", "2026-11-23", "2026-11-23T09:00:00Z", "2026-11-23T09:00:00.000+08:00"])
def test_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_stamp(text)


def test_screens_show_chinese_time() -> None:
    assert local("2026-11-23T01:00:00.000Z").hour == 9
    assert SystemClock().now().tzinfo is UTC
