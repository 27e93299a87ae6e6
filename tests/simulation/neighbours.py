# SPDX-License-Identifier: Apache-2.0
"""A station without a line hands its sealed bundle to a neighbour; the neighbour carries it on whenever it can."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from unittest.mock import patch

from sync.courier import relay
from sync.courier.relay import Mailbox, RelayServer
from sync.courier.relay_session import RelaySession
from sync.wire.transport import Request, Response
from tests.simulation import sticks
from tests.simulation.model import Broken
from tests.simulation.observer import deliver, unreachable
from tests.simulation.world import AUTHORITY, Station, World, program

BADNESS = 0.15


def _mailbox(world: World, neighbour: Station) -> Mailbox:
    authority = AUTHORITY.public_key().public_bytes_raw()
    return Mailbox(world.folder / f"relay-{neighbour.name}", authority, world.clock)


@dataclass
class _ToNeighbour:
    """The way to a neighbour, which loses a request or an answer now and then."""

    world: World
    neighbour: Station

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        if self.world.rng.random() < BADNESS:
            raise unreachable()
        lower = {name.lower(): value for name, value in headers.items()}
        server = RelayServer(_mailbox(self.world, self.neighbour), lambda: None)
        answer = server.handle(Request(method, path, query, lower, body))
        self._date()
        if self.world.rng.random() < BADNESS:
            raise unreachable()
        return answer

    def _date(self) -> None:
        """Files are as old as the county's time says, not the machine's: age decides order and end."""
        at = self.world.clock.now().timestamp()
        for path in (self.world.folder / f"relay-{self.neighbour.name}").glob("*.to-hub"):
            if path.stat().st_mtime > at or path.name not in self.world.dated:
                os.utime(path, (at, at))
                self.world.dated.add(path.name)


@dataclass
class _ToHub:
    """The neighbour's way to the hub."""

    world: World

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        world = self.world
        if world.rng.random() < BADNESS:
            raise unreachable()
        with patch.object(world.server, "courier", sticks.courier(world)):
            answer = deliver(world, Request(method, path, query, dict(headers), body))
        if world.rng.random() < BADNESS:
            raise unreachable()
        return answer


def hand_over(world: World) -> None:
    """A station speaks to the hub through a neighbour: it leaves a bundle and takes whatever answer lies there."""
    station, neighbour = world.rng.sample(world.stations, 2)
    world.note(f"{station.name} hands a bundle to {neighbour.name}")
    with program(station.release), sticks.observed_pages(world, station):
        report = RelaySession(sticks.end(world, station), _ToNeighbour(world, neighbour)).run()
    world.note(f"-> {report.error_code or 'ok'}, {report.pulled_frames} pages, equal {report.equal}")
    world.fired["bundle to a neighbour"] += report.ok
    world.fired["answer by a neighbour"] += report.ok and bool(report.pulled_frames or report.pushed_frames)
    if report.equal is False:
        raise Broken("eventually_everybody_holds_the_same", f"{station.name}: through {neighbour.name} digests differ")


def carry_on(world: World) -> None:
    """A neighbour takes what waits to the hub."""
    neighbour = world.rng.choice(world.stations)
    answered = relay.forward(_mailbox(world, neighbour), _ToHub(world))
    world.note(f"{neighbour.name} carries bundles to the hub: {answered} answered")
    world.fired["bundle carried on"] += answered
