# SPDX-License-Identifier: Apache-2.0
"""Cells at the hub: attributed, bounded, set aside with their reason."""

from __future__ import annotations

from typing import Any

import pytest

from schema import database, ids
from sync.station import outbox
from sync.wire import frame, receipt
from tests.sync.forging import Hub, cell, cells_frame, refused


class TestCells:
    def test_the_author_is_the_station_of_the_record_and_not_on_the_wire(self, hub: Hub) -> None:
        world, station, box, node = hub
        person = world.person()

        box.accept(node, "reg", 1, cells_frame(station, cell(person)))

        authors = world.rows(
            "SELECT c.col_name, s.site_id = ? FROM contact__crsql_clock c "
            "JOIN crsql_site_id s ON s.ordinal = c.site_id "
            "WHERE c.col_name = 'phone'",
            station.site,
        )
        assert authors == [("phone", 1)]

    def test_a_stations_counter_cannot_move_the_hubs(self, hub: Hub) -> None:
        """P4: a far-ahead db_version would stop the hub's sync for ever; it is not even on the wire."""
        world, station, box, node = hub
        person = world.person()

        box.accept(node, "reg", 1, cells_frame(station, cell(person), upto=900_000))

        assert world.rows("SELECT max(db_version) < 10 FROM contact__crsql_clock") == [(1,)]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"col_version": 2**53}, "range"),
            ({"causal_length": 2}, "tombstone"),
            ({"column": "-1", "value": None, "col_version": 1}, "sentinel"),
            ({"column": "-1", "value": None, "col_version": 2, "causal_length": 2}, "sentinel"),
            ({"table": "person", "column": "name"}, "table"),
            ({"extra": 2**40}, "range"),
        ],
        ids=str,
    )
    def test_hostile_cells_are_set_aside_and_listed(self, hub: Hub, change: dict[str, Any], code: str) -> None:
        world, station, box, node = hub
        bad, good = world.person(), world.person()

        said = box.accept(node, "reg", 1, cells_frame(station, cell(bad, **change), cell(good)))

        assert refused(world, said) == [(f"{change.get('table', 'contact')}/{bad.hex()}", code)]
        assert (world.phone(bad), world.phone(good)) == ("13800000000", "13900000001")
        assert world.rows("SELECT direction, peer, code FROM refusal") == [("in", station.name, code)]

    def test_a_conflict_the_station_found_is_published_once(self, hub: Hub) -> None:
        world, station, box, node = hub
        person, found = world.person(), ids.new_id()
        item = [found, "contact", person, "phone", "1", "2", station.site, 4, 2, 0, "3001", "2026-11-19T01:00:00.000Z"]
        first = cells_frame(station, conflicts=[item])
        box.accept(node, "reg", 1, first)

        said = box.accept(node, "reg", 2, cells_frame(station, conflicts=[item], n=2, prev=frame.hash_of(first)))

        assert receipt.read(said, world.hub_public).conflicts == 0
        assert world.rows("SELECT id, kept, lost, kept_by, lost_by, lost_officer, rule FROM conflict") == [
            (found, "1", "2", "0100-1", "0100-1", "3001", "N")
        ]
        assert world.rows("SELECT slice FROM slice_feed WHERE tbl = 'conflict'") == [("330683100",)]

    @pytest.mark.parametrize(
        "wrong", ["slice", "column", "table", "length", "author", "arity", "version", "base", "officer", "time"]
    )
    def test_a_conflict_out_of_form_or_slice_is_refused(self, hub: Hub, wrong: str) -> None:
        world, station, box, node = hub
        found = (ids.new_id(), "contact", world.person(), "phone", "1", "2", station.site)
        item: list[Any] = [*found, 2, 2, 0, None, None]
        place, value = {
            "slice": (2, world.person(village="330683101201")), "column": (3, "nothing"), "table": (1, "person"),
            "length": (4, "x" * 400), "author": (6, b""), "arity": (5, []), "version": (7, -1), "base": (9, True),
            "officer": (10, "3" * 21), "time": (11, "yesterday"),
        }[wrong]  # fmt: skip
        item[place] = value

        said = box.accept(node, "reg", 1, cells_frame(station, conflicts=[item]))

        code = "not_in_slice" if wrong == "slice" else "conflict_form"
        assert refused(world, said) == [(f"conflict/{item[0].hex()}", code)]
        assert world.rows("SELECT count(*) FROM conflict") == [(0,)]


def test_frames_built_by_the_outbox_are_accepted(hub: Hub) -> None:
    world, station, box, node = hub
    person = world.person()
    station.sync()
    station.edit(person, phone="13900000001")
    with station.store.write() as db:
        outbox.build(db, "reg", station.session()._certificate, station.key, world.clock)
        built = outbox.frame_at(db, "reg", 1)
    assert built is not None

    said = receipt.read(box.accept(node, "reg", 1, built.data), world.hub_public)

    assert (said.applied, said.refused) == (1, ())


def test_a_disk_that_fills_up_in_the_middle_of_a_merge_leaves_nothing_of_the_frame(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full disk ends the transaction. Taken for a bad row, the rest was merged row by row outside of it, and no
    feed ever told the stations."""
    world, station, box, node = hub
    people = [world.person() for _ in range(60)]
    data = cells_frame(station, *(cell(p, column="note", value="长" * 200) for p in people))
    before = world.rows("SELECT * FROM contact"), world.rows("SELECT * FROM slice_feed")
    connect = database.connect

    def connect_full(path: Any, key: bytes) -> Any:
        db = connect(path, key)
        db.execute("PRAGMA max_page_count = 1").fetchone()
        return db

    with monkeypatch.context() as full:
        full.setattr(database, "connect", connect_full)
        with pytest.raises(database.OperationalError, match="full"):
            box.accept(node, "reg", 1, data)

    assert (world.rows("SELECT * FROM contact"), world.rows("SELECT * FROM slice_feed")) == before
    assert refused(world, box.accept(node, "reg", 1, data)) == []
