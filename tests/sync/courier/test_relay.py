# SPDX-License-Identifier: Apache-2.0
"""A station without a line, a neighbour that carries for it, and everything a bad neighbour can do: delay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.errors import BadFrame, BadSignature, RefusedByPeer
from sync.courier import relay
from sync.courier.bundle import CARRIED_AIM_BYTES, CARRIED_MAX_BYTES
from sync.courier.relay import Mailbox, RelayServer, Waiting
from sync.courier.relay_session import RelaySession
from sync.station.report import Report
from sync.wire.certificate import issue, read
from sync.wire.transport import InProcess, Request, Response
from tests.sync.county import content, hub_fact, work
from tests.sync.sticks import answer, export, hub_takes, node


class Neighbour:
    """The township's station: a mailbox, its door, and a line to the hub."""

    def __init__(self, world: Any, folder: Path) -> None:
        self.world, self.arrived = world, 0
        self.mailbox = Mailbox(folder, world.authority.public_key().public_bytes_raw(), world.clock)
        self.server = RelayServer(self.mailbox, self._arrive)

    def _arrive(self) -> None:
        self.arrived += 1

    def visit(self, station: Any) -> Report:
        return RelaySession(node(station), InProcess(self.server)).run()

    def forward(self) -> int:
        return relay.forward(self.mailbox, self.world.transport())


@pytest.fixture
def neighbour(world: Any, tmp_path: Path) -> Neighbour:
    return Neighbour(world, tmp_path / "relay")


def unsent(station: Any) -> int:
    return int(station.rows("SELECT count(*) FROM outbox_frame WHERE acked_at IS NULL")[0][0])


class TestThroughANeighbour:
    def test_work_goes_there_and_back(self, world: Any, neighbour: Neighbour) -> None:
        station, person = world.station("0100-2"), world.person()
        for _ in range(2):
            neighbour.visit(station)
            neighbour.forward()
        work(world, station, person)

        first = neighbour.visit(station)
        assert neighbour.forward() == 1
        second = neighbour.visit(station)

        assert (first.ok, first.pushed_frames) == (True, 0)
        assert (second.pushed_frames, second.equal) == (2, True)
        assert content(station) == content(world)
        assert neighbour.arrived == 4

    def test_received_is_said_when_the_hub_has_signed_and_not_before(self, world: Any, neighbour: Neighbour) -> None:
        station = world.station("0100-2")
        station.state(case="one")

        report = neighbour.visit(station)

        assert report.ok and report.equal is None
        assert unsent(station) == 1
        assert station.rows("SELECT received_at FROM fact") == [(None,)]
        assert station.rows("SELECT value FROM link WHERE name = 'state'") == [("relay",)]
        neighbour.forward()
        neighbour.visit(station)
        assert unsent(station) == 0
        assert station.rows("SELECT received_at IS NOT NULL FROM fact") == [(1,)]

    def test_the_same_answer_is_not_fetched_twice(self, world: Any, neighbour: Neighbour) -> None:
        station = world.station("0100-2")
        neighbour.visit(station)
        neighbour.forward()
        assert neighbour.visit(station).bytes_in > 0
        assert neighbour.visit(station).bytes_in == 0

    def test_a_line_of_its_own_and_a_stick_may_come_between(self, world: Any, neighbour: Neighbour) -> None:
        station, person = world.station("0100-2"), world.person()
        station.sync()
        for way in range(3):
            work(world, station, person)
            neighbour.visit(station)
            if way == 0:
                station.sync()
            if way == 1:
                hub_takes(world, export(station))
            neighbour.forward()
            neighbour.visit(station)
        assert station.sync().equal is True
        assert len(world.taken) == 6 and content(station) == content(world)

    def test_more_than_fits_goes_in_several_visits(self, world: Any, neighbour: Neighbour) -> None:
        station = world.station("0100-2")
        for _ in range(12):
            station.state(case=os.urandom(28_000).hex())
            export(station)
        visits = 0
        while unsent(station) and visits < 20:
            neighbour.visit(station)
            assert all(len(w.data) <= CARRIED_AIM_BYTES + 60_000 for w in neighbour.mailbox.waiting())
            neighbour.forward()
            visits += 1
        neighbour.visit(station)
        assert 2 < visits < 20 and len(world.taken) == 12

    def test_a_neighbour_that_is_away_is_told_as_a_line_that_is_down(self, world: Any) -> None:
        class Away:
            def handle(self, request: Request) -> Response:
                return Response(503, {}, b'{"code": "relay_full"}')

        report = RelaySession(node(world.station("0100-2")), InProcess(Away())).run()
        assert (report.ok, report.error_code) == (False, "relay_full")

    def test_a_hub_that_is_away_keeps_the_bundle_waiting(self, world: Any, neighbour: Neighbour) -> None:
        neighbour.visit(world.station("0100-2"))

        class Busy:
            def handle(self, request: Request) -> Response:
                return Response(503)

        assert relay.forward(neighbour.mailbox, InProcess(Busy())) == 0
        assert len(neighbour.mailbox.waiting()) == 1

    def test_the_reason_of_a_refusal_reaches_the_station(self, world: Any, neighbour: Neighbour) -> None:
        station = world.station("0100-2")
        with world.hub.write() as db:
            db.execute("UPDATE node_record SET epoch = ? WHERE id = '0100-2'", (os.urandom(16),))
        neighbour.visit(station)
        neighbour.forward()
        assert neighbour.visit(station).error_code == "rebase"


