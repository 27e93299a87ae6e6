# SPDX-License-Identifier: Apache-2.0
"""Killed between any two transactions of an import, then the same file again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sync.county import content, work
from tests.sync.sticks import answer, export, hub_takes, round_trip, takes


class TestKilledBetweenTransactions:
    """Every transaction of an import is one place to be killed at; then the same file again."""

    class Killed(BaseException):
        pass

    def killing(self, monkeypatch: pytest.MonkeyPatch, store: Any, at: int) -> list[int]:
        """The `at`-th transaction of this store begins and is never committed."""
        count = [0]
        for name in ("write", "merging"):
            original = getattr(store, name)

            def counted(*args: Any, _original: Any = original, **more: Any) -> Any:
                count[0] += 1
                if count[0] == at:
                    raise TestKilledBetweenTransactions.Killed
                return _original(*args, **more)

            monkeypatch.setattr(store, name, counted)
        return count

    def test_of_the_hub(self, world: Any) -> None:
        station, person = world.station(), world.person()
        round_trip(world, station)
        at, killed = 1, True
        while killed and at < 50:
            work(world, station, person)
            data, before = export(station), len(world.taken)
            with pytest.MonkeyPatch.context() as patch:
                self.killing(patch, world.hub, at)
                try:
                    hub_takes(world, data)
                    killed = False
                except self.Killed:
                    pass
            hub_takes(world, data)
            assert takes(station, answer(world, station)).equal is True
            assert (len(world.taken) - before, content(station)) == (2, content(world))
            at += 1
        assert at > 4

    def test_of_the_station(self, world: Any) -> None:
        station, person = world.station(), world.person()
        round_trip(world, station)
        at, killed = 1, True
        while killed and at < 50:
            work(world, station, person)
            hub_takes(world, export(station))
            data, facts = answer(world, station), len(station.received)
            with pytest.MonkeyPatch.context() as patch:
                self.killing(patch, station.store, at)
                try:
                    takes(station, data)
                    killed = False
                except self.Killed:
                    pass
            assert takes(station, data).equal is True
            assert (len(station.received) - facts, content(station)) == (1, content(world))
            at += 1
        assert at > 8
