# SPDX-License-Identifier: Apache-2.0
"""A browser, and counties it can be pointed at: one whose hub is down at first, one where everything runs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from hub import officers
from hub.officers import NewOfficer
from schema.clock import SystemClock
from schema.home import write_toml
from tests.browser.eyes import PC, Eyes
from tests.browsing import FAKE_CAMERA, chromium
from tests.story.world import World, free_port

expect.set_options(timeout=30_000)  # on a busy machine, not a measure of ours
PERSONS = 3000
OFFICE_PERSONS = 6000
UNDO_S = 8
TOWNSHIP = "330683100"
STATION = "0100-1"
STATIONS = (
    (STATION, "甘霖镇劳动保障所", TOWNSHIP, "Ganlin labour office"),
    ("0104-1", "三界镇劳动保障所", "330683104", "Sanjie labour office"),
)
# The first has a second post: not the post but the person may not work twice on a case.
OFFICERS = (
    ("2101", "裘国平", ("accept", "calculate"), ""), ("2102", "竺敏", ("calculate",), ""),
    ("2103", "邢月芳", ("review",), ""), ("2104", "商伟", ("approve",), ""),
    ("2201", "钱建军", ("settle",), ""), ("2202", "史慧", ("approve_month",), ""),
    ("2203", "俞国平", ("pay",), ""), ("2204", "尹小娟", ("close",), ""), ("3011", "过小英", ("clerk",), STATION),
)  # fmt: skip
AT_THE_OFFICE = (("2031", "商立", ("inspect",), ""), ("3011", "过小英", ("clerk",), STATION))
Appointed = tuple[tuple[str, str, tuple[str, ...], str], ...]


def appoint(county: World, who: Appointed = OFFICERS) -> None:
    """The officers, in one go: nine times starting a program would be a third of the whole test."""
    hub = county.open_hub()
    for number, name, roles, station in who:
        county.passwords[number] = secrets.token_urlsafe(12)
        officers.add(
            hub, NewOfficer(number, name, roles, station), county.passwords[number], SystemClock(), must_change=False
        )
    hub.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A county in real processes: the station runs and holds its slice, the hub is down."""
    made = World(tmp_path_factory.mktemp("browser") / "county")
    try:
        made.make_hub(PERSONS, seed=7)
        for station in STATIONS:
            made.new_station(*station)
        appoint(made)
        made.start_hub(UNDO_S)
        made.install_station(STATION)
        first = made.sync(STATION)
        assert first["ok"] and first["equal"], first
        made.stop("hub")
        made.start_station(STATION)
        yield made
    finally:
        made.stop_all()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A smaller county in real processes, all running: a hub, and a station with a reader that is software."""
    made = World(tmp_path_factory.mktemp("office") / "county")
    try:
        made.make_hub(OFFICE_PERSONS, seed=11)
        made.new_station(*STATIONS[0])
        appoint(made, AT_THE_OFFICE)
        made.start_hub()
        made.install_station(STATION)
        home = made.station(STATION)
        write_toml(home.config_file, replace(home.config(), card_driver="simulator", kiosk_port=free_port()))
        assert made.sync(STATION)["ok"]
        made.start_station(STATION)
        yield made
    finally:
        made.stop_all()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(*FAKE_CAMERA) as started:
        yield started


@pytest.fixture
def eyes() -> Eyes:
    """Pictures are written only when asked for, so that a test run leaves the project as it was."""
    return Eyes(keep=os.environ.get("KEEP_SCREENS") == "1")


@pytest.fixture
def sit_down(browser: Browser, eyes: Eyes) -> Iterator[Callable[[str], Page]]:
    """`sit_down(url)`: somebody at a PC of their own, before the first page."""
    opened = []

    def sit(url: str) -> Page:
        # The hub's certificate is signed by the county's own authority. Offices import it; chromium has no switch for
        # that, and whether TLS is verified is tested where our own programs speak to the hub.
        context = browser.new_context(
            base_url=url, viewport=PC, locale="zh-CN", timezone_id="Asia/Shanghai", ignore_https_errors=True
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        eyes.watch(page)
        return page

    yield sit
    for context in opened:
        context.close()