class TestABadNeighbour:
    """Changes, drops, repeats, reorders, withholds: the end is the same, only later."""

    def test_everything_it_can_do_only_delays(self, world: Any, neighbour: Neighbour) -> None:
        station, person = world.station("0100-2"), world.person()
        hub_fact(world, station.name)
        old: list[Waiting] = []
        answers: list[bytes] = []
        for trick in ("change", "drop", "repeat", "older", "withhold", "change answer", "old answer"):
            station.edit(person, note=trick)
            station.state(case=trick)
            neighbour.visit(station)
            (waiting,) = neighbour.mailbox.waiting()
            old.append(waiting)
            self.play(world, neighbour, station, trick, old, answers)
        assert {"bundle"} == self.codes

        for _ in range(3):
            report = neighbour.visit(station)
            neighbour.forward()
        assert report.ok and neighbour.visit(station).equal is True
        assert content(station) == content(world)
        assert len(world.taken) == 7 == len({fact.id for fact in world.taken})
        assert world.rows("SELECT count(*) FROM refusal WHERE code = 'frozen'") == [(0,)]

    codes: set[str]

    def play(
        self, world: Any, neighbour: Neighbour, station: Any, trick: str, old: list[Waiting], answers: list[bytes]
    ) -> None:
        self.codes = getattr(self, "codes", set())
        post = lambda data: world.request("POST", "/s1/courier", body=data)  # noqa: E731
        data = old[-1].data
        if trick == "change":
            assert post(flipped(data)).status == 400
        if trick == "drop":
            neighbour.mailbox.done(old[-1], None)
        if trick == "repeat":
            answers += [post(data).body, post(data).body]
        if trick == "older":
            answers.append(post(data).body)
            answers.append(post(old[0].data).body)
        if trick == "change answer":
            neighbour.mailbox.done(old[-1], flipped(post(data).body))
            self.codes.add(neighbour.visit(station).error_code)
        if trick == "old answer":
            for one in (answers[-1], answers[0]):
                neighbour.mailbox.done(old[-1], one)
                assert neighbour.visit(station).ok

    def test_it_can_read_nothing(self, world: Any, neighbour: Neighbour, tmp_path: Path) -> None:
        station, person = world.station("0100-2"), world.person(name="王丽萍")
        station.edit(person, phone="13911111111")
        neighbour.visit(station)
        neighbour.forward()
        neighbour.visit(station)
        kept = b"".join(path.read_bytes() for path in (tmp_path / "relay").iterdir())
        assert len(kept) > 1000
        for secret in ("王丽萍".encode(), b"13911111111", b"13800000000"):
            assert secret not in kept


