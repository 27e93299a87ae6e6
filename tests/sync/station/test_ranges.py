# SPDX-License-Identifier: Apache-2.0
"""A first load by snapshot ends where a first load by the feed ends, wherever it is cut and whatever is written
meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from schema import crsqlite, crsqlite_rows, tables
from schema.errors import BadFrame, Unreachable
from sync.equality import digest
from sync.hub import publish
from sync.snapshot import file as snapshot_file
from sync.snapshot import making as snapshot
from sync.station import outbox, ranges, session
from sync.wire.transport import Response
from tests.sync.county import TOWNSHIP, Cut, Recorder
from tests.sync.rich import settle


@pytest.fixture(autouse=True)
def small_township_is_worth_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "LEAST_ENTRIES", 100)
    monkeypatch.setattr(session, "PAGE_BYTES", 2048)


def clocks(side: Any) -> list[tuple[Any, ...]]:
    """Every cell with its version, causal length, author."""
    own = side.rows("SELECT site_id FROM crsql_site_id WHERE ordinal = 0")[0][0]
    return side.rows(
        "SELECT p.id, c.col_name, c.col_version, coalesce(s.site_id, ?) FROM contact__crsql_clock c "
        "JOIN contact__crsql_pks p ON p.__crsql_key = c.key LEFT JOIN crsql_site_id s ON s.ordinal = c.site_id "
        "ORDER BY 1, 2", own,
    )  # fmt: skip


def everything(side: Any) -> dict[str, list[tuple[Any, ...]]]:
    names = [t.name for t in (*tables.REGISTRY, *tables.REFERENCE) if t.name not in ("officer", "receipt_block")]
    return {name: sorted(side.rows(f"SELECT * FROM {name}"), key=repr) for name in names} | {"clocks": clocks(side)}


def asked(line: Recorder, kind: str) -> list[str]:
    return [request.path for request, _ in line.log if request.path.startswith(f"/s1/{kind}/")]


def range_requests(line: Recorder) -> list[int]:
    return [int(request.query["from"]) for request, _ in line.log if "from" in request.query]


class CutAtRange:
    """A line that breaks when the range from `start` is asked for."""

    def __init__(self, world: Any, start: int) -> None:
        self.world, self.start = world, start

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
        if query.get("from") == str(self.start):
            raise Unreachable("线断了", "the line is cut")
        return self.world.transport().request(method, path, query, headers, body)


def test_it_ends_as_a_load_by_the_feed_ends(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    paged, loaded = world.station("0100-1"), world.station("0100-2")
    settle(world)
    line = Recorder(world.transport())
    assert loaded.sync(line).equal is True
    assert range_requests(line)
    assert f"/s1/feed/{TOWNSHIP}" not in asked(line, "feed")
    monkeypatch.setattr(snapshot, "LEAST_ENTRIES", 10**9)
    assert paged.sync().equal is True
    assert everything(loaded) == everything(paged) == everything(world)
    assert loaded.rows("SELECT count(*) FROM snapshot_part") == [(0,)]


def test_it_ends_like_that_also_where_a_section_is_short(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    station = world.station()
    settle(world)
    monkeypatch.setattr(snapshot_file, "ROWS_IN_A_SECTION", 9)
    assert station.sync().equal is True
    assert everything(station) == everything(world)


@pytest.mark.parametrize("delivered", [False, True])
def test_cut_anywhere_it_goes_on_and_fetches_at_most_one_range_again(world: Any, delivered: bool) -> None:
    settle(world)
    first = Recorder(world.transport())
    assert world.station("0100-0").sync(first).equal is True
    whole = range_requests(first)
    assert len(whole) >= 3
    for at in range(1, len(first.log) + 1):
        station, line = world.station(f"1{at:03d}-1"), Recorder(world.transport())
        assert station.sync(Cut(line, at, delivered=delivered)).ok is False
        assert station.sync(line).equal is True
        assert set(range_requests(line)) == set(whole), at
        assert len(range_requests(line)) <= len(whole) + 1, at


def test_one_bad_byte_on_the_line_and_the_feed_does_the_work(world: Any) -> None:
    station = world.station()
    settle(world)

    class Flipping:
        def __init__(self) -> None:
            self.inner = Recorder(world.transport())

        def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
            got = self.inner.request(method, path, query, headers, body)
            if query.get("from") != "2048":
                return got
            return Response(got.status, got.headers, got.body[:-1] + bytes([got.body[-1] ^ 1]))

    line = Flipping()
    assert station.sync(line).equal is True
    assert f"/s1/feed/{TOWNSHIP}" in asked(line.inner, "feed")
    assert everything(station) == everything(world)
    assert station.rows("SELECT kind, peer FROM incident") == [("digest", "hub")]


def test_a_refused_snapshot_is_not_fetched_a_second_time(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    station = world.station()
    settle(world)
    with monkeypatch.context() as hub:
        lying = SimpleNamespace(of_hub=lambda db, wanted: bytes(16), families=digest.families, DIGEST_BYTES=16)
        hub.setattr(snapshot, "digest", lying)
        world.station("0100-9").sync()  # its manifest is signed, and wrong
    begun = Recorder(world.transport())
    station.sync(Cut(begun, len(asked_until_feed(world)) + 1, delivered=False))
    assert station.rows("SELECT count(*) FROM person") == [(0,)]
    line = Recorder(world.transport())
    assert station.sync(line).equal is True
    assert everything(station) == everything(world)
    assert not range_requests(line)
    assert station.rows("SELECT kind FROM incident") == [("digest",)]


def asked_until_feed(world: Any) -> list[Any]:
    """The requests of a first load up to the first page of the township's feed."""
    line = Recorder(world.transport())
    world.station("0100-8").sync(line)
    paths = [request.path for request, _ in line.log]
    return paths[: paths.index(f"/s1/feed/{TOWNSHIP}")]


