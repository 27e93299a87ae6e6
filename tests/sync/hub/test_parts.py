# SPDX-License-Identifier: Apache-2.0
"""A frame too long for the line goes in parts: every try gets further, and what arrives is the frame or nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from schema.errors import Unreachable
from sync.station import pace
from sync.station.link import Link
from sync.wire import frame
from sync.wire.transport import Broken, Request, Response
from tests.sync.county import Recorder
from tests.sync.forging import fact, facts_frame
from tests.sync.hub.test_server import bearer

TEXT = "".join(random.Random(1).choices("的一是在不了有和人这中大为上个国我以要他", k=20_000))


@pytest.fixture
def large(world: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """A station whose next frame is about 17 KiB, on a line that has turned bad since it was built."""
    monkeypatch.setattr(pace, "QUICK_S", 0.0)  # no line is quick here
    station = world.station()
    station.sync()
    station.state(case="one", text=TEXT)

    class Dead:
        def request(self, method: str, *rest: Any) -> Response:
            if method == "PUT":
                raise Unreachable("线断了", "the line is cut")
            return inner.request(method, *rest)

    inner = world.transport()
    station.sync(Dead())
    small = {"size": pace.MIN_SIZE, "bytes_per_s": 300.0, "good": 0}
    Link(station.store, world.clock).put({"pace": json.dumps({"up": small})})
    return world, station


class CutsEveryPut:
    """Lets `good` PUTs through and breaks at the next; on each try anew."""

    def __init__(self, inner: Any, good: int, *, delivered: bool) -> None:
        self.inner, self.good, self.delivered, self.sent = inner, good, delivered, 0

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
        if method == "PUT":
            self.sent += len(body)
            self.good -= 1
            if self.good < 0:
                if self.delivered:
                    self.inner.request(method, path, query, headers, body)
                error = Broken("没有回答", "no answer", code="timeout")
                raise error
        return self.inner.request(method, path, query, headers, body)


def stored(world: Any) -> int:
    return int((world.rows("SELECT length(bytes) FROM frame_part") or [(0,)])[0][0])


@pytest.mark.parametrize("delivered", [False, True])
def test_every_try_gets_further_and_nothing_that_arrived_is_sent_again(large: Any, delivered: bool) -> None:
    world, station = large
    size = station.rows("SELECT length(bytes) FROM outbox_frame WHERE acked_at IS NULL")[0][0]
    assert size > 4 * pace.MIN_SIZE
    before, sent = 0, 0
    for _ in range(40):
        line = CutsEveryPut(world.transport(), 1, delivered=delivered)
        report = station.sync(line)
        sent += line.sent
        if report.ok:
            break
        assert report.moved and (stored(world) > before or world.taken)
        before = stored(world)

    assert report.ok and report.equal
    assert [f.body["case"] for f in world.taken] == ["one"]
    assert stored(world) == 0
    assert sent <= size + (size // pace.MIN_SIZE + 2) * pace.MIN_SIZE, "each failure costs one piece"


def test_a_receipt_lost_after_the_last_piece_costs_one_piece(large: Any) -> None:
    world, station = large

    class LosesTheReceipt(Recorder):
        def request(self, *args: Any) -> Response:
            response = super().request(*args)
            if response.body.startswith(b"S1R"):
                raise Broken("没有回答", "no answer", code="timeout")
            return response

    assert station.sync(LosesTheReceipt(world.transport())).error_code == "timeout"
    line = Recorder(world.transport())

    assert station.sync(line).ok

    assert len(world.taken) == 1
    assert [len(r.body) <= pace.MIN_SIZE for r, _ in line.log if r.method == "PUT"] == [True]


def test_a_station_that_forgot_how_far_it_was_is_told(large: Any) -> None:
    world, station = large
    station.sync(CutsEveryPut(world.transport(), 3, delivered=False))
    Link(station.store, world.clock).put({"part:evt": ""})
    line = Recorder(world.transport())

    assert station.sync(line).ok

    answers = [json.loads(answer.body) for r, answer in line.log if r.method == "PUT" and answer.status == 409]
    assert answers == [{"code": "part", "have": 3 * pace.MIN_SIZE}]


def test_another_epochs_or_frames_pieces_are_not_continued(large: Any) -> None:
    world, station = large
    station.sync(CutsEveryPut(world.transport(), 3, delivered=False))
    other = facts_frame(station, fact(station, body={"text": TEXT}))

    answer = put(world, station, other, 0, other[:100])

    assert (answer.status, json.loads(answer.body)) == (200, {"have": 100})
    assert stored(world) == 100, "one frame per channel is kept, the newest"


def put(world: Any, station: Any, data: bytes, start: int, piece: bytes, **change: str) -> Response:
    path = f"/s1/chunk/{station.name}/{station.epoch.hex()}/evt/1"
    query = {"at": str(start), "of": str(len(data)), "hash": frame.hash_of(data).hex()} | change
    answer: Response = world.server.handle(Request("PUT", path, query, bearer(world, station), piece))
    return answer


class TestHostile:
    @pytest.fixture
    def pushed(self, world: Any) -> Iterator[tuple[Any, Any, bytes]]:
        station = world.station()
        yield world, station, facts_frame(station, fact(station))

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"of": str(frame.MAX_FRAME + 1)}, 413), ({"of": "5"}, 413), ({"at": "-1"}, 400), ({"at": "x"}, 400),
            ({"hash": "00"}, 400), ({"hash": "Z" * 64}, 400), ({"of": ""}, 400),
        ],
    )  # fmt: skip
    def test_a_piece_that_cannot_be_is_refused(self, pushed: Any, change: dict[str, str], status: int) -> None:
        world, station, data = pushed
        assert put(world, station, data, 0, data[:50], **change).status == status
        assert stored(world) == 0

    def test_pieces_that_make_another_frame_than_promised_are_thrown_away(self, pushed: Any) -> None:
        world, station, data = pushed
        answer = put(world, station, data, 0, data, hash="00" * 32)
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "payload")
        assert stored(world) == 0
        assert put(world, station, data, 0, data).status == 200

    def test_a_frame_refused_when_it_is_whole_leaves_no_pieces(self, pushed: Any) -> None:
        world, station, _ = pushed
        bad = facts_frame(station, fact(station), to="elsewhere")
        assert put(world, station, bad, 0, bad).status == 400
        assert stored(world) == 0

    def test_a_gap_between_pieces_is_not_filled_with_nothing(self, pushed: Any) -> None:
        world, station, data = pushed
        put(world, station, data, 0, data[:50])
        answer = put(world, station, data, 60, data[60:])
        assert (answer.status, json.loads(answer.body)) == (409, {"code": "part", "have": 50})


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"have": "x"}', b'{"have": 999999}', b'{"have": 0}', b"[1]"])
def test_a_hub_that_answers_nonsense_is_not_believed(large: Any, answer: bytes) -> None:
    world, station = large

    class Nonsense(Recorder):
        def request(self, method: str, *rest: Any) -> Response:
            return Response(200, {}, answer) if method == "PUT" else super().request(method, *rest)

    report = station.sync(Nonsense(world.transport()))

    assert (report.ok, report.error_code) == (False, "receipt")
