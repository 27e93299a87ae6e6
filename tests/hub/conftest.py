# SPDX-License-Identifier: Apache-2.0
"""A small county at a hub: places, two stations, officers with keys; desks that take cases; browsers.

It is made once per run and copied for each test: making nine officers' keys costs more than most tests.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.app import create_app
from hub.context import Hub
from schema.clock import FixedClock
from schema.database import Store
from schema.home import HubConfig, HubHome, HubSecrets
from tests.hub.county import (
    CHEAP,
    CLAIM,
    OTHER_CLERK,
    OTHER_STATION,
    OTHER_TOWNSHIP,
    Browser,
    County,
    Desk,
    Made,
    make_county,
)

URL = "https://127.0.0.1:8443"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The county's file, its secrets and its officers' keys."""
    secrets = HubSecrets(*(os.urandom(32) for _ in range(6)))
    return make_county(tmp_path_factory.mktemp("county") / "hub.db", secrets)


@pytest.fixture
def hub(made: Made, tmp_path: Path, clock: FixedClock) -> Iterator[Hub]:
    """An opened hub; decisions are signed at once."""
    home = HubHome(tmp_path / "hub")
    home.path.mkdir()
    shutil.copyfile(made.path, home.database)
    config = HubConfig("嵊州市劳动保障中心", "Shengzhou Labour Office", "330683", "127.0.0.1", 8443, URL, undo_s=0)
    opened = Hub(home, config, made.secrets, Store(home.database, made.secrets.db_key, side="hub"), clock)
    yield opened
    opened.close()


@pytest.fixture
def patient_hub(hub: Hub) -> Hub:
    """The same hub; decisions can be taken back for 20 seconds."""
    return replace(hub, config=replace(hub.config, undo_s=20))


@pytest.fixture
def county(hub: Hub, made: Made) -> County:
    """Two townships with a station each, all officers, nobody in the register yet."""
    return County(hub, dict(made.keys))


@pytest.fixture
def desk(county: County) -> Desk:
    return Desk(county)


@pytest.fixture
def other_desk(county: County) -> Desk:
    return Desk(county, OTHER_STATION, OTHER_CLERK, OTHER_TOWNSHIP)


@pytest.fixture
def browse() -> Callable[..., Browser]:
    """`browse(hub, "2001")`: that officer's browser; without a number, nobody's."""
    apps: list[tuple[Hub, Any]] = []

    def make(hub: Hub, operator_no: str = "") -> Browser:
        app = next((app for known, app in apps if known is hub), None)
        if app is None:
            app = create_app(hub, cost=CHEAP)
            app.testing = True
            apps.append((hub, app))
        browser = Browser(app.test_client())
        return browser.log_in(operator_no) if operator_no else browser

    return make


@pytest.fixture
def claim(county: County, desk: Desk) -> bytes:
    """A claim of 周建根, just received."""
    county.add_pensioner_to_be()
    return desk.submit(CLAIM, "周建根")
