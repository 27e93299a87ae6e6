# SPDX-License-Identifier: Apache-2.0
"""Certificates that run out, are replaced and revoked; programs of two releases; a station that is away for months."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from schema import database
from schema.clock import stamp
from sync.station.report import Report
from tests.simulation import sessions
from tests.simulation.looking import one
from tests.simulation.model import Broken
from tests.simulation.world import Station, World

LONG_AGO = "1990-01-02"
RELEASES = (1, 2)
AWAY = timedelta(days=200)


def quiet(line: Any) -> None:
    """Nothing else goes on."""


def certificate(world: World) -> None:
    """Something is wrong with a station's certificate: it gets a new one by itself where it may, else it is told why,
    nothing of it is taken, and the work of that time is sent when a person has mended it."""
    station = world.rng.choice(world.stations)
    counter, code, spoil, mend = world.rng.choice(TROUBLES)
    world.note(f"{station.name}: {counter}")
    spoil(world, station)
    known = _ledger(world, station)
    report = sessions.run(world, station, 0.0, quiet)
    told = f"{station.name} {counter}: {report}"
    if report is None or _code(report) != code or (code and _ledger(world, station) != known):
        raise Broken("anytime_nothing_unsigned_is_taken", told)
    mend(world, station)
    world.fired[counter] += 1


def _code(report: Report) -> str:
    """What stopped the session, but for a frame that is held back because the line had spoiled it."""
    return "" if report.error_code == "held" else report.error_code


def _ledger(world: World, station: Station) -> int:
    return int(one(world.hub, "SELECT count(*) FROM frame_ledger WHERE node = ?", station.name))


def _run_out(world: World, station: Station) -> None:
    """The newest certificate that the station has is out of date."""
    _next_serial(world, station)
    station.serial, station.not_after = _serial(world, station), LONG_AGO


def _next_serial(world: World, station: Station) -> None:
    """There is a newer certificate, and the station does not have it yet."""
    _record(world, station, serial=_serial(world, station) + 1)


def _serial(world: World, station: Station) -> int:
    return int(one(world.hub, "SELECT serial FROM node_record WHERE id = ?", station.name))


def _revoke(world: World, station: Station) -> None:
    _record(world, station, revoked_at=stamp(world.clock.now()))


def _take_back(world: World, station: Station) -> None:
    _record(world, station, revoked_at=None)


def _move_away(world: World, station: Station) -> None:
    """The hub's record names other slices than the certificate."""
    _record(world, station, slices=" ".join(station.slices[:-1]))


def _move_back(world: World, station: Station) -> None:
    _record(world, station, slices=" ".join(station.slices))


def _nothing(world: World, station: Station) -> None:
    """It is good again already."""


def _record(world: World, station: Station, **changes: Any) -> None:
    with world.hub.write() as db:
        database.update(db, "node_record", {"id": station.name}, changes)


Act = Callable[[World, Station], None]
# counter, what the station is told, how it comes about, how it ends
# counter, what the station is told ('' when it is led on), how it comes about, how it ends
TROUBLES: tuple[tuple[str, str, Act, Act], ...] = (
    ("certificate ran out", "", _run_out, _nothing),
    ("certificate replaced", "", _next_serial, _nothing),
    ("certificate revoked", "revoked", _revoke, _take_back),
    ("certificate of other slices", "certificate_mismatch", _move_away, _move_back),
)


def upgrade(world: World) -> None:
    """A new release comes: to the hub, or to a station before its hub has it."""
    station = world.rng.choice(world.stations)
    older, newer = RELEASES
    if world.rng.random() < 0.5 or world.release == newer:
        world.note("the hub gets the next release")
        world.release = newer
        report = sessions.run(world, station, 0.0, quiet)
        if report is not None and station.release == older:
            if _code(report):
                raise Broken("eventually_sessions_succeed", f"{station.name} of the release before: {report}")
            world.fired["frame of the release before"] += report.pushed_frames > 0
        return
    world.note(f"{station.name} gets the next release before the hub")
    station.release = newer
    report = sessions.run(world, station, 0.0, quiet)
    if report is None or report.error_code != "hub_too_old":
        raise Broken("anytime_nothing_unsigned_is_taken", f"{station.name} is newer than the hub: {report}")
    station.release = older
    world.fired["station newer than its hub"] += 1


def days_away(world: World) -> None:
    """A station does not call for 200 days; the others do, and people work on both sides."""
    station = world.rng.choice(world.stations)
    world.note(f"{station.name} is away for {AWAY.days} days")
    for _ in range(3):
        world.advance(AWAY.total_seconds() / 3)
        for other in world.stations:
            if other is not station:
                sessions.run(world, other, 0.0, quiet)
    report = sessions.run(world, station, 0.0, quiet)
    if report is None or _code(report):
        raise Broken("eventually_sessions_succeed", f"{station.name} after {AWAY.days} days: {report}")
    world.fired["200 days away"] += 1


def settle(world: World) -> None:
    """Everybody has the newest release and a good certificate."""
    world.release = RELEASES[-1]
    for station in world.stations:
        station.release = RELEASES[-1]
