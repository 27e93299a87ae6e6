# SPDX-License-Identifier: Apache-2.0
"""A bulk load and one `fill` are the same to a station as row-by-row publishing."""

from __future__ import annotations

from typing import Any

from schema import crsqlite_rows, database, ids
from sync.hub import publish

PERSON = {
    "id_number": "330683195501010011", "name": "测试甲", "sex": "1", "birth_on": "1955-01-01", "life_status": "1",
}  # fmt: skip


def load(world: Any, count: int, village: str = "330683100201", rev: int = 0) -> list[bytes]:
    people = [ids.new_id() for _ in range(count)]
    with world.hub.write() as db:
        for person in people:
            database.insert(db, "person", PERSON | {"id": person, "village": village, "rev": rev})
            account = {"person_id": person, "insurance": "resident_pension", "balance_fen": 1, "paid_months": 1}
            database.insert(db, "account", account | {"as_of_month": "2026-10", "rev": rev})
        crsqlite_rows.bulk_insert(db, "contact", ["id", "phone"], [(person, "13800000000") for person in people])
        database.insert(
            db, "unit", {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": village[:9], "rev": rev}
        )
        database.insert(db, "division", {"code": village, "name": "村", "level": "village", "rev": rev})
    return people


def fill(world: Any) -> int:
    with world.hub.write() as db:
        return publish.fill(db)


def test_a_station_gets_everything_of_its_slice_and_nothing_else(world: Any) -> None:
    station = world.station()
    people = load(world, 40)
    load(world, 5, village="330683101201")
    fill(world)

    report = station.sync()

    assert (report.ok, report.equal) == (True, True)
    assert {r[0] for r in station.rows("SELECT id FROM person")} == set(people)
    assert station.rows("SELECT count(*), min(phone) FROM contact") == [(40, "13800000000")]
    assert station.rows("SELECT count(*) FROM account") == [(40,)]
    assert station.rows("SELECT count(*) FROM unit") == [(1,)]
    assert station.rows("SELECT count(*) FROM division") == [(2,)]


def test_filling_again_adds_nothing(world: Any) -> None:
    def everything() -> list[Any]:
        return [
            world.rows(f"SELECT * FROM {name}") for name in ("slice_feed", "slice_member", "feed_head", "feed_clock")
        ]

    load(world, 10)
    added = fill(world)
    before = everything()

    assert (added, fill(world)) == (32, 0)
    assert everything() == before


def test_a_second_load_feeds_only_what_is_new(world: Any) -> None:
    station = world.station()
    load(world, 10)
    fill(world)
    station.sync()
    new = load(world, 3, village="330683100202")

    assert fill(world) == 3 * 3 + 2
    report = station.sync()
    assert report.equal is True
    assert station.rows("SELECT count(*) FROM person WHERE village = '330683100202'") == [(len(new),)]


def test_changes_after_the_load_reach_the_station_whatever_rev_the_loader_wrote(world: Any) -> None:
    station = world.station()
    person = load(world, 1, rev=10_000)[0]
    fill(world)
    station.sync()

    with publish.transaction(world.hub) as pub:
        pub.put("person", {"id": person, "name": "改名", "village": "330683100201"})
    station.sync()

    assert station.rows("SELECT name FROM person") == [("改名",)]


def test_somebody_who_had_left_and_is_placed_again_arrives_again(world: Any) -> None:
    station = world.station()
    person = load(world, 1)[0]
    fill(world)
    station.sync()
    with publish.transaction(world.hub) as pub:
        pub.move(person, [])
    station.sync()
    assert station.rows("SELECT count(*) FROM person") == [(0,)]

    assert fill(world) == 3
    assert station.sync().equal is True
    assert station.rows("SELECT id FROM person") == station.rows("SELECT id FROM contact") == [(person,)]


def test_an_edit_based_on_the_load_is_no_conflict(world: Any) -> None:
    station = world.station()
    person = load(world, 1)[0]
    fill(world)
    station.sync()
    station.edit(person, phone="13900000001")

    station.sync()

    assert world.phone(person) == "13900000001"
    assert world.rows("SELECT count(*) FROM conflict") == [(0,)]


def test_the_page_cache_is_given_back(world: Any) -> None:
    load(world, 1)
    with world.hub.write() as db:
        before = db.execute("PRAGMA cache_size").fetchone()[0]
        publish.fill(db)
        assert db.execute("PRAGMA cache_size").fetchone()[0] == before
