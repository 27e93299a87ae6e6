# SPDX-License-Identifier: Apache-2.0
"""Pages of a feed: bounded, resumable behind any row, built from what is there now."""

from __future__ import annotations

from typing import Any

import pytest

from schema import ids
from sync.hub import feed, publish
from sync.wire import codec
from tests.sync.moving import OF_PERSONS

NOBODY = bytes(16)


def pages(world: Any, slice_: str, channel: str, size: int, after: int = 0, site: bytes = NOBODY) -> list[feed.Page]:
    out: list[feed.Page] = []
    with world.hub.read() as db:
        while not out or out[-1].more:
            out.append(feed.page(db, slice_, channel, out[-1].upto if out else after, size, site, held=(slice_,)))
    return out


def cells(page: feed.Page) -> list[codec.WireCell]:
    return codec.unpack_cells(page.content["cells"])


@pytest.mark.parametrize("size", [1, 700, 5000, 240_000])
def test_pages_of_any_size_bring_every_row_once(world: Any, size: int) -> None:
    people = [world.person(name=f"测试{n}") for n in range(25)]

    found = pages(world, "330683100", "ref", size)

    rows = [row for page in found for row in codec.unpack_rows(page.content["rows"]).get("person", [])]
    assert [row["id"] for row in rows] == people
    assert sum(page.items for page in found) == 25
    assert all(len(codec.dump(page.content)) <= max(size, 500) + 300 for page in found)
    with world.hub.read() as db:
        assert found[-1].upto == publish.head(db)


def test_a_page_holds_no_more_cells_than_a_frame_may(world: Any) -> None:
    for _ in range(400):
        world.person(phone=None)

    found = pages(world, "330683100", "ref", 10**9)

    assert len(found) > 1
    assert all(page.items * 15 <= codec.MAX_CELLS for page in found)


def test_a_row_travels_as_it_is_now_however_often_it_changed(world: Any) -> None:
    person = world.person()
    for number in range(5):
        with publish.transaction(world.hub) as pub:
            pub.put("person", {"id": person, "name": f"名{number}", "village": "330683100201"})

    (page,) = pages(world, "330683100", "ref", 10**6)

    assert [row["name"] for row in codec.unpack_rows(page.content["rows"])["person"]] == ["名4"]


def test_only_cells_changed_behind_the_cursor_travel(world: Any) -> None:
    person = world.person(phone="13800000001")
    (first,) = pages(world, "330683100", "reg", 10**6)
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", person, {"note": "新"})

    (second,) = pages(world, "330683100", "reg", 10**6, after=first.upto)

    assert {c.column for c in cells(first)} == {"phone", "note", "address", "address_village", "education"}
    assert [(c.column, c.value) for c in cells(second)] == [("note", "新")]


def test_a_row_that_entered_the_slice_travels_whole(world: Any) -> None:
    """Even when the asker's cursor lies behind every change of it: a few cells alone would be a row of NULLs."""
    person = world.person(phone="13800000001")
    with world.hub.read() as db:
        after = publish.head(db)
    with publish.transaction(world.hub) as pub:
        pub.place(person, ["330683101"])

    (page,) = pages(world, "330683101", "reg", 10**6, after=after)

    assert {(c.column, c.value) for c in cells(page)} >= {("phone", "13800000001"), ("note", None)}
    assert len(cells(page)) == 5


def test_a_page_that_ends_inside_an_entry_still_sends_whole_rows_after_it(world: Any) -> None:
    person = world.person(phone="13800000001")
    with publish.transaction(world.hub) as pub:
        pub.place(person, ["330683101"])
    contact_at = world.rows("SELECT seq FROM slice_feed WHERE slice = '330683101' AND tbl = 'contact'")[0][0]

    (page,) = pages(world, "330683101", "reg", 10**6, after=contact_at - 1)

    assert len(cells(page)) == 5


def test_cells_the_asker_wrote_are_not_echoed_but_their_row_is_passed(world: Any) -> None:
    station = world.station()
    person = world.person()
    station.sync()
    station.edit(person, phone="13900000001")
    station.sync()
    with world.hub.read() as db:
        after = publish.head(db) - 1

    (own,) = pages(world, "330683100", "reg", 10**6, after=after, site=station.site)
    (others,) = pages(world, "330683100", "reg", 10**6, after=after)

    assert cells(own) == []
    assert [(c.column, c.value) for c in cells(others)] == [("phone", "13900000001")]
    assert others.content["sites"] == [station.site]


def test_an_empty_feed_moves_the_cursor_to_the_head(world: Any) -> None:
    world.person()

    (page,) = pages(world, "node:0100-1", "evt", 1000)

    with world.hub.read() as db:
        assert (page.items, page.more, page.upto) == (0, False, publish.head(db))
    assert page.content == {"facts": [], "gone": []}


def test_rows_that_leave_are_named_apart_with_the_number_the_page_was_made_at(world: Any) -> None:
    person = world.person()
    with publish.transaction(world.hub) as pub:
        pub.move(person, ["330683101"])

    (cells_page,) = pages(world, "330683100", "reg", 10**6)
    (rows_page,) = pages(world, "330683100", "ref", 10**6)

    with world.hub.read() as db:
        at = publish.head(db)
    gone = [[publish.LEAVE, name, person] for name in sorted(OF_PERSONS)]
    assert cells_page.content == {"cells": {}, "sites": [], "gone": gone, "at": at}
    assert rows_page.content == {"rows": {}, "gone": [[publish.LEAVE, "person", person]], "at": at}


def test_a_row_that_is_in_another_slice_of_the_asker_is_not_taken_away(world: Any) -> None:
    person = world.person()
    with publish.transaction(world.hub) as pub:
        pub.move(person, ["330683101"])

    with world.hub.read() as db:
        for held, gone in [(("330683100", "330683101"), 0), (("330683100", "330683102"), 1)]:
            for channel, rows in (("ref", 1), ("reg", len(OF_PERSONS))):
                page = feed.page(db, "330683100", channel, 0, 10**6, NOBODY, held=held)
                assert len(page.content["gone"]) == gone * rows


def test_heads_tell_what_is_new_without_a_page(world: Any) -> None:
    world.station()
    with publish.transaction(world.hub) as pub:
        pub.put("unit", {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": "330683100"})
    with world.hub.read() as db:
        heads = feed.heads(db, ("330683100", "330683101"))
        assert heads == [0, publish.head(db), 0, 0, 0, 0]
