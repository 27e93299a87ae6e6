# SPDX-License-Identifier: Apache-2.0
"""One pushed frame at the hub: idempotent by address, chained, and a hostile one changes not a byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import database
from schema.errors import BadFrame, BadSignature, RefusedByPeer
from sync.hub import inbox
from sync.hub.inbox import Gap
from sync.wire import codec, frame, receipt
from tests.sync.forging import Hub, bytes_of, cell, cells_frame, fact, facts_frame, make


class TestAddress:
    def test_the_same_frame_again_gets_the_same_receipt(self, hub: Hub) -> None:
        world, station, box, node = hub
        data = facts_frame(station, fact(station))

        first = box.accept(node, "evt", 1, data)
        world.clock.advance(hours=1)

        assert box.accept(node, "evt", 1, data) == first
        assert len(world.taken) == 1

    def test_an_old_frame_again_changes_nothing(self, hub: Hub) -> None:
        world, station, box, node = hub
        person = world.person()
        first = cells_frame(station, cell(person))
        box.accept(node, "reg", 1, first)
        second = cells_frame(station, cell(person, value="13900000002", col_version=3), n=2, prev=frame.hash_of(first))
        box.accept(node, "reg", 2, second)
        before = bytes_of(world)

        box.accept(node, "reg", 1, first)

        assert bytes_of(world) == before
        assert world.phone(person) == "13900000002"

    @pytest.mark.parametrize("channel", ["evt", "reg"])
    def test_another_frame_at_a_known_address_freezes_the_station(self, hub: Hub, channel: str) -> None:
        world, station, box, node = hub
        build: Callable[..., bytes] = facts_frame if channel == "evt" else cells_frame
        box.accept(node, channel, 1, build(station))

        with pytest.raises(RefusedByPeer) as error:
            box.accept(node, channel, 1, build(station, made_at="2026-11-20T02:00:00.000Z"))

        assert error.value.code == "frozen"
        assert world.rows("SELECT peer, channel, frame_n, code, handled_at FROM refusal") == [
            (station.name, channel, 1, "frozen", None)
        ]
        assert station.sync().error_code == "frozen"
        with world.hub.write() as db:
            db.execute("UPDATE refusal SET handled_at = '2026-11-20T03:00:00.000Z'")
            assert not inbox.is_frozen(db, station.name)

    def test_a_frame_that_does_not_continue_the_last_freezes_the_station(self, hub: Hub) -> None:
        _, station, box, node = hub
        box.accept(node, "evt", 1, facts_frame(station))

        with pytest.raises(RefusedByPeer) as error:
            box.accept(node, "evt", 2, facts_frame(station, n=2, prev=bytes(range(32))))

        assert error.value.code == "frozen"

    def test_a_gap_names_the_last_known_frame(self, hub: Hub) -> None:
        world, station, box, node = hub
        data = facts_frame(station)
        box.accept(node, "evt", 1, data)
        before = bytes_of(world)

        with pytest.raises(Gap) as gap:
            box.accept(node, "evt", 3, facts_frame(station, n=3, prev=frame.hash_of(data)))

        assert (gap.value.code, gap.value.known.n) == ("gap", 1)
        assert bytes_of(world) == before

    @pytest.mark.parametrize(
        "header",
        [
            {"node": "0100-2"}, {"to": "0100-2"}, {"epoch": bytes(range(16))}, {"chan": "reg"}, {"slice": "county"},
            {"dir": frame.PULL}, {"n": 2}, {"schema": 99}, {"more": True}, {"upto": 2_000_000}, {"items": 9},
        ],
        ids=str,
    )  # fmt: skip
    def test_a_frame_for_another_address_changes_nothing(self, hub: Hub, header: dict[str, Any]) -> None:
        world, station, box, node = hub
        data = make(station, header.pop("chan", "evt"), {"facts": []}, **({"items": 0} | header))
        before = bytes_of(world)

        with pytest.raises(BadFrame):
            box.accept(node, "evt", 1, data)

        assert bytes_of(world) == before

    def test_a_forged_signature_changes_nothing(self, hub: Hub) -> None:
        world, station, box, node = hub
        station.key = Ed25519PrivateKey.generate()
        before = bytes_of(world)

        with pytest.raises(BadSignature):
            box.accept(node, "evt", 1, facts_frame(station, fact(station)))

        assert bytes_of(world) == before


class TestHostileFrames:
    def test_whatever_is_signed_is_taken_whole_or_changes_not_a_byte(self, hub: Hub) -> None:
        """Valid frames are mutated before signing: header, content, single values. Only BadFrame may come out."""
        world, station, box, node = hub
        person = world.person()
        contents: dict[str, Any] = {
            "evt": {"facts": [fact(station).to_wire()]},
            "reg": {"cells": codec.pack_cells([cell(person)]), "conflicts": []},
        }
        rubbish = st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.binary(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=6,
        )
        taken: list[int] = []

        @settings(
            max_examples=150, deadline=None, derandomize=True, database=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )  # fmt: skip
        @given(st.sampled_from(["evt", "reg"]), rubbish, st.randoms(use_true_random=False))
        def attack(channel: str, junk: Any, rng: random.Random) -> None:
            with world.hub.read() as db:
                last = inbox.known(db, node, channel)
            content = _mutated(contents[channel], junk, rng)
            data = make(
                station, channel, content, n=last.n + 1, prev=last.hash, upto=last.upto + 1, items=rng.choice([0, 1])
            )
            before = bytes_of(world)
            try:
                receipt.read(box.accept(node, channel, last.n + 1, data), world.hub_public)
                taken.append(1)
            except BadFrame:
                assert bytes_of(world) == before

        attack()
        assert 5 < len(taken) < 145, "both outcomes must have been seen"
        assert world.rows("PRAGMA integrity_check") == [("ok",)]
        assert station.sync().error_code in ("", "rebase")
        with world.hub.write() as db:
            assert database.update(db, "contact", {"id": person}, {"note": "still tracked"}) == 1

    @settings(max_examples=60, deadline=None, derandomize=True, database=None,
              suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
    @given(place=st.integers(0, 10**6), bits=st.integers(1, 255))
    def test_a_frame_damaged_on_the_way_changes_not_a_byte(self, hub: Hub, place: int, bits: int) -> None:
        world, station, box, node = hub
        data = bytearray(facts_frame(station, fact(station)))
        data[place % len(data)] ^= bits
        before = bytes_of(world)

        with pytest.raises((BadFrame, BadSignature)):
            box.accept(node, "evt", 1, bytes(data))

        assert bytes_of(world) == before


def _mutated(value: Any, junk: Any, rng: random.Random) -> Any:
    """The value with one part of it, at any depth, replaced."""
    if not isinstance(value, list | dict) or not value or rng.random() < 0.2:
        return junk
    if isinstance(value, list):
        place = rng.randrange(len(value))
        return [_mutated(v, junk, rng) if i == place else v for i, v in enumerate(value)]
    name = rng.choice(sorted(value))
    return {k: _mutated(v, junk, rng) if k == name else v for k, v in value.items()}
