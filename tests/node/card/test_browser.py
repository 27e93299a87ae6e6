# SPDX-License-Identifier: Apache-2.0
"""From the plastic to the page: a card on the virtual reader, the real reader service, a real browser; no click."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from node.card.desk import Cards
from node.card.pcsc_driver import PcscDriver
from node.card.simulator import Habits, Holder, SimulatedCard, records
from tests.browser.eyes import Eyes
from tests.browser.hands import enter
from tests.browsing import chromium, served
from tests.node.card.vpcd import OnReader, Service
from tests.node.conftest import PASSWORD, number_of

pytestmark = pytest.mark.xdist_group("pcscd")
expect.set_options(timeout=30_000)
CHEN = Holder(number_of("33068319811103042"), "陈桂英", "B87654321")


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory, app: Flask) -> Iterator[Service]:
    """The reader service, with the app's own board being told."""
    made = Service(tmp_path_factory.mktemp("pcscd"))
    made.start()
    cards: Cards = app.extensions["cards"]
    driver = PcscDriver(cards.board, environment=made.environment)
    driver.start()
    yield made
    driver.stop()
    made.stop()


@pytest.fixture
def window(app: Flask, service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """An officer's counter, doing nothing."""
    monkeypatch.setattr("node.pages.card.WAIT_S", 0.5)
    with served(app) as address, chromium() as browser:
        page = browser.new_context(base_url=address, locale="zh-CN").new_page()
        enter(page, "3012", PASSWORD)
        page.wait_for_url("**/")
        expect(page.locator("[data-card-sign]")).to_have_text("放卡即读")
        yield page


def test_a_card_on_the_virtual_reader_opens_its_person_and_a_bad_one_says_why(window: Page, service: Service) -> None:
    eyes = Eyes(keep=False)
    eyes.watch(window)
    wrong = SimulatedCard(records(CHEN), Habits(select=()))
    wrong.answer = lambda command: b"\x6a\x82"  # type: ignore[method-assign]
    with OnReader(service.ports[0], wrong):
        expect(window.locator("#notice [data-card]")).to_contain_text("这不是社保卡")
        eyes.look(window, "a wrong card")
    expect(window.locator("#notice [data-card]")).to_have_count(0)
    with OnReader(service.ports[0], SimulatedCard(records(CHEN), Habits(chunk=8))):
        window.wait_for_url("**/persons/*")
    expect(window.locator("h1")).to_contain_text("陈桂英")
    eyes.look(window, "a person whose card was read")
    assert eyes.complaints == []
