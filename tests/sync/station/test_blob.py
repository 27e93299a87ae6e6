# SPDX-License-Identifier: Apache-2.0
"""Scans: whole or not at all, once, last in line, and only to those whose case or person it is."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import ids
from schema.errors import BadFrame, Refusal, Unreachable
from sync.hub import blob_hub, publish
from sync.station import blob, session
from sync.wire import tokens
from sync.wire.transport import Response
from tests.sync.county import TOWNSHIP, Recorder

JPEG = b"\xff\xd8\xff" + bytes(i * 7 % 251 for i in range(9_000))
OTHER = "330683101"
AT = "2026-11-20T01:00:00.000Z"


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PAGE_BYTES", 2048)


def case_of(world: Any, station: Any, person: bytes | None = None) -> bytes:
    """A case of the station that the hub knows."""
    case = ids.new_id()
    with publish.transaction(world.hub) as pub:
        pub.put("case_state", {
            "case_id": case, "person_id": person, "station": station.name, "service": "x", "receipt_no": case.hex(),
            "state": "received", "received_at": AT,
        })  # fmt: skip
    return case


def keep(station: Any, case: bytes, data: bytes = JPEG, media_type: str = "image/jpeg") -> bytes:
    with station.store.write() as db:
        return blob.keep(db, data, media_type, case, AT)


def at(side: Any, case: bytes, hash_: bytes) -> tuple[str, bytes] | None:
    store = getattr(side, "store", None) or side.hub
    with store.read() as db:
        return blob.read(db, case, hash_)


def fetched(station: Any, case: bytes, line: Any = None) -> list[bytes]:
    talk = station.conversation(line)
    talk.hello()
    return blob.fetch(talk, case, 2048)


def sent(line: Recorder) -> list[int]:
    blobs = (request for request, _ in line.log if request.path.startswith("/s1/blob/"))
    return [int(request.query["from"]) for request in blobs if "from" in request.query]


def test_a_scan_reaches_the_hub_whole_and_waits_no_more(world: Any) -> None:
    station = world.station()
    case = case_of(world, station)
    hash_ = keep(station, case)
    assert keep(station, case) == hash_
    line = Recorder(world.transport())
    assert station.sync(line).equal is True
    assert at(world, case, hash_) == at(station, case, hash_) == ("image/jpeg", JPEG)
    assert sent(line) == [0, 2048, 4096, 6144, 8192]
    line = Recorder(world.transport())
    station.sync(line)
    assert sent(line) == []


def test_scans_go_behind_everything_else(world: Any) -> None:
    station = world.station()
    keep(station, case_of(world, station))
    station.state(case="one")
    line = Recorder(world.transport())
    assert station.sync(line).ok is True
    kinds = [request.path.split("/")[2] for request, _ in line.log]
    assert set(kinds[kinds.index("blob") :]) == {"blob"}
    assert "chunk" in kinds and "digest" in kinds


class CutAtRange:
    """A line that breaks once, when a range from `start` goes up or down."""

    def __init__(self, inner: Any, start: int, *, delivered: bool) -> None:
        self.inner, self.start, self.delivered = inner, start, delivered

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
        if path.startswith("/s1/blob/") and query.get("from") == str(self.start):
            if self.delivered:
                self.inner.request(method, path, query, headers, body)
            raise Unreachable("线断了", "the line is cut")
        return self.inner.request(method, path, query, headers, body)


@pytest.mark.parametrize("delivered", [False, True])
@pytest.mark.parametrize("start", [0, 2048, 8192])
def test_cut_anywhere_it_goes_on_and_sends_at_most_one_range_again(world: Any, start: int, delivered: bool) -> None:
    station = world.station()
    case = case_of(world, station)
    hash_ = keep(station, case)
    line = Recorder(world.transport())
    assert station.sync(CutAtRange(line, start, delivered=delivered)).ok is False
    assert station.sync(line).equal is True
    assert at(world, case, hash_) == ("image/jpeg", JPEG)
    assert set(sent(line)) == {0, 2048, 4096, 6144, 8192}
    assert len(sent(line)) <= 6


@pytest.mark.parametrize("start", [0, 2048, 8192])
def test_a_fetch_goes_on_where_it_was_cut(world: Any, start: int) -> None:
    first, second = world.station("0100-1"), world.station("0100-2")
    case = case_of(world, first, world.person())
    hash_ = keep(first, case)
    first.sync()
    line = Recorder(world.transport())
    with pytest.raises(Unreachable):
        fetched(second, case, CutAtRange(line, start, delivered=True))
    assert at(second, case, hash_) is None
    assert fetched(second, case, line) == [hash_]
    assert at(second, case, hash_) == ("image/jpeg", JPEG)
    got = sent(line)
    assert len(got) <= 6
    assert fetched(second, case, line) == [hash_]
    assert len(sent(line)) == len(got)


def test_what_the_hub_has_lost_is_sent_again(world: Any) -> None:
    """The hub's word counts: it came back from a backup with less than it had confirmed."""
    station = world.station()
    case = case_of(world, station)
    hash_ = keep(station, case)
    station.sync(CutAtRange(world.transport(), 6144, delivered=False))
    with world.hub.write() as db:
        db.execute("DELETE FROM blob")
        db.execute("DELETE FROM blob_part")
    assert station.sync().equal is True
    assert at(world, case, hash_) == ("image/jpeg", JPEG)


