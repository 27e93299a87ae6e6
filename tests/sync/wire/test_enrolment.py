# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from schema import database
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import Refusal
from sync.wire import enrolment, signed
from sync.wire.certificate import open_certificate

STATION = "0100-1"
CODE = enrolment.new_code(date(2026, 12, 7))
EPOCH, SITE = bytes(range(16)), bytes(range(16, 32))


@pytest.fixture
def authority() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def hub(hub_store: Store) -> Store:
    """A hub that expects one station."""
    row = {
        "id": STATION, "name": "甘霖镇劳动保障所", "slices": f"county 330683100 node:{STATION}", "serial": 7,
        "not_after": "2028-11-22", "enrol_code_hash": enrolment.hash_code(CODE), "unsent": 0,
    }  # fmt: skip
    with hub_store.write() as db:
        database.insert(db, "node_record", row)
    return hub_store


def _ask(key: Ed25519PrivateKey, **changes: Any) -> dict[str, Any]:
    words = {"node": STATION, "code": CODE, "site_id": SITE, "epoch": EPOCH, **changes}
    return enrolment.read_request(enrolment.make_request(key, **words))


def test_the_right_code_binds_key_epoch_and_site_and_gives_a_certificate(
    hub: Store, authority: Ed25519PrivateKey, clock: FixedClock
) -> None:
    key = Ed25519PrivateKey.generate()
    data = enrolment.enrol(hub, authority, _ask(key), clock)
    made = open_certificate(data, authority.public_key().public_bytes_raw(), clock.today())
    assert (made.node, made.public_key) == (STATION, key.public_key().public_bytes_raw())
    assert (made.epoch, made.site_id, made.serial) == (EPOCH, SITE, 7)
    assert made.slices == ("county", "330683100", "node:0100-1")
    assert (made.not_before, made.not_after) == ("2026-11-22", "2028-11-22")


def test_the_same_request_again_gets_the_same_answer_even_after_the_codes_last_day(
    hub: Store, authority: Ed25519PrivateKey, clock: FixedClock
) -> None:
    request = _ask(Ed25519PrivateKey.generate())
    first = enrolment.enrol(hub, authority, request, clock)
    assert enrolment.enrol(hub, authority, request, clock) == first
    clock.advance(days=60)
    again = enrolment.enrol(hub, authority, request, clock)
    public = authority.public_key().public_bytes_raw()
    assert open_certificate(again, public, clock.today()).serial == 7


@pytest.mark.parametrize(
    ("changes", "days", "code"),
    [
        ({"code": enrolment.new_code(date(2026, 12, 7))}, 0, "enrol_code"),
        ({"code": CODE.replace("261207", "271207")}, 0, "enrol_code"),
        ({"code": ""}, 0, "enrol_code"),
        ({"node": "0104-1"}, 0, "enrol_unknown"),
        ({}, 15, "enrol_expired"),
    ],
)
def test_a_request_that_may_not_be_granted_is_refused_and_writes_nothing(
    changes: dict[str, Any], days: int, code: str, hub: Store, authority: Ed25519PrivateKey, clock: FixedClock
) -> None:
    clock.advance(days=days)
    with pytest.raises(Refusal) as caught:
        enrolment.enrol(hub, authority, _ask(Ed25519PrivateKey.generate(), **changes), clock)
    assert caught.value.code == code
    with hub.read() as db:
        assert tuple(db.execute("SELECT public_key, epoch, site_id FROM node_record").fetchone()) == (None, None, None)


def test_a_used_code_serves_no_second_key_database_or_epoch(
    hub: Store, authority: Ed25519PrivateKey, clock: FixedClock
) -> None:
    key = Ed25519PrivateKey.generate()
    enrolment.enrol(hub, authority, _ask(key), clock)
    others = [_ask(Ed25519PrivateKey.generate()), _ask(key, epoch=os.urandom(16)), _ask(key, site_id=os.urandom(16))]
    for request in others:
        with pytest.raises(Refusal) as caught:
            enrolment.enrol(hub, authority, request, clock)
        assert caught.value.code == "enrol_used"


def test_a_revoked_station_is_told_so_before_anything_else(
    hub: Store, authority: Ed25519PrivateKey, clock: FixedClock
) -> None:
    with hub.write() as db:
        db.execute("UPDATE node_record SET revoked_at = '2026-11-01T00:00:00.000Z'")
    with pytest.raises(Refusal) as caught:
        enrolment.enrol(hub, authority, _ask(Ed25519PrivateKey.generate(), code="wrong"), clock)
    assert caught.value.code == "revoked"


def test_nobody_enrols_a_key_that_is_not_theirs() -> None:
    mine, theirs = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    content = {
        "code": CODE, "node": STATION, "site_id": SITE, "epoch": EPOCH,
        "public_key": theirs.public_key().public_bytes_raw(),
    }  # fmt: skip
    with pytest.raises(Refusal) as caught:
        enrolment.read_request(signed.seal(enrolment.MAGIC, content, mine))
    assert caught.value.code == "enrol_malformed"


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_request_changed_in_any_byte_is_refused(at: int, by: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    data = bytearray(enrolment.make_request(key, node=STATION, code=CODE, site_id=SITE, epoch=EPOCH))
    data[at % len(data)] ^= by
    with pytest.raises(Refusal):
        enrolment.read_request(bytes(data))


@given(st.binary(max_size=600))
def test_any_bytes_are_a_refusal_and_never_a_crash(data: bytes) -> None:
    for body in (data, enrolment.MAGIC + data):
        with pytest.raises(Refusal):
            enrolment.read_request(body)


def test_a_code_typed_by_hand_may_lose_its_dashes_and_case() -> None:
    assert enrolment.hash_code(CODE.lower().replace("-", " ")) == enrolment.hash_code(CODE)


def test_no_two_codes_are_alike() -> None:
    assert len({enrolment.new_code(date(2026, 12, 7)) for _ in range(200)}) == 200
