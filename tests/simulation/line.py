# SPDX-License-Identifier: Apache-2.0
"""The line between a station and the hub: it loses, doubles, delays, cuts and spoils, and machines die at its ends.

A fault is counted when it had its effect, not when it was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from sync.transport import Request, Response
from tests.simulation.limits import empty_disk, fill_disk, locked
from tests.simulation.observer import deliver, observe_page, remember_page, short, unreachable
from tests.simulation.world import Crashed, Station, World

FAULTS = (
    "drop request", "drop reply", "duplicate", "delay", "cut request", "flip request", "cut reply", "flip reply",
    "station crashes before", "station crashes after", "hub crashes before", "hub crashes after", "hub dies",
    "station dies", "hub busy", "station busy", "hub full", "station full", "clock",
)  # fmt: skip
# What a full run must have seen at least once: the faults above as they take effect, and those of `steps`, `hostile`.
EXPECTED_FAULTS = (
    *(fault for fault in FAULTS if not fault.endswith(" dies")), "dies inside a transaction", "late request arrives",
    "no-op", "new person", "poison fact", "hub restarts", "station restarts", "work during a session",
    "two sessions of one station", "replay", "flipped frame", "wrong number", "clone",
)  # fmt: skip
YEARS_10_S = 10 * 366 * 86400


@dataclass
class Line:
    """One session's transport. `badness` 0..1: how often a request meets a fault."""

    world: World
    station: Station
    badness: float
    meanwhile: Callable[[Line], None]
    locks: ExitStack = field(default_factory=ExitStack)

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Carry it, or not."""
        world = self.world
        observe_page(world, self.station)
        self.meanwhile(self)
        fault = world.rng.choice(FAULTS) if world.rng.random() < self.badness else ""
        world.note(f"{method} {short(path, query)}{f' [{fault}]' if fault else ''}")
        lower = {name.lower(): value for name, value in headers.items()}
        request = Request(method, path, query, lower, body)
        response = self._carry(fault, request)
        remember_page(world, self.station, request, response)
        return response

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
            self.world.dies = end
        elif fault == "clock":
            self._jump()
        elif fault in ("drop request", "delay") or what == "crashes before":
            if fault == "delay":
                self.world.late.append(request)
            self._breaks(fault)
        elif fault == "duplicate":
            deliver(self.world, request)
            self.world.fired[fault] += 1
        response = deliver(self.world, request)
        if fault == "drop reply" or what == "crashes after":
            self._breaks(fault)
        return response

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
            fill_disk(world, world.hub)
            try:
                response = deliver(world, request, may_fail=True)
            finally:
                empty_disk(world, world.hub)
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
            world.advance(jump)
        world.fired["clock"] += 1
