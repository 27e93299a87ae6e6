# SPDX-License-Identifier: Apache-2.0
"""A fetch of several pages while the hub goes on working: rows move to the feed's end between two pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schema.errors import Unreachable
from sync.hub import publish
from sync.station import session

LONG = "注" * 150


@pytest.fixture
def loaded(world: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, list[bytes]]:
    """A station that has everything, then new notes of ten persons waiting for it on several small pages."""
    monkeypatch.setattr(session, "PAGE_BYTES", 2048)
    station = world.station()
    people = [world.person(phone=f"130000000{n:02d}") for n in range(10)]
    station.sync()
    for person in people:
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", person, {"note": LONG})
    return world, station, people


class BetweenPages:
    """Calls `work` once, between the first page of cells and the second."""

    def __init__(self, inner: Any, work: Callable[[], None]) -> None:
        self.inner, self.work, self.pages = inner, work, 0

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Any:
        if query.get("chan") == "reg":
            self.pages += 1
            if self.pages == 2:
                self.work()
        return self.inner.request(method, path, query, headers, body)


def test_a_row_that_changes_again_between_pages_arrives_with_all_its_changes(loaded: Any) -> None:
    world, station, people = loaded

    def work() -> None:
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", people[5], {"education": "21"})

    line = BetweenPages(world.transport(), work)
    station.sync(line)
    assert line.pages > 2

    assert station.sync().equal is True
    assert station.rows("SELECT note, education FROM contact WHERE id = ?", people[5]) == [(LONG, "21")]


def test_the_same_when_the_line_breaks_between_the_pages(loaded: Any) -> None:
    world, station, people = loaded

    def work() -> None:
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", people[5], {"education": "21"})
        raise Unreachable("线断了", "the line is cut")

    assert not station.sync(BetweenPages(world.transport(), work)).ok
    report = station.sync()

    assert report.equal is True
    assert station.rows("SELECT note, education FROM contact WHERE id = ?", people[5]) == [(LONG, "21")]


def test_an_edit_between_pages_does_not_claim_to_have_seen_what_is_on_no_page_yet(loaded: Any) -> None:
    world, station, people = loaded
    with publish.transaction(world.hub) as pub:  # its note would have been on the first page, and moves to the end
        pub.cells("contact", people[0], {"education": "21"})

    def work() -> None:
        assert station.rows("SELECT note FROM contact WHERE id = ?", people[0]) == [(None,)]
        station.edit(people[0], note="甲")
        station.edit(people[0], note="乙")
        raise Unreachable("线断了", "the line is cut")

    station.sync(BetweenPages(world.transport(), work))
    station.sync()
    assert station.sync().equal is True

    assert world.rows("SELECT kept, lost FROM conflict") == [("乙", LONG)]
