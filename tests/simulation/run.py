# SPDX-License-Identifier: Apache-2.0
"""One seed, one run: steps with faults, then quiet, then every promise is checked."""

from __future__ import annotations

import gc
import logging
import os
import random
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from sync.snapshot import making
from sync.station import session
from tests.simulation import anytime, disasters, edits, eventually, first_loads, papers, sessions, steps, twins
from tests.simulation.beginning import open_world
from tests.simulation.limits import impatience, limited_disks
from tests.simulation.model import Broken
from tests.simulation.planted import ATTACKED, MOVED, PLANTED
from tests.simulation.power import mortal_connections
from tests.simulation.world import World, seeded_ids

ROUNDS = 3
# A page of the smallest size ends in the middle of what the hub did at once.
PAGES = (session.PAGE_BYTES, session.PAGE_BYTES, 2048)
OFTEN, RARELY = 10, 100
# So few feed entries are worth a snapshot; as the program has it, first loads of this small county come by the feed.
ENTRIES = (first_loads.FEW_ENTRIES, first_loads.FEW_ENTRIES, making.LEAST_ENTRIES)
# One in so many seeds reaches its end on two ways.
TWINS = 4
# One in so many goes on to a disaster.
DISASTERS = 2
# Longer than a station holds back a frame that the hub refused as a whole.
PATIENCE = timedelta(hours=25)


@dataclass
class Outcome:
    """What became of a seed. `failure` is '' or what was broken; `checker` names the promise."""

    seed: int
    failure: str = ""
    checker: str = ""
    trace: list[str] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    edits: int = 0
    conflicts: int = 0


def run(seed: int, count: int = 60) -> Outcome:
    """Run a seed to its end or to the first broken promise."""
    with impatience(), _silence(), mortal_connections():
        return _run(seed, count)


def run_planted(seed: int, fault: str, count: int = 60) -> Outcome:
    """The same with a fault of `planted.PLANTED` in sync/; the files it starts from are built without the fault."""
    open_world(random.Random(seed)).close()
    with PLANTED[fault]():
        return run_stressed(seed, fault, count)


def run_stressed(seed: int, fault: str, count: int) -> Outcome:
    """A run in which what the guard against this fault is for happens often: all works on two cells of one person,
    every second step is an attack, or people move all the time."""
    attacked = patch.object(steps, "STEPS", ((1, steps.session), (1, steps.edit), (2, steps.attack_as_a_station)))
    crowded = patch.multiple(edits, HOT=1, EDITED=("note", "address"))
    moved = patch.object(steps, "STEPS", ((4, steps.session), (3, steps.edit), (3, steps.move), (1, steps.place)))
    with attacked if fault in ATTACKED else moved if fault in MOVED else crowded:
        return run(seed, count)


def _run(seed: int, count: int) -> Outcome:
    outcome = Outcome(seed)
    rng = random.Random(seed)
    world = open_world(rng)
    outcome.trace, outcome.fired = world.trace, world.fired
    world.memory_bytes = anytime.memory_bytes()
    try:
        with (
            seeded_ids(f"ids {seed}"), limited_disks(world),
            patch.object(session, "PAGE_BYTES", rng.choice(PAGES)),
            patch.object(making, "LEAST_ENTRIES", rng.choice(ENTRIES)),
        ):
            for n in range(count):
                world.note(f"--- {n}")
                steps.step(world)
                _check(world, n)
            _quiet_end(world)
            if rng.random() < 1 / DISASTERS:
                disasters.strike(world)
    except Broken as broken:
        outcome.checker, outcome.failure = broken.checker, str(broken)
    except Exception:
        outcome.checker, outcome.failure = "anytime_nothing_unexpected", traceback.format_exc()
    finally:
        world.close()
    if not outcome.failure and (left := _files_left_open(world)):
        outcome.checker, outcome.failure = "eventually_files_are_closed", f"eventually_files_are_closed: {left}"
    outcome.sessions = sum(" calls the hub" in line for line in world.trace)
    outcome.edits, outcome.conflicts = len(world.cells.writes), sum(world.cells.required().values())
    return outcome


def _check(world: World, n: int) -> None:
    for every, checkers in ((1, anytime.STEP), (OFTEN, anytime.OFTEN), (RARELY, anytime.RARELY)):
        if n % every == every - 1:
            for checker in checkers:
                checker(world)


def _quiet_end(world: World) -> None:
    """The faults stop: late requests arrive, clocks are right, everybody calls a few times."""
    world.note("--- quiet")
    papers.settle(world)
    while world.late:
        sessions.deliver_late(world, world.late.pop(world.rng.randrange(len(world.late))))
    for station in world.stations:
        station.skew = timedelta(0)
    if world.rng.random() < 1 / TWINS:
        twins.eventually_push_and_pull_commute(world)
    for last in range(ROUNDS):
        for station in world.rng.sample(world.stations, len(world.stations)):
            world.advance(PATIENCE.total_seconds())
            report = sessions.run(world, station, 0.0, steps.quiet)
            if report is None or not report.ok:
                raise Broken("eventually_sessions_succeed", f"{station.name}: {report}")
            if last == ROUNDS - 1:
                eventually.proven_equal(world, station, report.equal)
    _check(world, RARELY - 1)
    for checker in (*eventually.EVENTUALLY, twins.eventually_order_does_not_matter):
        checker(world)


def _files_left_open(world: World) -> list[str]:
    """A connection that is closed by halves keeps its descriptors; a hub has 1,024 of them (P19)."""
    gc.collect()  # whoever died while opening a connection still holds it in the trace of its death
    held = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            held.append(os.readlink(link))
    return sorted({Path(name).name for name in held if name.startswith(str(world.folder))})


@contextmanager
def _silence() -> Iterator[None]:
    """The faults are ours: the server's log would tell of nothing else."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
