# SPDX-License-Identifier: Apache-2.0
"""A station that differs is led back to what the hub holds, whatever was done to it; nothing unsent is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schema import crsqlite_rows, database, ids, tables
from schema.errors import Unreachable
from sync.equality import digest
from sync.hub import publish
from sync.station import proof, repair
from sync.station.report import Report
from sync.wire import codec
from tests.sync.county import TOWNSHIP, Cut, Recorder, Station

TOWNSHIP_ROWS = ("person", "contact", "unit", "division", "officer", "conflict")


def untracked(station: Station, sql: str, *values: Any) -> None:
    """Guard P1: a write while the sync bit is on leaves no trace in the clocks."""
    with station.store.merging() as db:
        db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
        db.execute(sql, values)


def tracked(station: Station, sql: str, *values: Any) -> None:
    with station.store.write() as db:
        db.execute(sql, values)


def without_clocks(station: Station, sql: str, *values: Any) -> None:
    """A new row that no exchange would ever carry."""
    untracked(station, sql, *values)
    assert station.rows("SELECT count(*) FROM contact__crsql_pks") == [(3,)]


FOREIGN = bytes(range(16))
CORRUPTIONS: dict[str, tuple[Callable[..., None], str, tuple[Any, ...], str]] = {
    "a reference value changed by hand": (tracked, "UPDATE person SET name = '换' WHERE rowid = 1", (), "person"),
    "a reference row is gone": (tracked, "DELETE FROM unit", (), "unit"),
    "a reference row too many": (
        tracked, "INSERT INTO household (id, head_name, village, rev) VALUES (?, '户', '330683100201', 1)", (FOREIGN,),
        "household",
    ),
    "a row of the county changed": (tracked, "UPDATE division SET name = '换'", (), "division"),
    "a row of the station's own changed": (tracked, "UPDATE officer SET roles = 'admin'", (), "officer"),
    "a contact changed past the extension": (
        untracked, "UPDATE contact SET phone = '1' WHERE rowid = 1", (), "contact",
    ),
    "a contact unknown to the extension": (lambda station, sql: (
        tracked(station, "DELETE FROM contact__crsql_clock WHERE key = 1"), tracked(station, sql),
        untracked(station, "UPDATE contact SET note = '1' WHERE rowid = 1"),
    ), "DELETE FROM contact__crsql_pks WHERE __crsql_key = 1", (), "contact"),
    "a contact's version changed": (
        tracked, "UPDATE contact__crsql_clock SET col_version = 9, db_version = db_version + 9 WHERE key = 1", (),
        "contact",
    ),
    "a contact without clocks": (
        tracked, "DELETE FROM contact__crsql_clock WHERE key = 1", (), "contact",
    ),
    "a contact row too many": (
        without_clocks, "INSERT INTO contact (id, phone) VALUES (?, '139')", (FOREIGN,), "contact",
    ),
}  # fmt: skip


def station_of(world: Any) -> Station:
    """A station with rows of each family, equal to the hub."""
    station: Station = world.station()
    for number in range(3):
        world.person(name=f"测试{number}")
    with publish.transaction(world.hub) as pub:
        pub.put("unit", {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": TOWNSHIP})
        pub.put("division", {"code": TOWNSHIP, "name": "甘霖镇", "level": "township"})
    assert station.sync().equal is True
    return station


def incidents_at(side: Any) -> list[tuple[Any, ...]]:
    return side.rows("SELECT kind, peer, times, repaired_at IS NOT NULL FROM incident ORDER BY at")


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_what_was_corrupted_is_repaired_and_told_at_both_ends(world: Any, what: str) -> None:
    corrupt, sql, values, table = CORRUPTIONS[what]
    station = station_of(world)
    corrupt(station, sql, *values)
    if what == "a contact without clocks":
        tracked(station, "DELETE FROM digest_kept")  # no write of a row shows it: the weekly computation does

    report = station.sync()

    assert (report.ok, report.equal) == (True, True)
    with world.hub.read() as hub, station.store.read() as node:
        for family, held in digest.families(station.slices).items():
            assert digest.of_hub(hub, held) == digest.of_node(node, family)
    assert incidents_at(station) == [("digest", "hub", 1, 1)]
    assert incidents_at(world) == [("digest", "0100-1", 1, 1)]
    detail = station.rows("SELECT detail FROM incident")[0][0].split("\n")
    assert len(detail) == 2 and detail[1].startswith(table + " "), "one row was touched"
    assert station.sync().equal is True and len(incidents_at(station)) == 1


def test_a_value_that_gives_way_is_kept_for_the_clerk_and_not_told_to_others(world: Any) -> None:
    station = station_of(world)
    person = bytes(station.rows("SELECT id FROM contact WHERE rowid = 1")[0][0])
    untracked(station, "UPDATE contact SET phone = '0575-1234' WHERE rowid = 1")

    station.sync()

    assert station.phone(person) == "13800000000"
    [(item, code, content)] = station.rows("SELECT item, code, content FROM refusal WHERE direction = 'out'")
    assert (item, code, codec.load(content)) == (f"contact/{person.hex()}", "unequal", {"phone": "0575-1234"})
    assert f"contact {person.hex()} phone" in station.rows("SELECT detail FROM incident")[0][0]
    assert "0575-1234" not in str(station.rows("SELECT * FROM incident") + world.rows("SELECT * FROM incident"))


def test_a_refused_edit_gives_way_and_stands_beside_its_reason(world: Any) -> None:
    station = station_of(world)
    foreign = world.person(village="330683101201")
    station.edit(foreign, phone="13900000001")

    report = station.sync()

    assert (report.refused, report.equal) == (1, True)
    assert station.phone(foreign) is None
    [(item, code, content)] = station.rows("SELECT item, code, content FROM refusal WHERE direction = 'out'")
    assert (item, code, codec.load(content)) == (
        f"contact/{foreign.hex()}", "not_in_slice", {"phone": "13900000001"},
    )  # fmt: skip


def test_an_edit_after_a_repair_is_sent(world: Any) -> None:
    """P9: an installed row must not take the numbers of edits to come."""
    station = station_of(world)
    person = bytes(station.rows("SELECT id FROM contact WHERE rowid = 1")[0][0])
    untracked(station, "UPDATE contact SET phone = '1' WHERE rowid = 1")
    station.sync()

    station.edit(person, phone="13900000009")

    assert (station.sync().pushed_items, world.phone(person)) == (1, "13900000009")
    assert station.sync().equal is True


class Meanwhile:
    """A line behind which something happens when the rows of a repair are asked for."""

    def __init__(self, inner: Any, happens: Callable[[], Any]) -> None:
        self.inner, self.happens = inner, happens

    def request(self, method: str, path: str, *rest: Any) -> Any:
        answer = self.inner.request(method, path, *rest)
        if path.startswith("/s1/rows/"):
            happens, self.happens = self.happens, lambda: None
            happens()
        return answer


def test_what_a_clerk_saves_during_a_repair_is_not_lost(world: Any) -> None:
    station = station_of(world)
    person = bytes(station.rows("SELECT id FROM contact WHERE rowid = 1")[0][0])
    untracked(station, "UPDATE contact SET note = '1' WHERE rowid = 1")

    station.sync(Meanwhile(world.transport(), lambda: station.edit(person, phone="13900000009")))
    station.sync()

    assert (world.phone(person), station.phone(person)) == ("13900000009", "13900000009")
    assert station.sync().equal is True
    assert incidents_at(station)[-1][-1] == 1


def test_what_a_clerk_saves_before_the_comparison_is_no_difference(world: Any) -> None:
    station = station_of(world)
    person = bytes(station.rows("SELECT id FROM contact WHERE rowid = 1")[0][0])

    def verify(stage: str, done: int) -> None:
        if stage == "verify":
            station.edit(person, phone="13900000009")

    report = station.session().run(verify)

    assert (report.ok, report.equal) == (True, None)
    assert incidents_at(station) == incidents_at(world) == []
    assert (station.sync().equal, world.phone(person)) == (True, "13900000009")


def test_what_another_session_fetched_during_a_repair_is_not_taken_back(world: Any) -> None:
    station = station_of(world)
    person = bytes(station.rows("SELECT id FROM person ORDER BY id")[0][0])
    tracked(station, "UPDATE person SET sex = '2' WHERE id = ?", person)

    def newer() -> None:
        with publish.transaction(world.hub) as pub:
            pub.put("person", {"id": person, "name": "新名"})
        station.sync()

    station.sync(Meanwhile(world.transport(), newer))

    assert station.rows("SELECT name, sex FROM person WHERE id = ?", person) == [("新名", "1")]


def test_a_hub_that_has_moved_on_is_asked_again_next_time(world: Any) -> None:
    station = station_of(world)
    tracked(station, "DELETE FROM unit")

    class Busy:
        def request(self, method: str, path: str, *rest: Any) -> Any:
            if path.startswith("/s1/buckets/"):
                world.person()
            return inner.request(method, path, *rest)

    inner = world.transport()
    report = station.sync(Busy())
    assert (report.ok, report.equal) == (True, False)
    assert station.sync().equal is True


@pytest.mark.parametrize("delivered", [True, False])
def test_a_repair_cut_anywhere_is_finished_later(world: Any, delivered: bool) -> None:
    station = station_of(world)
    many = Recorder(world.transport())
    for cut_at in range(3, 9):
        tracked(station, "UPDATE person SET name = '换'")
        tracked(station, "UPDATE division SET name = '换'")
        station.sync(Cut(many, cut_at, delivered=delivered))
        assert station.sync().equal is True
    assert station.rows("SELECT count(*) FROM person WHERE name = '换'") == [(0,)]
    assert {row[-1] for row in incidents_at(station) + incidents_at(world)} == {1}
    assert any(sent.path.startswith("/s1/rows/") for sent, _ in many.log)


def test_many_buckets_come_in_pages_and_a_session_asks_for_so_many_only(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair, "BUCKETS_ASKED", 2)
    monkeypatch.setattr(repair, "PAGES_IN_A_SESSION", 2)
    station = station_of(world)
    for _ in range(7):
        world.person()
    station.sync()
    tracked(station, "UPDATE person SET name = '换'")

    reports = [station.sync() for _ in range(3)]

    assert [report.equal for report in reports] == [False, False, True]
    assert incidents_at(station) == [("digest", "hub", 3, 1)]


def test_a_repair_that_does_not_help_is_not_repeated_for_ever(world: Any) -> None:
    station = station_of(world)
    tracked(station, "CREATE TRIGGER stubborn AFTER UPDATE ON unit WHEN NEW.name <> '换' BEGIN "
                     "UPDATE unit SET name = '换'; END")  # fmt: skip
    tracked(station, "UPDATE unit SET name = '换'")
    line = Recorder(world.transport())

    def pages() -> int:
        line.log.clear()
        report = station.sync(line)
        assert report.equal is False
        return sum(sent.path.startswith("/s1/rows/") for sent, _ in line.log)

    assert [pages() for _ in range(4)] == [1, 1, 0, 0]
    assert [row[-1] for row in incidents_at(station) + incidents_at(world)] == [0, 0]
    world.clock.advance(hours=25)
    assert pages() == 1
    tracked(station, "DROP TRIGGER stubborn")
    world.clock.advance(hours=25)
    assert station.sync().equal is True
    assert [row[-1] for row in incidents_at(station) + incidents_at(world)] == [1, 1]


def test_a_person_of_another_slice_goes_and_a_missing_one_comes(world: Any) -> None:
    station = station_of(world)
    person = bytes(station.rows("SELECT id FROM person ORDER BY id")[0][0])
    with station.store.merging() as db:
        crsqlite_rows.evict(db, "contact", [person])
        db.execute("DELETE FROM person WHERE id = ?", (person,))
        database.insert(db, "person", {
            "id": FOREIGN, "id_number": "330683195501010012", "name": "别处", "sex": "1", "birth_on": "1955-01-01",
            "village": "330683101201", "life_status": "1", "rev": 1,
        })  # fmt: skip

    assert station.sync().equal is True

    assert station.phone(person) == "13800000000"
    assert station.rows("SELECT 1 FROM person WHERE id = ?", FOREIGN) == []


def forged(world: Any, station: Station, change: Callable[[dict[str, Any]], None]) -> Report:
    """A session with a hub whose page of a repair is not what it should be."""
    from sync.wire import frame

    class Evil:
        def request(self, method: str, path: str, *rest: Any) -> Any:
            answer = inner.request(method, path, *rest)
            if path.startswith("/s1/rows/"):
                opened = frame.open_frame(answer.body, world.hub_public)
                change(opened.content)
                return type(answer)(200, answer.headers, frame.build(opened.header, opened.content, world.hub_key))
            return answer

    inner = world.transport()
    return station.sync(Evil())


def other_bucket(content: dict[str, Any]) -> None:
    content["rows"] = {
        "unit": {"c": content["rows"]["unit"]["c"], "v": [list(v) for v in content["rows"]["unit"]["v"]]}
    }
    place = content["rows"]["unit"]["c"].index("id")
    content["rows"]["unit"]["v"][place] = [bytes(b ^ 0xFF for b in v) for v in content["rows"]["unit"]["v"][place]]


BAD_PAGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "a row of another bucket": other_bucket,
    "no buckets": lambda content: content.update(buckets=[]),
    "a bucket not asked for": lambda content: content.update(buckets=[b + 1 for b in content["buckets"]]),
    "a table of another family": lambda content: content["rows"].update(
        division={"c": ["code", "name", "level", "rev"], "v": [["1"], ["n"], ["l"], [1]]}
    ),
    "a table that does not travel": lambda content: content["rows"].update(setting={"c": ["name"], "v": [["x"]]}),
    "an author that is none": lambda content: content.update(sites=[b"short"]),
    "more than there should be": lambda content: content.update(gone=[]),
    "a column left out": lambda content: [x.pop() for x in content["rows"]["unit"].values()] and None,
}


@pytest.mark.parametrize("what", BAD_PAGES)
def test_a_page_that_is_not_right_changes_nothing(world: Any, what: str) -> None:
    station = station_of(world)
    tracked(station, "UPDATE unit SET name = '换'")

    report = forged(world, station, BAD_PAGES[what])

    assert not report.ok
    assert station.rows("SELECT name FROM unit") == [("换",)]
    assert station.rows("SELECT count(*) FROM division") == [(1,)]
    assert station.sync().equal is True


def test_a_line_that_breaks_in_a_repair_is_no_refusal(world: Any) -> None:
    station = station_of(world)
    tracked(station, "UPDATE unit SET name = '换'")

    class Broken:
        def request(self, method: str, path: str, *rest: Any) -> Any:
            if path.startswith("/s1/rows/"):
                raise Unreachable("线断了", "the line is cut")
            return inner.request(method, path, *rest)

    inner = world.transport()
    report = station.sync(Broken())

    assert (report.ok, report.error_code) == (False, "unreachable")
    assert station.rows("SELECT value FROM link WHERE name = ?", proof._TRIED) == []


def test_another_value_than_the_refused_one_is_kept_too_and_the_same_one_once(world: Any) -> None:
    station, person = world.station(), world.person()
    for phone in ("0575-1111", "0575-2222", "0575-1111"):
        with station.store.write() as db:
            repair._keep_lost(db, tables.TABLES["contact"], person, {"phone": phone}, "2026-11-20T01:00:00.000Z")

    kept = [codec.load(content) for (content,) in station.rows("SELECT content FROM refusal ORDER BY rowid")]
    assert kept == [{"phone": "0575-1111"}, {"phone": "0575-2222"}]
