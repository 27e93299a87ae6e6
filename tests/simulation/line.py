# SPDX-License-Identifier: Apache-2.0
"""The line between a station and the hub: it loses, doubles, delays, cuts and spoils, and machines die at its ends.

A fault is counted when it had its effect, not when it was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sync.wire.transport import Request, Response
from tests.simulation.limits import empty_disk, fill_disk, locked
from tests.simulation.observer import deliver, observe_page, remember_page, short, unreachable
from tests.simulation.power import FATE, Crashed
from tests.simulation.world import Station, World

FAULTS = (
    "drop request", "drop reply", "duplicate", "delay", "cut request", "flip request", "cut reply", "flip reply",
    "station crashes before", "station crashes after", "hub crashes before", "hub crashes after",
    "hub dies", "hub dies", "station dies", "station dies", "hub busy", "station busy", "hub full", "station full",
    "clock",
)  # fmt: skip
YEARS_10_S = 10 * 366 * 86400


@dataclass
class Line:
    """One session's transport. `badness` 0..1: how often a request meets a fault."""

    world: World
    station: Station
    badness: float
    meanwhile: Callable[[Line], None]
    may_fail: bool = False
    locks: ExitStack = field(default_factory=ExitStack)
    weight: int = 0
    disturbed: bool = False

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Carry it, or not."""
        world = self.world
        FATE.paused = True
        observe_page(world, self.station)
        self.weigh()
        self.meanwhile(self)
        fault = world.rng.choice(FAULTS) if world.rng.random() < self.badness else ""
        world.note(f"{method} {short(path, query)}{f' [{fault}]' if fault else ''}")
        lower = {name.lower(): value for name, value in headers.items()}
        request = Request(method, path, query, lower, body)
        before = world.fired.total()
        response = self._carry(fault, request)
        if world.fired.total() == before and response.status < 500 and path.startswith(("/s1/chunk/", "/s1/feed/")):
            self.weight = len(body) + len(response.body)
        remember_page(world, self.station, request, response)
        FATE.paused = FATE.machine != self.station.machine
        return response

    def weigh(self) -> None:
        """What the last request cost counts once it is known that the station lived to use it, and used it alone."""
        if not self.disturbed:
            self.world.traffic["carried"] += self.weight
        self.weight = 0

    def _carry(self, fault: str, request: Request) -> Response:
        end, _, what = fault.partition(" ")
        if fault in ("cut request", "flip request") and request.body:
            return deliver(self.world, replace(request, body=self._spoiled(fault, request.body)))
        if fault in ("cut reply", "flip reply"):
            response = deliver(self.world, request)
            return replace(response, body=self._spoiled(fault, response.body))
        if what in ("busy", "full"):
            return self._hub_cannot(what, request) if end == "hub" else self._station_cannot(what, request)
        if what == "dies":
            self._doom(end)
        elif fault == "clock":
            self._jump()
        elif fault in ("drop request", "delay") or what == "crashes before":
            if fault == "delay":
                self.world.late.append(request)
            self._breaks(fault)
        elif fault == "duplicate":
            deliver(self.world, request)
            self.world.fired[fault] += 1
        response = deliver(self.world, request, may_fail=self.may_fail)
        if fault == "drop reply" or what == "crashes after":
            self._breaks(fault)
        return response

    def _doom(self, end: str) -> None:
        """One of the next statements of this machine's program is its last."""
        rng = self.world.rng
        machine = "hub" if end == "hub" else self.station.machine
        FATE.doom(machine, rng.randint(1, 25 if end == "hub" else 80), after=rng.random() < 0.5)

    def _breaks(self, fault: str) -> None:
        self.world.fired[fault] += 1
        if fault.startswith("station"):
            raise Crashed("station")
        if fault.startswith("hub"):
            self.world.crash_hub()
        raise unreachable()

    def _spoiled(self, fault: str, body: bytes) -> bytes:
        self.world.fired[fault] += 1
        at = self.world.rng.randrange(len(body))
        if fault.startswith("cut"):
            return body[:at]
        return body[:at] + bytes((body[at] ^ (1 << self.world.rng.randrange(8)),)) + body[at + 1 :]

    def _hub_cannot(self, what: str, request: Request) -> Response:
        """For this request the hub's file is locked by another writer, or its disk is full."""
        world = self.world
        if what == "busy":
            with locked(world.hub):
                response = deliver(world, request)
        else:
            hub = world.hub
            fill_disk(world, hub)
            try:
                response = deliver(world, request, may_fail=True)
            finally:
                empty_disk(world, hub)
        world.fired[f"hub {what}"] += response.status == {"busy": 503, "full": 500}[what]
        return response

    def _station_cannot(self, what: str, request: Request) -> Response:
        """Until the end of this session the same at the station; `sessions` counts it when the file refuses."""
        if what == "full":
            fill_disk(self.world, self.station.store)
        else:
            self.locks.enter_context(locked(self.station.store))
        return deliver(self.world, request)

    def _jump(self) -> None:
        """A clock is set by years, at the station or, in the middle of a session, at the hub."""
        world = self.world
        jump = world.rng.uniform(-YEARS_10_S, YEARS_10_S)
        if world.rng.random() < 0.5:
            world.set_station_clock(self.station, jump)
        else:
            world.set_clocks(world.now, timedelta(seconds=jump))
        world.fired["clock"] += 1
