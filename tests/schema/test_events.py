# SPDX-License-Identifier: Apache-2.0
"""A fact is signed by its officer, chained to the fact before, and never changes afterwards."""

from __future__ import annotations

from dataclasses import replace

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import database, events, ids
from schema.clock import FixedClock
from schema.database import IntegrityError, Store
from schema.errors import BadSignature

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()


@pytest.fixture
def station(node_store: Store) -> Store:
    with node_store.write() as db:
        database.set_setting(db, "node_id", b"0100-1")
        database.set_setting(db, "epoch", bytes(range(16)))
    return node_store


def submit(store: Store, clock: FixedClock, **body: object) -> events.Fact:
    with store.write() as db:
        return events.state(db, "case_submitted", ids.new_id(), body, officer="3012", key=KEY, clock=clock)


def test_facts_of_one_origin_form_a_chain(station: Store, clock: FixedClock) -> None:
    first, second = submit(station, clock, n=1), submit(station, clock, n=2)
    assert (first.seq, first.prev) == (1, events.GENESIS)
    assert (second.seq, second.prev) == (2, first.hash)


def test_a_fact_survives_the_wire_and_the_table_with_its_signature(station: Store, clock: FixedClock) -> None:
    fact = submit(station, clock, 姓名="张三", amount_fen=12300)
    travelled = events.from_wire(cbor2.loads(events.canonical(fact.to_wire())))
    assert travelled == fact
    travelled.verify(PUBLIC)
    with station.read() as db:
        assert events.of_subject(db, fact.subject) == [fact]


@pytest.mark.parametrize(
    "change",
    [{"officer": "3013"}, {"body": {"n": 2}}, {"seq": 9}, {"stated_at": "2020"}, {"kind": "case_approved"}],
)
def test_any_change_breaks_the_signature(station: Store, clock: FixedClock, change: dict[str, object]) -> None:
    fact = submit(station, clock, n=1)
    with pytest.raises(BadSignature):
        replace(fact, **change).verify(PUBLIC)


def test_another_officer_s_key_does_not_verify(station: Store, clock: FixedClock) -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(BadSignature):
        submit(station, clock, n=1).verify(other)


def test_a_stored_fact_cannot_be_changed_removed_or_entered_twice(station: Store, clock: FixedClock) -> None:
    fact = submit(station, clock, n=1)
    with station.write() as db:
        for attack in ("UPDATE fact SET officer = '9999'", "DELETE FROM fact"):
            with pytest.raises(IntegrityError):
                db.execute(attack)
        with pytest.raises(IntegrityError):
            events.store(db, fact)
        db.execute("UPDATE fact SET received_at = '2026-11-23T01:00:00.000Z'")
        with pytest.raises(IntegrityError):
            db.execute("UPDATE fact SET received_at = '2030-01-01T00:00:00.000Z'")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(st.none() | st.integers() | st.binary(max_size=40) | st.text(max_size=10), st.lists, max_leaves=20))
def test_nothing_a_peer_sends_as_a_fact_raises_anything_but_a_reason(item: object) -> None:
    try:
        events.from_wire(item)
    except ValueError as reason:
        assert str(reason) in ("arity", "type", "size", "body")


def test_a_body_in_another_than_the_canonical_form_is_refused(station: Store, clock: FixedClock) -> None:
    wire = submit(station, clock, b=1, a=2).to_wire()
    wire[10] = cbor2.dumps({"bb": 1, "a": 2})
    with pytest.raises(ValueError, match="body"):
        events.from_wire(wire)