def test_what_changes_behind_the_snapshot_comes_by_the_feed(world: Any) -> None:
    station = world.station()
    persons = settle(world)
    assert station.sync(CutAtRange(world, 2048)).ok is False
    assert station.rows("SELECT count(*) FROM snapshot_part") == [(1,)]
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", persons[1], {"phone": "13712345678"})
        pub.put("account", {"person_id": persons[1], "insurance": "resident_pension", "balance_fen": 5})
    new = world.person()
    line = Recorder(world.transport())
    assert station.sync(line).equal is True
    assert min(range_requests(line)) > 0
    assert everything(station) == everything(world)
    assert station.phone(persons[1]) == "13712345678"
    assert station.phone(new) == "13800000000"


def test_a_newer_one_at_the_hub_does_not_disturb_the_one_begun(world: Any) -> None:
    station = world.station()
    settle(world)
    station.sync(CutAtRange(world, 2048))
    settle(world, 60, seed=2)
    assert world.station("0100-2").sync().equal is True
    assert world.rows("SELECT count(*) FROM snapshot") == [(2,)]
    line = Recorder(world.transport())
    assert station.sync(line).equal is True
    assert min(range_requests(line)) > 0
    assert everything(station) == everything(world)


def test_one_that_is_gone_is_begun_anew_in_the_same_session(world: Any) -> None:
    station = world.station()
    settle(world)
    station.sync(CutAtRange(world, 2048))
    settle(world, 60, seed=2)
    with world.hub.write() as db:
        db.execute("DELETE FROM snapshot")
        db.execute("DELETE FROM snapshot_part")
    line = Recorder(world.transport())
    assert station.sync(line).equal is True
    assert 0 in range_requests(line)
    assert f"/s1/feed/{TOWNSHIP}" not in asked(line, "feed")


# --- edits while it loads ---------------------------------------------------------------------------------------


class AtWork:
    """Runs something at the station once, before a range is answered."""

    def __init__(self, world: Any, work: Any, start: int = 2048) -> None:
        self.world, self.work, self.start = world, work, start

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
        if query.get("from") == str(self.start) and self.work:
            work, self.work = self.work, None
            work()
        return self.world.transport().request(method, path, query, headers, body)


def test_an_edit_that_loses_to_the_snapshot_is_kept_as_a_conflict(world: Any) -> None:
    station = world.station()
    persons = settle(world)
    # At the hub this cell has version 2; a row the station never saw begins at version 1.
    assert station.sync(AtWork(world, lambda: station.edit(persons[1], phone="13900009999"))).ok is True
    assert station.phone(persons[1]) == world.phone(persons[1]) == "13800000001"
    lost = "SELECT lost, lost_by FROM conflict WHERE lost = '13900009999'"
    assert station.rows(lost) == [("13900009999", "0100-1")]
    station.sync()
    assert world.rows(lost) == [("13900009999", "0100-1")]


def test_an_edit_that_beats_the_snapshot_reaches_the_hub(world: Any) -> None:
    station = world.station()
    persons = settle(world)

    def work() -> None:
        for number in range(4):
            station.edit(persons[1], phone=f"1390000000{number}")
        station.edit(persons[4], address="只有本站知道")

    assert station.sync(AtWork(world, work)).ok is True
    assert station.phone(persons[1]) == "13900000003"
    # The clerk goes on before anything is sent: the base is still what was seen then.
    station.edit(persons[1], phone="13900000004")
    station.sync()
    assert station.sync().equal is True
    assert world.phone(persons[1]) == "13900000004"
    assert world.rows("SELECT address FROM contact WHERE id = ?", persons[4]) == [("只有本站知道",)]
    assert world.rows("SELECT kept, lost FROM conflict WHERE lost = '13800000001'")
    assert everything(station) == everything(world)


def test_work_from_before_the_first_load_is_pushed_first_and_stands(world: Any) -> None:
    station = world.station()
    persons = settle(world)
    for number in range(3):
        station.edit(persons[1], phone=f"1390000000{number}")
    station.state(case="one")
    assert station.sync().equal is True
    assert world.phone(persons[1]) == station.phone(persons[1]) == "13900000002"
    assert [fact.kind for fact in world.taken] == ["case_submitted"]
    assert station.rows("SELECT 1 FROM contact__crsql_clock WHERE site_id = 0") != []
    with station.store.read() as db:
        assert outbox.unsent(db).count == 0
    assert everything(station) == everything(world)


