# SPDX-License-Identifier: Apache-2.0
"""The neighbour's listener over real HTTP, the exchange that uses it, and the commands that set it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import case_state, relay, unsent
from node.cli import main
from node.exchange import Exchange
from node.relay import Listener
from node.station import Station
from schema.database import Store
from schema.errors import ConfigError
from schema.home import StationHome
from sync.courier.relay import forward
from sync.wire.transport import InProcess
from tests.node.test_exchange import Hub


@pytest.fixture
def hub(station: Station, make_store: Callable[..., Store], hub_key: Ed25519PrivateKey) -> Hub:
    return Hub(station, make_store("hub"), hub_key)


@pytest.fixture
def arrived() -> list[int]:
    return []


@pytest.fixture
def listener(station: Station, arrived: list[int]) -> Iterator[Listener]:
    """A neighbour on this machine."""
    made = Listener(
        replace(station, config=replace(station.config, relay_listen="127.0.0.1:0")), lambda: arrived.append(1)
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture
def through(station: Station, listener: Listener) -> Station:
    """The station, with that neighbour for a line."""
    url = f"http://127.0.0.1:{listener.port}"
    return replace(station, config=replace(station.config, relay_url=url))


def test_a_case_goes_through_the_neighbour_and_its_answer_comes_back(
    through: Station, hub: Hub, arrived: list[int], enrol: Any
) -> None:
    done = enrol()
    exchange = Exchange(through)
    assert exchange.run().ok
    with through.store.read() as db:
        assert unsent.count(db) > 0

    assert forward(relay.mailbox(through), InProcess(hub.server)) == 1
    report = exchange.run()

    assert report.ok and report.pushed_frames == 2
    assert arrived == [1, 1]
    with through.store.read() as db:
        assert unsent.count(db) == 0
        assert case_state.one(db, done.case_id)["state"] == "returned"


def test_a_station_that_carries_does_so_in_its_own_exchange(
    station: Station, through: Station, hub: Hub, enrol: Any
) -> None:
    enrol()
    Exchange(through).run()
    carrying = replace(station, config=replace(station.config, relay_listen="127.0.0.1:8480"))

    Exchange(carrying, lambda: InProcess(hub.server)).run()

    assert relay.mailbox(station).waiting() == []


def test_the_listener_speaks_one_route_and_takes_no_more_than_a_bundle(listener: Listener) -> None:
    url = f"http://127.0.0.1:{listener.port}"
    assert httpx.get(f"{url}/login").status_code == 404
    assert httpx.post(f"{url}/relay/bundle", content=b"x").status_code == 403
    assert httpx.post(f"{url}/relay/bundle", content=bytes(700_000)).status_code == 413


def test_an_address_that_cannot_be_had_is_told(station: Station) -> None:
    with pytest.raises(ConfigError):
        Listener(replace(station, config=replace(station.config, relay_listen="192.0.2.1:80")), lambda: None)


def run(home: StationHome, *words: str) -> Any:
    place = ["--dir", str(home.path), "--unlock-file", str(home.path / "unlock")]
    return CliRunner().invoke(main, ["relay", *words, *place])


def test_the_commands_set_and_take_back(home: StationHome) -> None:
    assert run(home, "through", "http://192.168.1.20:8480").exit_code == 0
    assert home.config().relay_url == "http://192.168.1.20:8480"
    assert run(home, "carry", "192.168.1.20:8480").exit_code == 0
    assert (home.config().relay_url, home.config().relay_listen) == ("", "192.168.1.20:8480")
    told = json.loads(run(home, "status", "--json").stdout)
    assert told == {"through": "", "carries_on": "192.168.1.20:8480", "waiting": []}
    assert "192.168.1.20" in run(home, "status").output
    assert run(home, "off").exit_code == 0
    assert (home.config().relay_url, home.config().relay_listen) == ("", "")


@pytest.mark.parametrize("words", [("through", "192.168.1.20"), ("through", "ftp://x:1"), ("carry", "nowhere")])
def test_an_address_out_of_form_is_refused_and_nothing_is_written(home: StationHome, words: tuple[str, str]) -> None:
    before = home.config_file.read_bytes()
    answer = run(home, *words)
    assert answer.exit_code == 1 and "Traceback" not in answer.output
    assert home.config_file.read_bytes() == before


@pytest.mark.parametrize("words", [(), ("carry",), ("through",), ("off",), ("status",)])
def test_help_teaches(words: tuple[str, ...]) -> None:
    assert "转交" in CliRunner().invoke(main, ["relay", *words, "--help"]).output
