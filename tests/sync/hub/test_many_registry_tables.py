# SPDX-License-Identifier: Apache-2.0
"""Several registry tables beside each other: rows of one person under one id, and rows that are nobody's."""

from __future__ import annotations

from typing import Any

from hub import conflict_row
from node import contacts
from schema import ids
from sync.hub import publish
from sync.snapshot import file
from sync.station import journal
from tests.sync.moving import A, B, incidents


def edit(world: Any, station: Any, table: str, row_id: bytes, **cells: str) -> None:
    with station.store.write() as db:
        contacts.change(db, row_id, cells, "3001", world.clock, table)


def pair(world: Any) -> tuple[Any, Any, bytes]:
    a, b, person = world.station("0100-1"), world.station("0100-2"), world.person()
    a.sync(), b.sync()
    return a, b, person


def test_an_edit_reaches_the_others_though_another_table_was_written_later(world: Any) -> None:
    """All tables share one counter: stamped by its own table's alone, the edit looked older than what all had seen."""
    a, b, person = pair(world)
    for wage in ("3000", "4000", "5000"):
        with publish.transaction(world.hub) as pub:
            pub.cells("job_seeker", person, {"wish_wage_yuan": wage})
    edit(world, a, "contact", person, phone="13900000009")

    assert (a.sync().equal, b.sync().equal) == (True, True)

    assert b.phone(person) == "13900000009"
    assert incidents(world) == [], "what a comparison mends afterwards was lost all the same"


def test_two_rows_under_one_id_in_one_frame_keep_both_their_conflicts(world: Any) -> None:
    a, b, person = pair(world)
    for station, phone, wage in ((a, "13900000001", "3000"), (b, "13900000002", "4000")):
        edit(world, station, "contact", person, phone=phone)
        edit(world, station, "job_seeker", person, wish_wage_yuan=wage)
    a.sync(), b.sync(), a.sync()

    found = world.rows("SELECT tbl, col FROM conflict WHERE kind = 'cell' ORDER BY tbl")
    assert found == [("contact", "phone"), ("job_seeker", "wish_wage_yuan")]
    with world.hub.read() as db:
        desk = conflict_row.read(db, person)
    assert desk is not None and {item["tbl"] for item in desk.items} == {desk.table}


def test_a_vacancy_reaches_the_stations_of_the_slice_it_was_placed_in_and_no_other(world: Any) -> None:
    a, b = world.station("0100-1"), world.station("0100-2")
    other, vacancy = world.station("0101-1", (B,)), ids.new_id()
    with publish.transaction(world.hub) as pub:
        pub.place(vacancy, [A], "vacancy")
    edit(world, a, "vacancy", vacancy, job_title="缝纫工", vacancy_open="yes")

    assert [s.sync().equal for s in (a, b, other)] == [True] * 3

    sql = "SELECT id, job_title FROM vacancy"
    assert world.rows(sql) == b.rows(sql) == [(vacancy, "缝纫工")]
    assert other.rows(sql) == []


def test_a_vacancy_that_nobody_registered_is_set_aside(world: Any) -> None:
    a = world.station("0100-1")
    edit(world, a, "vacancy", ids.new_id(), job_title="缝纫工")

    assert a.sync().refused == 1

    assert world.rows("SELECT code FROM refusal") == [("not_in_slice",)]


def test_vacancies_are_in_a_first_load_with_their_conflicts(world: Any) -> None:
    a, b, _ = pair(world)
    vacancy = ids.new_id()
    with publish.transaction(world.hub) as pub:
        pub.place(vacancy, [A], "vacancy")
    for station, wage in ((a, "3000"), (b, "4000")):
        edit(world, station, "vacancy", vacancy, wage_from_yuan=wage)
    a.sync(), b.sync(), a.sync()

    late = world.station("0100-3")

    with world.hub.read() as db:
        _, counts = file.write(db, (A,))
    assert (counts["vacancy"], counts["conflict"]) == (1, 1)
    assert late.sync().equal is True
    for sql in ("SELECT id, wage_from_yuan FROM vacancy", "SELECT row_id, kept, lost FROM conflict"):
        assert late.rows(sql) == world.rows(sql) != []


def test_a_vacancy_is_never_taken_for_the_row_of_a_person_who_left(world: Any) -> None:
    with world.station("0100-1").store.read() as db:
        gone = [journal._is_gone(db, table, ids.new_id()) for table in ("vacancy", "job_seeker")]
    assert gone == [False, True]