def flipped(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


class TestTheMailbox:
    def test_only_the_newest_of_a_station_waits(self, world: Any, neighbour: Neighbour) -> None:
        station = world.station("0100-2")
        first, second = export(station), export(station)
        for data in (first, second):
            neighbour.mailbox.put(station.certificate, data)
        assert neighbour.mailbox.waiting() == [Waiting("0100-2", second)]

    def test_a_newer_one_that_came_meanwhile_is_not_forgotten(self, world: Any, neighbour: Neighbour) -> None:
        station = world.station("0100-2")
        neighbour.mailbox.put(station.certificate, export(station))
        (sent,) = neighbour.mailbox.waiting()
        newer = export(station)
        neighbour.mailbox.put(station.certificate, newer)
        neighbour.mailbox.done(sent, b"answer")
        assert neighbour.mailbox.waiting() == [Waiting("0100-2", newer)]

    def test_what_is_a_month_old_goes(self, world: Any, neighbour: Neighbour, tmp_path: Path) -> None:
        station = world.station("0100-2")
        neighbour.mailbox.put(station.certificate, export(station))
        for path in (tmp_path / "relay").iterdir():
            os.utime(path, (1_790_000_000, 1_790_000_000))
        assert neighbour.mailbox.waiting() == []

    def test_it_is_bounded_in_stations(
        self, world: Any, neighbour: Neighbour, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(relay, "MAX_SENDERS", 1)
        first, second = world.station("0100-2"), world.station("0100-3")
        neighbour.mailbox.put(first.certificate, export(first))
        neighbour.mailbox.put(first.certificate, export(first))
        with pytest.raises(RefusedByPeer) as caught:
            neighbour.mailbox.put(second.certificate, export(second))
        assert caught.value.code == "relay_full"

    @pytest.mark.parametrize(
        ("case", "code"),
        [("stranger", "certificate_signature"), ("none", "certificate_form"), ("expired", "certificate_expired"),
         ("other", "bundle_recipient"), ("answer", "bundle_recipient"), ("changed", "bundle"), ("large", "size"),
         ("path", "bundle_recipient")],
    )  # fmt: skip
    def test_what_it_does_not_keep(
        self, world: Any, neighbour: Neighbour, tmp_path: Path, case: str, code: str
    ) -> None:
        station = world.station("../evil" if case == "path" else "0100-2")
        data, certificate = export(station), station.certificate
        if case == "stranger":
            certificate = issue(read(certificate), Ed25519PrivateKey.generate())
        if case == "none":
            certificate = b""
        if case == "expired":
            world.clock.advance(days=900)
        if case == "other":
            certificate = world.station("0100-3").certificate
        if case == "answer":
            hub_takes(world, data)
            data = answer(world, station)
        if case == "changed":
            data = flipped(data)
        if case == "large":
            data = bytes(CARRIED_MAX_BYTES + 1)
        with pytest.raises((BadFrame, BadSignature)) as caught:
            neighbour.mailbox.put(certificate, data)
        assert caught.value.code == code
        assert not (tmp_path / "relay").exists() or list((tmp_path / "relay").iterdir()) == []


class TestTheDoor:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [("GET", "/relay/bundle", 404), ("POST", "/", 404), ("POST", "/s1/hello", 404), ("POST", "/relay/bundle", 403)],
    )
    def test_it_speaks_one_route(self, neighbour: Neighbour, method: str, path: str, status: int) -> None:
        assert neighbour.server.handle(Request(method, path)).status == status
        assert neighbour.arrived == 0

    @pytest.mark.parametrize("given", ["", "%%%", "AAAA", "x" * 100_000])
    def test_a_certificate_that_is_none_is_refused(self, neighbour: Neighbour, given: str) -> None:
        asked = Request("POST", relay.PATH, {}, {relay.CERTIFICATE: given}, b"S1B")
        assert neighbour.server.handle(asked).status == 403


class TestTheHubsRoute:
    @pytest.mark.parametrize(("body", "status", "code"), [
        (b"", 400, "bundle"), (b"S1B" + bytes(300), 400, "bundle"), (bytes(CARRIED_MAX_BYTES + 1), 413, "size"),
    ])  # fmt: skip
    def test_what_is_no_bundle_is_refused(self, world: Any, body: bytes, status: int, code: str) -> None:
        found = world.request("POST", "/s1/courier", body=body)
        assert (found.status, code in found.body.decode()) == (status, True)

    def test_a_revoked_station_is_refused_and_its_bundle_not_kept(self, world: Any, neighbour: Neighbour) -> None:
        neighbour.visit(world.station("0100-2"))
        with world.hub.write() as db:
            db.execute("UPDATE node_record SET revoked_at = '2026-11-20T01:00:00.000Z'")
        assert neighbour.forward() == 0
        assert neighbour.mailbox.waiting() == []
