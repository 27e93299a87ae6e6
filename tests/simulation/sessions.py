# SPDX-License-Identifier: Apache-2.0
"""One session of one station, whatever happens to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schema import database
from schema.errors import Unreachable
from sync.station.report import Report
from sync.wire.transport import Request
from tests.simulation.limits import empty_disk
from tests.simulation.line import Line
from tests.simulation.model import Broken
from tests.simulation.observer import deliver, observe_page, short
from tests.simulation.power import FATE, Crashed
from tests.simulation.world import Station, World, program

BUSY, FULL = 5, 13
EXPECTED = (BUSY, FULL)


def run(
    world: World, station: Station, badness: float, meanwhile: Callable[[Any], None], *, may_fail: bool = False
) -> Report | None:
    """The session's report, None when it did not live to write one. `may_fail`: the hub has a reason to answer 500."""
    world.note(f"{station.name} calls the hub{f', line {badness:.0%} bad' if badness else ''}")
    line = Line(world, station, badness, meanwhile, may_fail)
    outer = station in world.calling
    world.calling.append(station)
    store = station.store
    try:
        with program(station.release):
            report = world.session(station, lambda: line).run()
        line.weigh()
        if report.ok:
            world.loaded.add(station.name)
        world.note(f"-> {report.error_code or 'ok'}, equal {report.equal}")
        return report
    except Crashed:
        if how := FATE.autopsy("station"):
            world.fired[how] += 1
        if station.store is store:
            world.crash_station(station)
        world.note(f"-> {station.name} crashed")
        if outer:
            raise  # the same machine was in another session
    except database.OperationalError as error:
        code = error.sqlite_errorcode & 0xFF
        if code not in EXPECTED or (code == FULL and store.path not in world.full):
            raise
        world.fired["station full" if code == FULL else "station busy"] += 1
        world.note(f"-> {station.name}: {error}")
    finally:
        line.locks.close()
        FATE.spare()
        if not outer:
            world.set_clocks(world.now)
        empty_disk(world, station.store)
        world.calling.pop()
        observe_page(world, station)
        _note_first_load(world, station)
    return None


def _note_first_load(world: World, station: Station) -> None:
    """A first load that ended early, with part of it kept."""
    if station.name not in world.loaded:
        with station.store.read() as db:
            world.fired["first load cut"] += bool(db.execute("SELECT 1 FROM cursor LIMIT 1").fetchone())


def deliver_late(world: World, request: Request) -> None:
    """The hub gets a request whose sender has given up."""
    world.note(f"late: {request.method} {short(request.path, request.query)}")
    world.fired["late request arrives"] += 1
    try:
        deliver(world, request)
    except Unreachable as error:
        raise Broken("anytime_the_hub_never_fails", "a late request") from error
