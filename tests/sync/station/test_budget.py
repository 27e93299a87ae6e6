# SPDX-License-Identifier: Apache-2.0
"""An hour's bytes: who goes without first, what a person may override, and that a restart forgets nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.station import budget
from sync.station.budget import may
from sync.wire.transport import Broken
from tests.sync.county import Recorder, hub_fact

CHANNELS = ("ctl", "evt", "reg", "ref", "blob", "talk", "retry")
ledgers = st.dictionaries(st.sampled_from(CHANNELS), st.integers(0, 10**7))


class TestRule:
    @given(ledgers, st.integers(0, 10**7), st.booleans(), st.booleans())
    def test_what_people_wait_for_is_never_held_back(
        self, used: dict[str, int], limit: int, by_hand: bool, at_night: bool
    ) -> None:
        for channel in ("ctl", "evt"):
            assert may(channel, used, limit, by_hand=by_hand, at_night=at_night)

    @given(ledgers, st.integers(1, 10**7), st.booleans())
    def test_the_priorities_hold(self, used: dict[str, int], limit: int, at_night: bool) -> None:
        """Whoever may go, everybody before may go as well."""
        order = [may(c, used, limit, at_night=at_night) for c in ("ctl", "evt", "reg", "ref", "blob")]
        assert order == sorted(order, reverse=True)

    @given(ledgers)
    def test_without_a_limit_everything_goes(self, used: dict[str, int]) -> None:
        assert all(may(c, used, 0) for c in CHANNELS)

    def test_a_person_may_override_it_for_cells_but_not_for_the_bulk(self) -> None:
        spent = {"ref": 1000}
        assert [may(c, spent, 1000, by_hand=True) for c in ("evt", "reg", "ref", "blob")] == [True, True, False, False]

    def test_blobs_get_thirty_percent_of_what_is_left_by_day(self) -> None:
        assert may("blob", {"ref": 500, "blob": 149}, 1000)
        assert not may("blob", {"ref": 500, "blob": 150}, 1000)
        assert may("blob", {"ref": 500, "blob": 150}, 1000, at_night=True)
        assert may("ref", {"ref": 500, "blob": 150}, 1000)

    def test_retries_get_twenty_percent(self) -> None:
        assert may("reg", {"retry": 200}, 1000)
        assert not may("reg", {"retry": 201}, 1000)
        assert may("evt", {"retry": 201}, 1000)

    @pytest.mark.parametrize(("granted", "own", "limit"), [(0, 0, 0), (5, 0, 5), (0, 5, 5), (3, 5, 3), (5, 3, 3)])
    def test_the_lower_limit_counts(self, granted: int, own: int, limit: int) -> None:
        assert budget.limit_of(granted, own) == limit


class TestNight:
    @given(st.text(min_size=1, max_size=8))
    def test_every_station_has_one_hour_between_midnight_and_five(self, node: str) -> None:
        midnight = datetime(2026, 11, 22, 16, tzinfo=UTC)
        minutes = [m for m in range(1440) if budget.in_window(node, midnight + timedelta(minutes=m))]
        assert len(minutes) == 60
        assert minutes[-1] - minutes[0] == 59 and minutes[-1] < 300

    def test_stations_do_not_come_together(self) -> None:
        at = datetime(2026, 11, 22, 18, tzinfo=UTC)
        together = sum(budget.in_window(f"{town:02d}00-{n}", at) for town in range(15) for n in range(1, 31))
        assert together < 0.4 * 450


class TestSession:
    def test_when_it_is_spent_facts_go_and_the_rest_waits_for_the_next_hour(self, world: Any) -> None:
        station = world.station()
        station.sync()
        person = world.person()
        station.sync()
        world.server._greeter._bytes_per_hour = 1
        station.state(case="one")
        station.edit(person, phone="13911111111")
        world.person()
        hub_fact(world, station.name)

        report = station.sync()

        assert (report.ok, report.equal, report.waits) == (True, None, ("ref", "reg"))
        assert [f.body["case"] for f in world.taken] == ["one"]
        assert len(station.received) == 1
        assert world.phone(person) == "13800000000"

        world.server._greeter._bytes_per_hour = 100_000
        world.clock.advance(hours=1)
        report = station.sync()

        assert (report.waits, report.equal) == ((), True)
        assert world.phone(person) == "13911111111"

    def test_a_person_sends_cells_all_the_same(self, world: Any) -> None:
        station = world.station()
        person = world.person()
        station.sync()
        world.server._greeter._bytes_per_hour = 1
        station.edit(person, phone="13911111111")

        report = station.session().run(by_hand=True)

        assert report.ok and world.phone(person) == "13911111111"

    def test_the_ledger_holds_what_went_over_the_line_and_survives(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")
        world.person()
        line = Recorder(world.transport())
        report = station.sync(line)

        rows = dict(station.rows("SELECT channel, bytes FROM traffic"))

        assert set(rows) == {"talk", "evt", "ref", "reg"}
        assert sum(rows.values()) == report.bytes_in + report.bytes_out + budget.AROUND_BYTES * len(line.log)
        assert station.rows("SELECT DISTINCT hour FROM traffic") == [("2026-11-20T01",)]

    def test_a_broken_request_counts_as_a_retry(self, world: Any) -> None:
        station = world.station()
        station.state(case="one")

        class Breaks(Recorder):
            def request(self, method: str, *rest: Any) -> Any:
                if method != "PUT":
                    return super().request(method, *rest)
                error = Broken("没有回答", "no answer")
                error.received = 40
                self.lost = len(rest[-1]) + 40
                raise error

        line = Breaks(world.transport())
        station.sync(line)

        assert dict(station.rows("SELECT channel, bytes FROM traffic"))["retry"] == line.lost + budget.AROUND_BYTES

    def test_old_hours_are_forgotten(self, world: Any) -> None:
        station = world.station()
        station.sync()
        world.clock.advance(days=9)
        station.sync()
        assert station.rows("SELECT count(DISTINCT hour) FROM traffic") == [(1,)]

    def test_the_stations_own_limit_may_be_lower(self, world: Any) -> None:
        station = world.station()
        world.person()
        session = station.session()
        session._bytes_per_hour = 1
        assert session.run().waits == ("ref", "reg")
