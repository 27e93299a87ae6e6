# SPDX-License-Identifier: Apache-2.0
"""What can happen in a county between two moments. The seed draws; each step writes a line of the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync.hub import publish
from tests.simulation import sessions
from tests.simulation.attacker import attack_as_a_station
from tests.simulation.business import decide_late, erase, fact, hub_fact, move, place, publish_rows
from tests.simulation.edits import edit, edit_at, edit_hub, forbidden, no_op, save_much
from tests.simulation.hostile import attack
from tests.simulation.limits import empty_disk, fill_disk
from tests.simulation.line import YEARS_10_S
from tests.simulation.model import HUB
from tests.simulation.neighbours import carry_on, hand_over
from tests.simulation.papers import certificate, days_away, upgrade
from tests.simulation.scans import scan
from tests.simulation.sticks import stick, stick_arrives
from tests.simulation.world import Station, World


def session(world: World) -> None:
    """A station calls the hub over a line that is good or bad today."""
    station = world.rng.choice(world.stations)
    sessions.run(world, station, world.rng.choice((0.0, 0.05, 0.15, 0.4)), meanwhile)


def full(world: World) -> None:
    """Much has to travel, and there is no room for it on the disk of the side that has to store it."""
    station = world.rng.choice(world.stations)
    if world.rng.random() < 0.5:
        _full_station(world, station)
    else:
        _full_hub(world, station)


def _full_station(world: World, station: Station) -> None:
    rng = world.rng
    world.note(f"hub writes much, {station.name} has no room")
    with publish.transaction(world.hub, clock=world.clock) as pub:
        for person in rng.sample([p for p in world.people if p not in world.cells.erased], 12):
            world.edits += 1
            changes: dict[str, str | None] = {"note": f"{rng.randrange(10)}长{world.edits}" + "注" * 150}
            pub.cells("contact", person, changes)
            world.cells.write(HUB, person, changes)
        for n in range(rng.choice((0, 30))):
            row = {"code": f"3306831{n:02d}000", "name": f"第{world.edits}版" + "村" * 50, "level": "village"}
            pub.put("division", row)
            world.register.rows["division"][row["code"]] = (row["name"],)
    fill_disk(world, station.store)
    sessions.run(world, station, 0.0, quiet)


def _full_hub(world: World, station: Station) -> None:
    world.note(f"{station.name} writes much, the hub has no room")
    save_much(world, station)
    hub = world.hub
    fill_disk(world, hub)
    try:
        report = sessions.run(world, station, 0.0, quiet, may_fail=True)
    finally:
        empty_disk(world, hub)
    world.fired["hub full"] += report is not None and report.error_code == "internal"


def late(world: World) -> None:
    """A request that got stuck somewhere arrives after all; its sender is long gone."""
    if world.late:
        sessions.deliver_late(world, world.late.pop(world.rng.randrange(len(world.late))))


def clock(world: World) -> None:
    """A station's clock is set wrong, or right again."""
    station = world.rng.choice(world.stations)
    world.set_station_clock(station, world.rng.choice((0.0, world.rng.uniform(-YEARS_10_S, YEARS_10_S))))
    world.note(f"{station.name} clock is off by {station.skew}")
    world.fired["clock"] += 1


def crash(world: World) -> None:
    """A power cut with nothing going on."""
    if world.rng.random() < 0.3:
        world.note("hub restarts")
        world.crash_hub()
        world.fired["hub restarts"] += 1
    else:
        station = world.rng.choice(world.stations)
        world.note(f"{station.name} restarts")
        world.crash_station(station)
        world.fired["station restarts"] += 1


def meanwhile(line: Any) -> None:
    """Between two requests of a session people go on working, and other sessions run."""
    world, rng, station = line.world, line.world.rng, line.station
    if rng.random() > 0.2 or len(world.calling) > 1:
        return
    what = rng.choice(("edit", "edit", "edit", "hub", "rows", "other", "same"))
    world.fired["work during a session"] += 1
    if what == "edit":
        edit_at(world, station)
    elif what == "hub":
        edit_hub(world)
    elif what == "rows":
        publish_rows(world)
    elif what == "other":
        others = [s for s in world.stations if s is not station]
        sessions.run(world, rng.choice(others), line.badness, quiet)
    else:
        world.fired["two sessions of one station"] += 1
        line.disturbed = True
        sessions.run(world, station, 0.0, quiet)


def quiet(line: Any) -> None:
    """Nothing else goes on."""


# weight, step
STEPS: tuple[tuple[int, Callable[[World], None]], ...] = (
    (30, edit), (8, edit_hub), (5, no_op), (8, fact), (3, hub_fact), (5, publish_rows), (2, place), (4, move),
    (24, session), (4, late), (2, full), (2, clock), (2, crash), (3, attack), (3, attack_as_a_station), (2, forbidden),
    (2, certificate), (1, upgrade), (1, days_away), (1, erase), (3, decide_late), (4, stick), (6, stick_arrives),
    (3, hand_over), (3, carry_on), (3, scan),
)  # fmt: skip


def step(world: World) -> None:
    """One step, drawn by the seed."""
    world.advance(world.rng.uniform(1, 3600))
    weights = [weight for weight, _ in STEPS]
    world.rng.choices([what for _, what in STEPS], weights)[0](world)
