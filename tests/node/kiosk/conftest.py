# SPDX-License-Identifier: Apache-2.0
"""A station with a self-service page, and somebody before it with a card."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from node import windows
from node.app import TEXTS
from node.card import reading
from node.card.board import EMPTY, READ, READING
from node.card.desk import Cards
from node.card.simulator import Holder, SimulatedCard, records
from node.kiosk.app import create_kiosk
from node.station import Station
from tests.node.conftest import Counter, number_of

READER = "Kiosk reader"
ZHANG_WEI = Holder(number_of("33068319901124001"), "张伟", "K00000001")
ZHANG = Holder(number_of("33068319650812001"), "张建国", "K00000004")
CHEN = Holder(number_of("33068319811103042"), "陈桂英", "K00000002")
NO_PHONE = Holder(number_of("33068319670214502"), "吕秀珍", "K00000003")


@pytest.fixture
def cards(app: Flask, station: Station) -> Iterator[Cards]:
    """The station's readers: one of them is the self-service page's."""
    made: Cards = app.extensions["cards"]
    made.board.put(READER, EMPTY)
    with station.store.write() as db:
        windows.choose(db, windows.KIOSK, READER)
    yield made
    made.stop()


@pytest.fixture
def kiosk(station: Station, cards: Cards) -> Flask:
    made = create_kiosk(station, cards, TEXTS)
    made.testing = True
    return made


@pytest.fixture
def citizen(kiosk: Flask) -> Counter:
    """Somebody before the screen."""
    at = Counter(kiosk.test_client())
    at.get("/")
    return at


@pytest.fixture
def lay(cards: Cards) -> Callable[..., None]:
    """`lay(holder)`: puts the card on the self-service page's reader; `lay(None)` takes it off."""

    def put(holder: Holder | None, reader: str = READER) -> None:
        if holder is None:
            cards.board.put(reader, EMPTY)
            return
        cards.board.put(reader, READING)
        cards.board.put(reader, READ, card=reading.read(SimulatedCard(records(holder)).answer))

    return put