def test_a_case_the_hub_has_not_heard_of_lets_its_scan_wait(world: Any) -> None:
    station = world.station()
    unknown, known = ids.new_id(), case_of(world, station)
    hash_ = keep(station, unknown)
    other = keep(station, known, JPEG + b"2")
    assert station.sync().ok is True
    assert at(world, known, other) == ("image/jpeg", JPEG + b"2")
    assert at(world, unknown, hash_) is None
    assert station.rows("SELECT refused_at, done_at FROM blob WHERE about = ?", unknown) == [(None, None)]


def test_no_more_goes_than_is_allowed_and_the_oldest_first(world: Any) -> None:
    station = world.station()
    case = case_of(world, station)
    station.sync()
    for number in range(3):
        with station.store.write() as db:
            blob.keep(db, JPEG + bytes([number]), "image/jpeg", case, f"2026-11-20T01:00:0{number}.000Z")
    talk = station.conversation()
    talk.hello()
    used = blob.push(talk, 10_000, 4096)
    assert 10_000 <= used <= 10_000 + 4096
    assert len(world.rows("SELECT 1 FROM blob WHERE done_at IS NOT NULL")) == 1


def test_scans_wait_when_the_hour_is_used_up_and_the_line_says_how_long_a_range_is(world: Any) -> None:
    station = world.station()
    case = case_of(world, station)
    station.sync()
    keep(station, case)
    talk = station.conversation(log := Recorder(world.transport()))
    talk.hello()
    talk.ledger.limit = 1
    talk.ledger.add("reg", 10)
    assert blob.push(talk, 10_000, 4096) == 0
    assert talk.waits == {"blob"}
    talk.ledger.limit = 0
    talk.line.up = replace(talk.line.up, size=2048)
    log.log.clear()
    blob.push(talk, 100_000, 4096)
    lengths = [len(request.body) for request, _ in log.log]
    assert lengths[0] == 2048 and sum(lengths) == len(JPEG)


# --- what is not taken --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "media_type", "code"),
    [
        (b"", "image/jpeg", "size"), (b"%PDF-1.7", "image/jpeg", "blob_type"), (b"MZ", "x/dos", "blob_type"),
        (b"<svg/>", "image/svg+xml", "blob_type"), (JPEG, "image/png", "blob_type"),
    ],
)  # fmt: skip
def test_a_station_keeps_no_other_files(world: Any, data: bytes, media_type: str, code: str) -> None:
    station = world.station()
    with pytest.raises(Refusal) as caught:
        keep(station, ids.new_id(), data, media_type)
    assert caught.value.code == code
    assert station.rows("SELECT count(*) FROM blob") == [(0,)]


