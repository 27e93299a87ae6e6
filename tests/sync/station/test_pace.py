# SPDX-License-Identifier: Apache-2.0
"""The size of requests follows the line: within bounds, towards the aim, smaller after every failure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.station import pace
from sync.station.pace import AIM_HIGH_S, MAX_SIZE, MIN_SIZE, START_SIZE, Pace

sizes = st.integers(MIN_SIZE, MAX_SIZE)
paces = st.builds(Pace, sizes, st.floats(0, 1e8), st.integers(0, 2))


@given(paces, sizes, st.floats(0, 1e5))
def test_a_success_stays_within_bounds_and_never_more_than_doubles(before: Pace, size: int, seconds: float) -> None:
    after = pace.after_success(before, min(size, before.size), seconds)
    assert MIN_SIZE <= after.size <= MAX_SIZE
    assert after.size <= 2 * before.size
    assert 0 <= after.good < pace.GROW_AFTER
    assert after.bytes_per_s >= 0


@given(paces)
def test_a_failure_halves_until_the_smallest(before: Pace) -> None:
    after = pace.after_failure(before)
    assert after.size == max(before.size // 2, MIN_SIZE)
    assert after.good == 0


@given(paces, st.integers(0, MAX_SIZE))
def test_patience_grows_with_every_failure_and_has_an_end(before: Pace, size: int) -> None:
    """A frame that was built large must get the time it needs some day, and a dead hub must be given up some day."""
    now, later = pace.patience_s(before, size), pace.patience_s(pace.after_failure(before), size)
    assert now >= pace.SILENCE_S
    if before.bytes_per_s >= pace.SLOWEST_BYTES_PER_S:
        assert now <= later <= pace.SILENCE_S + pace.MARGIN * size / pace.SLOWEST_BYTES_PER_S


@given(st.floats(300, 1e6), st.floats(0, 3), paces)
def test_on_a_steady_line_requests_come_to_last_as_long_as_aimed_at(rate: float, trip_s: float, before: Pace) -> None:
    now = Pace(before.size, rate, 0)
    for _ in range(60):
        now = pace.after_success(now, now.size, trip_s + now.size / rate)

    seconds = trip_s + now.size / rate
    assert seconds <= AIM_HIGH_S or now.size == MIN_SIZE
    assert seconds >= 3 or now.size == MAX_SIZE


def test_16_kbit_and_two_seconds_round_trip_give_about_ten_kibibytes() -> None:
    now = Pace()
    for _ in range(20):
        now = pace.after_success(now, now.size, 2 + now.size / 2000)
    assert 8 * 1024 <= now.size <= 12 * 1024


def test_a_fast_line_does_not_wait_for_three_successes() -> None:
    now = Pace()
    for _ in range(4):
        now = pace.after_success(now, now.size, 0.05)
    assert now.size == MAX_SIZE


def test_three_successes_double_what_is_far_below_the_aim() -> None:
    now = Pace()
    grown = []
    for _ in range(3):
        now = pace.after_success(now, now.size, 2.0)
        grown.append(now.size)
    assert grown == [START_SIZE, START_SIZE, 2 * START_SIZE]


def test_a_small_request_says_nothing_of_large_ones() -> None:
    before = Pace(size=64 * 1024, bytes_per_s=5000.0)
    assert pace.after_success(before, 900, 30.0) == before
    assert pace.after_success(before, 4000, 30.0).size == before.size