def test_own_work_that_comes_back_with_a_new_load_is_not_sent_again(world: Any) -> None:
    station = world.station()
    persons = settle(world)
    station.sync()
    station.edit(persons[1], phone="13900000009")
    station.sync()
    with station.store.merging() as db:
        crsqlite_rows.evict(db, "contact", persons)
        for table in snapshot_file.tables_of("township"):
            db.execute(f"DELETE FROM {table.name}")
        db.execute("DELETE FROM cursor WHERE slice = ?", (TOWNSHIP,))
    line = Recorder(world.transport())
    assert station.sync(line).equal is True
    assert range_requests(line)
    assert asked(line, "chunk") == []
    with station.store.read() as db:
        assert outbox.unsent(db).count == 0
    assert everything(station) == everything(world)


def test_edits_after_the_load_are_tracked_and_based_on_its_head(world: Any) -> None:
    first, second = world.station("0100-1"), world.station("0100-2")
    persons = settle(world)
    for station in (first, second):
        station.sync()
        station.edit(persons[1], phone=f"139000000{station.name[-1]}0")
    for station in (first, second, first):
        assert station.sync().ok is True
    assert world.rows("SELECT kept, lost FROM conflict WHERE kept LIKE '139%'") == [("13900000020", "13900000010")]
    assert everything(first) == everything(world)


# --- what is wrong leaves nothing ---------------------------------------------------------------------------------


def fetched(world: Any, station: Any) -> Any:
    """A station that has all ranges and has installed nothing yet."""
    box: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranges, "install", lambda store, manifest, *rest: box.append((manifest, *rest)))
        patch.setattr(session.PullStage, "run", lambda *args: None)
        station.sync()
    return box[0]


@pytest.mark.parametrize("with_edit", [False, True])
def test_a_digest_that_differs_leaves_the_register_as_it_was(world: Any, with_edit: bool) -> None:
    station = world.station()
    persons = settle(world)
    manifest, *rest = fetched(world, station)
    if with_edit:
        station.edit(persons[1], note="x")
    before = everything(station), station.rows("SELECT * FROM cursor"), station.rows("SELECT * FROM pull_mark")
    wrong = snapshot.Manifest(**vars(manifest) | {"digest": bytes(16)})
    with pytest.raises(BadFrame) as caught:
        ranges.install(station.store, wrong, *rest)
    assert "digest" in caught.value.en
    assert before == (
        everything(station),
        station.rows("SELECT * FROM cursor"),
        station.rows("SELECT * FROM pull_mark"),
    )
    assert ranges.install(station.store, manifest, *rest) is True
    assert ranges.install(station.store, manifest, *rest) is False
    with station.store.write() as db:
        crsqlite.assert_tracking(db)


def test_counts_that_differ_are_refused(world: Any) -> None:
    station = world.station()
    settle(world)
    manifest, *rest = fetched(world, station)
    wrong = snapshot.Manifest(**vars(manifest) | {"counts": manifest.counts | {"person": 1}})
    with pytest.raises(BadFrame):
        ranges.install(station.store, wrong, *rest)
    assert station.rows("SELECT count(*) FROM person") == [(0,)]


def test_a_row_of_the_station_that_the_hub_does_not_have_does_not_spoil_the_proof(world: Any) -> None:
    station = world.station()
    settle(world)
    manifest, *rest = fetched(world, station)
    station.edit(bytes(16), note="新来的人")
    assert ranges.install(station.store, manifest, *rest) is True
    assert station.rows("SELECT note FROM contact WHERE id = ?", bytes(16)) == [("新来的人",)]
    assert station.rows("SELECT count(*) FROM person") == world.rows("SELECT count(*) FROM person")


def test_a_station_is_told_how_far_it_is(world: Any) -> None:
    station = world.station()
    settle(world)
    told: list[tuple[str, int]] = []
    station.session().run(lambda stage, done: told.append((stage, done)))
    sizes = [done for stage, done in told if stage == "snapshot"]
    assert sizes == sorted(sizes)
    assert sizes[0] == 0
    assert [sizes[-1]] == [row[0] for row in world.rows("SELECT size FROM snapshot")]


def test_officers_and_cases_come_before_the_register(world: Any) -> None:
    station = world.station()
    settle(world)
    line = Recorder(world.transport())
    station.sync(line)
    paths = [request.path for request, _ in line.log]
    assert paths.index("/s1/feed/node:0100-1") < paths.index(f"/s1/snapshot/{TOWNSHIP}")


def test_several_townships_come_as_one_and_the_digest_is_theirs_together(world: Any) -> None:
    station = world.station("0100-1", (TOWNSHIP, "330683101"))
    persons = settle(world)
    world.person(village="330683101201")
    with publish.transaction(world.hub) as pub:
        pub.place(persons[0], ["330683101"])
    assert station.sync().equal is True
    assert everything(station) == everything(world)
    with station.store.read() as db:
        assert digest.of_node(db, "township") != bytes(16)
