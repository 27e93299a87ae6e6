# SPDX-License-Identifier: Apache-2.0
"""The hub's routes: who may ask what, and what each refusal says."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import database, ids
from sync.wire import frame, signed
from sync.wire.transport import Request, Response


def hello(station: Any, **change: Any) -> bytes:
    content = {
        "certificate": station.certificate, "epoch": station.epoch, "site": station.site, "schema": 1,
        "node_time": "2026-11-20T01:00:00.000Z", "nonce": ids.new_id(), "unsent": 0, "at": [0] * 9,
        "rules": "", "rules_waiting": "", "numbers_wanted": 0,
    }  # fmt: skip
    return signed.seal(signed.HELLO, content | change, station.key)


def code(response: Response) -> tuple[int, str]:
    return response.status, json.loads(response.body)["code"]


def bearer(world: Any, station: Any) -> dict[str, str]:
    answer = world.request("POST", "/s1/hello", body=hello(station))
    assert answer.status == 200
    token = signed.open_(signed.WELCOME, answer.body, world.hub_public)["token"]
    return {"authorization": f"Bearer {token}"}


class TestHello:
    def test_the_welcome_is_signed_and_answers_this_very_hello(self, world: Any) -> None:
        station, nonce = world.station(), ids.new_id()

        answer = world.request("POST", "/s1/hello", body=hello(station, nonce=nonce))

        welcome = signed.open_(signed.WELCOME, answer.body, world.hub_public)
        assert (welcome["nonce"], welcome["hub_time"]) == (nonce, "2026-11-20T01:00:00.000Z")
        assert (welcome["known"], welcome["heads"]) == ({}, [0, 0, 0, 0, 3, 0, 0, 2, 0])

    def test_the_hub_notes_who_was_here_and_lets_the_business_act(self, world: Any) -> None:
        station = world.station()

        world.request("POST", "/s1/hello", body=hello(station, unsent=7, node_time="2026-11-20T01:00:09.000Z"))

        assert world.rows("SELECT last_seen_at, unsent FROM node_record") == [("2026-11-20T01:00:00.000Z", 7)]
        assert world.greeted == [("0100-1", {"skew_s": 9, "unsent": 7, "schema": 1, "numbers_wanted": 0})]

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"epoch": bytes(16)}, (409, "rebase")),
            ({"site": bytes(16)}, (409, "rebase")),
            ({"schema": 0}, (426, "upgrade")),
            ({"schema": 99}, (426, "hub_too_old")),
            ({"certificate": b"S1C"}, (403, "certificate_form")),
            ({"certificate": "x"}, (400, "header")),
            ({"extra": 1}, (400, "header")),
        ],
        ids=str,
    )
    def test_a_wrong_hello_is_refused(self, world: Any, change: dict[str, Any], expected: tuple[int, str]) -> None:
        assert code(world.request("POST", "/s1/hello", body=hello(world.station(), **change))) == expected

    def test_a_nonsense_clock_is_no_reason_to_refuse(self, world: Any) -> None:
        answer = world.request("POST", "/s1/hello", body=hello(world.station(), node_time="when the cock crows"))

        assert answer.status == 200

    def test_somebody_elses_key_cannot_use_a_certificate(self, world: Any) -> None:
        station = world.station()
        station.key = Ed25519PrivateKey.generate()

        assert code(world.request("POST", "/s1/hello", body=hello(station))) == (403, "signature")

    def test_a_certificate_of_another_county_is_refused(self, world: Any) -> None:
        station = world.station()
        world.authority = Ed25519PrivateKey.generate()
        station.certificate = world.certify(station)

        assert code(world.request("POST", "/s1/hello", body=hello(station))) == (403, "certificate_signature")

    def test_an_expired_certificate_is_refused_by_the_hubs_date(self, world: Any) -> None:
        station = world.station()
        world.clock.advance(days=500)

        assert code(world.request("POST", "/s1/hello", body=hello(station))) == (403, "certificate_expired")

    def test_an_older_certificate_is_superseded(self, world: Any) -> None:
        station = world.station()
        world.certify(station, serial=2)

        assert code(world.request("POST", "/s1/hello", body=hello(station))) == (403, "certificate_superseded")

    def test_a_certificate_with_other_slices_than_the_record_is_refused(self, world: Any) -> None:
        station = world.station()
        with world.hub.write() as db:
            database.update(db, "node_record", {"id": station.name}, {"slices": "county node:0100-1"})

        assert code(world.request("POST", "/s1/hello", body=hello(station))) == (403, "certificate_mismatch")

    def test_an_unknown_station_is_refused(self, world: Any) -> None:
        station = world.station()
        with world.hub.write() as db:
            db.execute("DELETE FROM node_record")

        assert code(world.request("POST", "/s1/hello", body=hello(station))) == (403, "unknown_node")


class TestEveryRequest:
    ROUTES = (
        ("PUT", "/s1/chunk/0100-1/{epoch}/evt/1", {}),
        ("GET", "/s1/feed/county", {"chan": "ref", "after": "0", "max": "9999"}),
        ("GET", "/s1/digest/{slices}", {"mine": "", "at": "0"}),
    )

    def ask(self, world: Any, station: Any, headers: dict[str, str]) -> list[tuple[int, str]]:
        return [
            code(
                world.request(
                    m, p.format(epoch=station.epoch.hex(), slices=",".join(station.slices)), q, headers=headers
                )
            )
            for m, p, q in self.ROUTES
        ]

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer 0100-1.00.x.y"])
    def test_needs_a_token(self, world: Any, header: str) -> None:
        assert self.ask(world, world.station(), {"authorization": header}) == [(401, "token")] * 3

    def test_needs_a_token_that_is_still_good(self, world: Any) -> None:
        station = world.station()
        headers = bearer(world, station)
        world.clock.advance(minutes=61)

        assert self.ask(world, station, headers) == [(401, "token")] * 3

    def test_is_refused_from_the_moment_of_revocation(self, world: Any) -> None:
        station = world.station()
        headers = bearer(world, station)
        with world.hub.write() as db:
            database.update(db, "node_record", {"id": station.name}, {"revoked_at": "2026-11-20T01:00:00.000Z"})

        assert self.ask(world, station, headers) == [(403, "revoked")] * 3

    def test_is_refused_after_a_new_epoch(self, world: Any) -> None:
        station = world.station()
        headers = bearer(world, station)
        with world.hub.write() as db:
            database.update(db, "node_record", {"id": station.name}, {"epoch": bytes(range(16))})

        assert self.ask(world, station, headers) == [(409, "rebase")] * 3

    def test_is_refused_while_the_station_is_frozen(self, world: Any) -> None:
        station = world.station()
        headers = bearer(world, station)
        with world.hub.write() as db:
            row = {"id": ids.new_id(), "direction": "in", "peer": station.name, "channel": "evt", "frame_n": 1}
            database.insert(db, "refusal", row | {"item": "evt/1", "code": "frozen", "reason": "x", "at": "x"})

        assert self.ask(world, station, headers) == [(423, "frozen")] * 3


class TestRoutes:
    @pytest.mark.parametrize("slice_", ["330683101", "node:0100-2", "", "county,330683100"])
    def test_a_feed_of_another_slice_is_not_given(self, world: Any, slice_: str) -> None:
        headers = bearer(world, world.station())
        query = {"chan": "ref", "after": "0", "max": "1000"}

        assert world.request("GET", f"/s1/feed/{slice_}", query, headers=headers).status in (403, 404)

    @pytest.mark.parametrize(
        "query",
        [
            {}, {"chan": "all", "after": "0", "max": "1"}, {"chan": "ref", "after": "-1", "max": "1"},
            {"chan": "ref", "after": "x", "max": "1"}, {"chan": "ref", "after": "1" * 30, "max": "1"},
            {"chan": "ref", "after": "٣", "max": "1"}, {"chan": "ref", "after": "0", "max": ""},
        ],
        ids=str,
    )  # fmt: skip
    def test_a_malformed_question_is_refused(self, world: Any, query: dict[str, str]) -> None:
        headers = bearer(world, world.station())

        assert code(world.request("GET", "/s1/feed/county", query, headers=headers)) == (400, "address")

    def test_a_page_is_a_signed_frame_to_this_station(self, world: Any) -> None:
        station = world.station()
        query = {"chan": "ref", "after": "0", "max": "999999999"}

        answer = world.request("GET", "/s1/feed/county", query, headers=bearer(world, station))

        header = frame.open_frame(answer.body, world.hub_public).header
        assert (header.node, header.to, header.slice, header.dir, header.first) == (
            "hub",
            "0100-1",
            "county",
            "pull",
            0,
        )

    @pytest.mark.parametrize(
        "path",
        ["/s1/chunk/0100-2/{epoch}/evt/1", "/s1/chunk/0100-1/00/evt/1", "/s1/chunk/0100-1/{epoch}/ref/1",
         "/s1/chunk/0100-1/{epoch}/evt/x", "/s1/chunk/0100-1/{epoch}/evt/-1"],
    )  # fmt: skip
    def test_a_chunk_at_another_address_is_refused(self, world: Any, path: str) -> None:
        station = world.station()
        path = path.format(epoch=station.epoch.hex())

        assert code(world.request("PUT", path, headers=bearer(world, station))) == (403, "address")

    def test_a_digest_of_some_slices_only_is_refused(self, world: Any) -> None:
        headers = bearer(world, world.station())

        assert code(world.request("GET", "/s1/digest/county", {"at": "0"}, headers=headers)) == (403, "not_in_slice")

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/"), ("GET", "/s1"), ("GET", "/s1/hello"), ("POST", "/s2/hello"), ("DELETE", "/s1/feed/county"),
         ("GET", "/s1/feed/county/x"), ("GET", "//////")],
    )  # fmt: skip
    def test_an_unknown_address_is_not_found(self, world: Any, method: str, path: str) -> None:
        assert code(world.request(method, path)) == (404, "not_found")

    def test_a_body_past_the_limit_is_refused_unread(self, world: Any) -> None:
        assert code(world.request("POST", "/s1/hello", body=bytes(frame.MAX_FRAME + 1))) == (413, "size")

    @settings(max_examples=150, deadline=None, derandomize=True, database=None,
              suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
    @given(
        st.sampled_from(["GET", "PUT", "POST"]),
        st.one_of(st.text(max_size=30), st.sampled_from(["/s1/hello", "/s1/feed/county", "/s1/digest/county"])),
        st.dictionaries(st.sampled_from(["chan", "after", "max", "mine", "at"]), st.text(max_size=6)),
        st.binary(max_size=120),
        st.booleans(),
    )
    def test_no_request_is_answered_with_a_fault(
        self, world: Any, method: str, path: str, query: dict[str, str], body: bytes, known: bool
    ) -> None:
        if known and not world.stations:
            world.headers = bearer(world, world.station())
        headers = world.headers if known else {}

        response = world.server.handle(Request(method, path, query, headers, body))

        assert response.status < 500

    def test_a_fault_is_answered_and_not_raised(self, world: Any) -> None:
        station = world.station()
        headers = bearer(world, station)
        with world.hub.write() as db:
            db.execute("DROP TABLE slice_feed")

        answer = world.request("GET", "/s1/feed/county", {"chan": "ref", "after": "0", "max": "1"}, headers=headers)

        assert code(answer) == (500, "internal")

    def test_overload_is_shed_before_any_work_and_says_when_to_come_back(self, world: Any) -> None:
        station, other = world.station(), world.station("0100-2")
        inside, go_on = threading.Event(), threading.Event()

        def slow(pub: Any, fact: Any) -> None:
            inside.set()
            go_on.wait(10)

        world.intake = slow
        world.server._places = threading.BoundedSemaphore(1)
        station.state(case="x")
        first = threading.Thread(target=station.sync)
        first.start()
        inside.wait(10)

        report = other.sync()
        go_on.set()
        first.join()

        assert (report.ok, report.error_code, report.retry_after_s) == (False, "overload", 30)
        assert station.sync().ok is True
