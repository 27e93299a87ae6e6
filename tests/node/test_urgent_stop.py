# SPDX-License-Identifier: Apache-2.0
"""A death taken offline overtakes the queue: the hub knows of it, and stops the pension, before it knows the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import intake, pack
from hub.settlement import stops
from node import case_state
from node.exchange import Exchange
from node.station import Station
from schema.database import Store
from schema.errors import Unreachable
from schema.events import Fact
from schema.web.door import Officer
from sync.hub.publish import Publication
from sync.wire.transport import InProcess
from tests.node.conftest import number_of
from tests.node.test_cases import take
from tests.node.test_exchange import Hub

Clerk = tuple[Officer, Ed25519PrivateKey]
GANG = {"name": "郑俊刚", "id_number": number_of("330623195603071236")}
REPORT = GANG | {
    "died_on": "2026-11-18", "proof": "medical", "reporter_name": "郑小刚", "reporter_relation": "child",
    "reporter_phone": "13857582046",
}  # fmt: skip
PAUSE = GANG | {"action": "pause", "kind": "resident_pension", "from_month": "2026-12", "reason": "no_check"}


class Office(Hub):
    """The hub as it is: what arrives becomes a case."""

    def take(self, pub: Publication, fact: Fact) -> None:
        intake.intake(pub, fact)


class BreaksBeforeQueue:
    """A line that carries the urgent copies and breaks when the queue begins."""

    def __init__(self, server: Any) -> None:
        self.inner = InProcess(server)

    def request(self, method: str, path: str, *rest: Any) -> Any:
        if method == "PUT" and "/evt/" in path:
            raise Unreachable("断了", "broken")
        return self.inner.request(method, path, *rest)


@pytest.fixture
def hub(station: Station, make_store: Callable[..., Store], hub_key: Ed25519PrivateKey) -> Any:
    office = Office(station, make_store("hub"), hub_key)
    pack.use(office.store)
    yield office
    pack.leave(office.store)


def services_at(hub: Hub) -> list[str]:
    with hub.store.read() as db:
        return [row["service"] for row in db.execute("SELECT service FROM hub_case ORDER BY rowid")]


@pytest.mark.parametrize(("service", "answers"), [("death_report", REPORT), ("benefit_pause", PAUSE)])
def test_the_hub_stops_the_payment_before_it_has_the_queue(
    station: Station, hub: Office, clerk: Clerk, enrol: Any, person: Any, service: str, answers: dict[str, str]
) -> None:
    first = enrol()
    gang = person("郑俊刚")
    done = take(station, clerk, service, gang, answers, "death_proof", "reporter_id")
    assert done.receipt_no, done.findings
    with station.store.read() as db:
        assert case_state.one(db, done.case_id)["legal"] == "provisional"

    assert not Exchange(station, lambda: BreaksBeforeQueue(hub.server)).run().ok
    assert services_at(hub) == [service]
    with hub.store.read() as db:
        assert stops.reported(db) == {gang}

    assert Exchange(station, lambda: InProcess(hub.server)).run().ok
    assert services_at(hub) == [service, "resident_pension_enrolment"]
    with station.store.read() as db:
        assert [case_state.one(db, c)["sent"] for c in (first.case_id, done.case_id)] == ["acknowledged"] * 2
