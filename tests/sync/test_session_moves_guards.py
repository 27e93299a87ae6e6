# SPDX-License-Identifier: Apache-2.0
"""What keeps persons who move whole: each promise holds with its guard and breaks without it (docs/guards.md, P10)."""

from __future__ import annotations

from typing import Any

import pytest

from schema.errors import Unreachable
from sync.hub import feed, inbox_cells, publish
from sync.station import evict
from tests.sync.moving import A, B, C, everything, incidents, move, settled, traces


def arrives(world: Any, name: str) -> bool:
    """A page of B says that the person left; before it is applied the person comes to A, and another session has
    fetched that much when its line breaks."""
    station = world.station(name, (A, B))
    person = settled(world, B + "201")
    station.sync()
    move(world, person, C)

    class Slow:
        def request(self, method: str, path: str, query: Any, *rest: Any) -> Any:
            answer = inner.request(method, path, query, *rest)
            if (path, query.get("chan")) == (f"/s1/feed/{B}", "ref"):
                move(world, person, A)
                assert station.sync(Stops()).ok is False
            return answer

    class Stops:
        def request(self, method: str, path: str, query: Any, *rest: Any) -> Any:
            if (path, query.get("chan")) == (f"/s1/feed/{B}", "ref"):
                raise Unreachable("线断了", "the line is cut")
            return inner.request(method, path, query, *rest)

    inner = world.transport()
    station.sync(Slow())
    station.sync()
    assert set(traces(station, person)) == everything(world), "a comparison mends it"
    return incidents(world) == []


def test_an_outdated_page_takes_nothing_away_that_came_with_a_newer_one(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert arrives(world, "0100-1")
    monkeypatch.setattr(evict, "is_outdated", lambda *place: False)
    assert not arrives(world, "0100-2")


def comes_back_whole(world: Any, name: str) -> bool:
    a = world.station(name, (A,))
    person = settled(world)
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", person, {"address": "东街"})
    a.sync()
    move(world, person, B)
    a.sync()
    move(world, person, A)
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", person, {"note": "来过"})
    a.sync()
    whole = [("13800000000", "东街", "来过")]
    assert a.rows("SELECT phone, address, note FROM contact WHERE id = ?", person) == whole, "a comparison mends it"
    return incidents(world) == []


def test_p10_a_row_that_was_evicted_comes_back_whole(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert comes_back_whole(world, "0100-1")
    monkeypatch.setattr(feed._Cells, "_entered", lambda self, person_id: False)
    assert not comes_back_whole(world, "0100-2")


def hub_row_is_untouched(world: Any, name: str) -> bool:
    stranger = world.station(name, (B,))
    person = world.person(phone="13800000000")
    stranger.sync()
    stranger.edit(person, phone="13900000001", address="西街")
    stranger.sync()
    return world.rows("SELECT phone, address FROM contact WHERE id = ?", person) == [("13800000000", None)]


def test_p10_a_row_made_anew_outside_the_senders_slices_is_quarantined(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hub_row_is_untouched(world, "0101-1")
    assert world.rows("SELECT code FROM refusal") == [("not_in_slice",)]
    everybody = lambda db, rows, wanted: {row[0].row_id: 0 for row in rows}  # noqa: E731
    monkeypatch.setattr(inbox_cells, "_members", everybody)
    assert not hub_row_is_untouched(world, "0101-2")
