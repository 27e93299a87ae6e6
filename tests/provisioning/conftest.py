# SPDX-License-Identifier: Apache-2.0
"""A hub's folder to work on, and a transport that asks the hub for certificates without a wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning import hub_folder, station
from provisioning.hub_folder import OpenHub
from provisioning.kit import Kit
from schema import keys
from schema.clock import FixedClock
from schema.errors import Refusal, Unreachable
from sync.wire import enrolment
from sync.wire.transport import Response

PASSPHRASE = "剡溪九曲胜景 one"
GANLIN = "330683100"


@pytest.fixture(autouse=True)
def cheap_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seals that cost little: the price is read from the blob, so opening is unchanged."""
    seal = keys.seal
    monkeypatch.setattr(keys, "seal", lambda secret, passphrase: seal(secret, passphrase, keys.Cost(64, 1, 1)))


@pytest.fixture
def hub(tmp_path: Path, clock: FixedClock) -> Iterator[OpenHub]:
    """A fresh hub, opened."""
    config = hub_folder.config_for("县中心", "County hub", "127.0.0.1", 8443, None)
    hub_folder.init_hub(tmp_path / "hub", config, PASSPHRASE.encode(), clock)
    with hub_folder.opened(tmp_path / "hub", PASSPHRASE.encode()) as opened:
        yield opened


@pytest.fixture
def make_kit(hub: OpenHub, clock: FixedClock, tmp_path: Path) -> Callable[..., Kit]:
    """`make_kit()` or `make_kit("0104-1", "330683104")`: a registered station and its kit."""

    def make(station_id: str = "0100-1", township: str = GANLIN, **words: object) -> Kit:
        wanted = station.NewStation(station_id, "甘霖镇劳动保障所", "Ganlin", township, 8401, **words)  # type: ignore[arg-type]
        number = len(list(tmp_path.glob("kit-*")))
        return Kit(station.new_station(hub, wanted, tmp_path / f"kit-{number}", clock).kit)

    return make


@dataclass
class Line:
    """Carries an enrolment request straight to the hub's side of it; `down` is a line that is cut."""

    hub: OpenHub
    clock: FixedClock
    down: bool = False
    asked: int = 0

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        if self.down:
            raise Unreachable("没有线路", "no line")
        assert (method, path) == ("POST", "/s1/enrol")
        self.asked += 1
        try:
            request = enrolment.read_request(body)
            answer = enrolment.enrol(self.hub.store, self.hub.secrets.authority, request, self.clock)
        except Refusal as error:
            return Response(403, {}, json.dumps({"code": error.code, "zh": error.zh, "en": error.en}).encode())
        return Response(200, {}, answer)


@pytest.fixture
def line(hub: OpenHub, clock: FixedClock) -> Line:
    return Line(hub, clock)