def test_a_station_keeps_no_more_than_its_quota(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob, "WAITING_QUOTA", len(JPEG) + 10)
    station = world.station()
    keep(station, ids.new_id())
    with pytest.raises(Refusal) as caught:
        keep(station, ids.new_id(), JPEG + b"2")
    assert caught.value.code == "blob_quota"


def test_what_the_hub_will_never_take_is_said_once_and_kept(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    station = world.station()
    case = case_of(world, station)
    hash_ = keep(station, case)
    monkeypatch.setattr(blob, "HUB_QUOTA", 100)
    assert station.sync().ok is True
    item = f"blob/{case.hex()}/{hash_.hex()}"
    assert station.rows("SELECT item, code, channel, direction FROM refusal") == [(item, "blob_quota", "blob", "out")]
    line = Recorder(world.transport())
    assert station.sync(line).ok is True
    assert sent(line) == []
    assert at(station, case, hash_) == ("image/jpeg", JPEG)


class Asker:
    """Requests of a station, written by hand."""

    def __init__(self, world: Any, station: Any) -> None:
        self.world = world
        token = tokens.issue(b"token secret of this test", station.name, station.epoch, world.clock.now())
        self.headers = {"authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: bytes = b"", **query: Any) -> tuple[int, Any]:
        given = {name.rstrip("_"): str(value) for name, value in query.items()}
        got = self.world.request(method, f"/s1/blob/{path}", given, headers=self.headers, body=body)
        is_json = got.headers["content-type"] == "application/json"
        return got.status, json.loads(got.body) if is_json else got.body

    def put(self, case: bytes, hash_: bytes, data: bytes, first: int = 0, size: int | None = None,
            media_type: str = "image/jpeg") -> tuple[int, Any]:  # fmt: skip
        path = f"{case.hex()}/{hash_.hex()}"
        return self.ask("PUT", path, data, from_=first, size=len(data) if size is None else size, type=media_type)


def test_bytes_that_do_not_fit_the_hash_are_dropped(world: Any) -> None:
    station = world.station()
    case = case_of(world, station)
    assert Asker(world, station).put(case, bytes(32), JPEG) == (403, {"code": "blob_hash"})
    assert world.rows("SELECT count(*) FROM blob") == world.rows("SELECT count(*) FROM blob_part") == [(0,)]


def test_the_hub_checks_size_type_and_place(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    station = world.station()
    case, asker = case_of(world, station), Asker(world, station)
    monkeypatch.setattr(blob, "MAX_BYTES", 5_000)
    assert asker.put(case, bytes(32), JPEG) == (413, {"code": "size"})
    assert asker.put(case, bytes(32), b"%PDF-", size=100) == (403, {"code": "blob_type"})
    assert asker.put(case, bytes(32), JPEG[:10], size=5) == (413, {"code": "size"})
    assert asker.put(case, bytes(32), JPEG[:10], size=100) == (200, {"have": 10})
    assert asker.put(case, bytes(32), JPEG[:10], size=100) == (200, {"have": 10})
    assert asker.put(case, bytes(32), JPEG[:10], size=100, first=40) == (200, {"have": 10})
    assert asker.put(case, bytes(32), JPEG[:10], size=101, first=10) == (403, {"code": "blob_type"})
    assert asker.put(case, bytes(32), JPEG[:95], size=100, first=10) == (413, {"code": "size"})
    assert asker.ask("GET", f"{case.hex()}/{bytes(32).hex()}", from_=0, max=99) == (403, {"code": "not_in_slice"})


def test_an_upload_nobody_goes_on_with_is_dropped(world: Any) -> None:
    station = world.station()
    case = case_of(world, station)
    Asker(world, station).put(case, bytes(32), JPEG[:10], size=100)
    world.clock.advance(days=31)
    hash_ = keep(station, case)
    assert station.sync().ok is True
    assert world.rows("SELECT sha256 FROM blob") == [(hash_,)]


def test_scans_are_for_the_station_of_the_case_and_those_of_the_person(world: Any) -> None:
    first, second = world.station("0100-1"), world.station("0100-2")
    stranger = world.station("0101-1", (OTHER,))
    case, nobodys = case_of(world, first, world.person()), case_of(world, first)
    hash_ = keep(first, case)
    keep(first, nobodys)
    first.sync()
    path = f"{case.hex()}/{hash_.hex()}"
    for station, allowed in ((first, True), (second, True), (stranger, False)):
        asker = Asker(world, station)
        status, content = asker.ask("GET", path, from_=0, max=99_999)
        assert (status, content) == ((200, JPEG) if allowed else (403, {"code": "not_in_slice"}))
        assert (asker.ask("GET", case.hex())[0] == 200) is allowed
        assert asker.put(case, hash_, JPEG)[0] == (200 if station is first else 403)
    assert Asker(world, second).ask("GET", nobodys.hex()) == (403, {"code": "not_in_slice"})
    # Knowing a hash gives no right to its bytes under a case of one's own.
    mine = case_of(world, stranger)
    assert Asker(world, stranger).ask("GET", f"{mine.hex()}/{hash_.hex()}", from_=0, max=9)[0] == 403


def test_a_bad_address_is_refused(world: Any) -> None:
    station = world.station()
    asker, case = Asker(world, station), case_of(world, station)
    for path in ("xx", case.hex() + "00", f"{case.hex()}/00", f"{case.hex()}/{'G' * 64}"):
        assert asker.ask("GET", path) == (400, {"code": "address"})
    assert asker.ask("PUT", f"{case.hex()}/{'00' * 32}", size="-1") == (400, {"code": "address"})
    assert world.request("GET", f"/s1/blob/{case.hex()}").status == 401


@pytest.mark.parametrize("damage", ["hash", "type"])
def test_what_was_fetched_and_is_not_what_it_says_is_not_used(world: Any, damage: str) -> None:
    first, second = world.station("0100-1"), world.station("0100-2")
    case = case_of(world, first, world.person())
    hash_ = keep(first, case)
    first.sync()
    with world.hub.write() as db:
        if damage == "hash":
            db.execute("UPDATE blob_part SET data = ? WHERE first = 4096", (bytes(2048),))
        else:
            db.execute("UPDATE blob SET media_type = 'image/png'")
    assert fetched(second, case) == []
    assert at(second, case, hash_) is None
    assert second.rows("SELECT count(*) FROM blob_part") == [(0,)]
    code = {"hash": "blob_hash", "type": "blob_type"}[damage]
    assert second.rows("SELECT code, direction FROM refusal") == [(code, "in")]
    assert fetched(second, case) == []


@given(
    st.one_of(
        st.none(), st.integers(), st.text(max_size=4),
        st.lists(st.one_of(st.integers(), st.text(max_size=4), st.lists(st.integers(-1, 9), max_size=4)), max_size=3),
        st.tuples(st.sampled_from(["00" * 32, "zz"]), st.integers(-1, 2**70), st.sampled_from(["image/png", "x"])),
    )
)  # fmt: skip
def test_a_list_of_scans_of_any_form_is_read_or_refused(item: Any) -> None:
    with contextlib.suppress(BadFrame):
        assert blob._offer(bytes(16), item).about == bytes(16)


def test_a_hub_that_says_nonsense_does_not_hold_the_session_for_ever(world: Any) -> None:
    station = world.station()
    keep(station, case_of(world, station))

    class Lying:
        def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
            if path.startswith("/s1/blob/"):
                return Response(200, {}, b'{"have": 0}')
            return world.transport().request(method, path, query, headers, body)

    report = station.sync(Lying())
    assert (report.ok, report.error_code) == (False, "payload")


def test_only_whole_scans_count_at_the_hub(world: Any) -> None:
    station = world.station()
    case = case_of(world, station)
    keep(station, case)
    station.sync(CutAtRange(world.transport(), 4096, delivered=False))
    node = world.server._greeter.node
    with world.hub.read() as db:
        found = node(db, station.name)
    assert blob_hub.Blobs(world.hub, world.clock).listed(found, case) == []
    assert TOWNSHIP in found.slices
