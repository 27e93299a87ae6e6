# SPDX-License-Identifier: Apache-2.0
"""What a page may take away, and what it may not: the hub is trusted, its faults are not."""

from __future__ import annotations

from typing import Any

import pytest

from schema import crsqlite, database
from schema.errors import BadFrame
from sync.hub.members import DELETED, LEAVE
from sync.station import evict
from sync.wire import codec
from tests.sync.county import TOWNSHIP

ROW = bytes(range(16))


def read(gone: Any, channel: str = "ref", slice_: str = TOWNSHIP, **more: Any) -> list[evict.Gone]:
    return evict.read({"gone": gone, "at": 5} | more, channel, slice_)[0]


@pytest.mark.parametrize("op", [LEAVE, DELETED])
def test_rows_are_named_by_the_key_of_their_table(op: int) -> None:
    account = codec.dump([ROW, "resident_pension"])
    found = read([[op, "person", ROW], [op, "account", account]])
    assert [(one.table.name, one.key) for one in found] == [("person", ROW), ("account", account)]


@pytest.mark.parametrize(
    ("item", "channel", "slice_"),
    [
        ([1, "person", ROW], "ref", TOWNSHIP),
        ([4, "person", ROW], "ref", TOWNSHIP),
        ([LEAVE, "person", ROW], "reg", TOWNSHIP),
        ([LEAVE, "contact", ROW], "ref", TOWNSHIP),
        ([LEAVE, "fact", ROW], "evt", TOWNSHIP),
        ([LEAVE, "person", ROW], "ref", "county"),
        ([LEAVE, "officer_key", codec.dump(["3001", "2026"])], "ref", TOWNSHIP),
        ([LEAVE, "case_file", ROW], "ref", TOWNSHIP),
        ([LEAVE, "nothing", ROW], "ref", TOWNSHIP),
        ([LEAVE, "person", ROW[:8]], "ref", TOWNSHIP),
        ([LEAVE, "contact", b""], "reg", TOWNSHIP),
        ([LEAVE, "account", ROW], "ref", TOWNSHIP),
        ([LEAVE, "account", codec.dump([ROW])], "ref", TOWNSHIP),
        ([LEAVE, "account", codec.dump([ROW, None])], "ref", TOWNSHIP),
        ([LEAVE, "account", codec.dump({"a": 1})], "ref", TOWNSHIP),
        ([LEAVE, "person", ROW, 1], "ref", TOWNSHIP),
        ([True, "person", ROW], "ref", TOWNSHIP),
        ((LEAVE, "person", ROW), "ref", TOWNSHIP),
        (None, "ref", TOWNSHIP),
    ],
)
def test_anything_else_refuses_the_page(item: Any, channel: str, slice_: str) -> None:
    with pytest.raises(BadFrame):
        read([item], channel, slice_)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"gone": None},
        {"gone": {}},
        {"gone": [], "at": 5},
        {"gone": [[2, "person", ROW]]},
        {"gone": [[2, "person", ROW]], "at": "5"},
    ],
)
def test_a_page_that_takes_away_says_when_it_was_made_and_no_other_does(content: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        evict.read(dict(content), "ref", TOWNSHIP)


@pytest.mark.parametrize(
    ("slice_", "channel", "after", "outdated"),
    [
        ("330683101", "ref", 6, True),
        ("330683101", "ref", 5, False),
        ("330683101", "reg", 6, True),
        ("330683101", "evt", 6, False),
        (TOWNSHIP, "ref", 6, False),
        (TOWNSHIP, "reg", 6, True),
        (TOWNSHIP, "reg", 5, False),
        ("county", "ref", 6, False),
        ("node:0100-1", "ref", 6, False),
    ],
)
def test_a_page_is_outdated_by_a_newer_one_of_another_feed_of_rows_of_townships(
    world: Any, slice_: str, channel: str, after: int, outdated: bool
) -> None:
    with world.station().store.write() as db:
        database.insert(db, "cursor", {"slice": slice_, "channel": channel, "after": after})
        assert evict.is_outdated(db, TOWNSHIP, "ref", 5) is outdated


@pytest.mark.parametrize(("cells", "frames"), [({"phone": "13900000001"}, 1), ({}, 0)])
def test_frames_are_built_only_for_rows_with_something_unsent(world: Any, cells: dict[str, Any], frames: int) -> None:
    station, person, other = world.station(), world.person(), world.person()
    station.sync()
    station.edit(other, phone="13900000009")
    if cells:
        station.edit(person, **cells)
    built: list[int] = []

    with station.store.merging() as db:
        evict.take(db, read([[LEAVE, "contact", person]], "reg"), lambda: built.append(1))
        assert crsqlite.cells_of(db, "contact", person) == []
        assert crsqlite.cells_of(db, "contact", other) != []

    assert len(built) == frames
