# SPDX-License-Identifier: Apache-2.0
"""The fleet as the hub knows it: ages, figures, events per day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub import stations
from schema.clock import FixedClock, stamp
from tests.hub.county import CHANGE, OTHER_STATION, STATION, County, Desk


def put(county: County, station: str, **changes: object) -> None:
    sets = ", ".join(f"{name} = ?" for name in changes)
    with county.store.write() as db:
        db.execute(f"UPDATE node_record SET {sets} WHERE id = ?", (*changes.values(), station))


@pytest.mark.parametrize(
    ("silent", "age", "look"),
    [
        (timedelta(hours=23), "today", False),
        (timedelta(days=2), "days", False),
        (timedelta(days=5), "week", True),
        (timedelta(days=8), "lost", True),
        (None, "never", True),
    ],
)
def test_a_stations_age_is_that_of_its_last_contact(
    county: County, clock: FixedClock, silent: timedelta | None, age: str, look: bool
) -> None:
    put(county, STATION, last_seen_at=stamp(clock.now() - silent) if silent else None)
    with county.store.read() as db:
        found = {s.id: s for s in stations.everyone(db, clock.now(), clock.today())}[STATION]
    assert (found.age, found.needs_a_look) == (age, look)


def test_a_certificate_that_ends_within_a_month_wants_a_look(county: County, clock: FixedClock) -> None:
    put(county, STATION, last_seen_at=stamp(clock.now()), public_key=bytes(32), not_after="2026-12-20")
    put(county, OTHER_STATION, last_seen_at=stamp(clock.now()), public_key=bytes(32), not_after="2027-12-20")
    with county.store.read() as db:
        found = {s.id: s for s in stations.everyone(db, clock.now(), clock.today())}
    assert (found[STATION].expires_soon, found[OTHER_STATION].expires_soon) == (True, False)


def test_revoked_stations_do_not_count_in_the_figures(county: County, clock: FixedClock) -> None:
    put(county, STATION, last_seen_at=stamp(clock.now()), last_equal_at=stamp(clock.now()), unsent=3)
    put(county, OTHER_STATION, revoked_at=stamp(clock.now()), unsent=9)
    with county.store.read() as db:
        found = stations.summary(db, clock.now())
    assert (found.stations, found.online, found.overdue, found.unsent, found.equal) == (1, 1, 0, 3, 1)


def test_a_station_that_was_never_there_is_not_called_silent(county: County, clock: FixedClock) -> None:
    put(county, STATION, last_seen_at=stamp(clock.now() - timedelta(days=8)))
    put(county, OTHER_STATION, last_seen_at=None)
    with county.store.read() as db:
        found = stations.summary(db, clock.now())
    assert (found.stations, found.overdue, found.never) == (2, 1, 1)


def test_equality_proven_before_the_last_contact_no_longer_counts(county: County, clock: FixedClock) -> None:
    put(county, STATION, last_seen_at=stamp(clock.now()), last_equal_at=stamp(clock.now() - timedelta(hours=1)))
    with county.store.read() as db:
        found = stations.summary(db, clock.now())
    assert (found.equal, found.oldest_equal_at) == (0, stamp(clock.now() - timedelta(hours=1)))


def test_events_are_counted_on_the_civil_day_they_were_received(county: County, desk: Desk, clock: FixedClock) -> None:
    county.add_pensioner_to_be()
    # 23:30 UTC is already the next morning in China.
    for at in (clock.now(), clock.now().replace(hour=23, minute=30)):
        clock.at = at
        desk.submit(CHANGE, "周建根", given={"phone": "13857589999"})
    with county.store.read() as db:
        found = dict(stations.facts_per_day(db, clock.today()))
    assert (found["2026-11-23"], found["2026-11-24"], len(found)) == (1, 1, 14)
