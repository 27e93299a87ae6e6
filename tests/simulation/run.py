# SPDX-License-Identifier: Apache-2.0
"""One seed, one run: steps with faults, then quiet, then every promise is checked."""

from __future__ import annotations

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

from sync import session
from tests.simulation import checkers, sessions, steps
from tests.simulation.beginning import open_world
from tests.simulation.limits import impatience, limited_disks
from tests.simulation.model import Broken
from tests.simulation.planted import PLANTED
from tests.simulation.world import World, seeded_ids

ROUNDS = 3
# A page of the smallest size ends in the middle of what the hub did at once.
PAGES = (session.PAGE_BYTES, session.PAGE_BYTES, 2048)
OFTEN = 10
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
    with impatience(), _silence():
        return _run(seed, count)


def run_planted(seed: int, fault: str, count: int = 60) -> Outcome:
    """The same with a fault of `planted.PLANTED` in sync/; the files it starts from are built without the fault."""
    open_world(random.Random(seed)).close()
    with PLANTED[fault]():
        return run(seed, count)


def _run(seed: int, count: int) -> Outcome:
    outcome = Outcome(seed)
    rng = random.Random(seed)
    world = open_world(rng)
    outcome.trace, outcome.fired = world.trace, world.fired
    try:
        with seeded_ids(f"ids {seed}"), limited_disks(world), patch.object(session, "PAGE_BYTES", rng.choice(PAGES)):
            for n in range(count):
                world.note(f"--- {n}")
                steps.step(world)
                _check(world, all_of_them=n % OFTEN == OFTEN - 1)
            _quiet_end(world)
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


def _check(world: World, *, all_of_them: bool) -> None:
    for checker in (*checkers.ANYTIME, *(checkers.OFTEN if all_of_them else ())):
        checker(world)


def _quiet_end(world: World) -> None:
    """The faults stop: late requests arrive, clocks are right, everybody calls a few times."""
    world.note("--- quiet")
    while world.late:
        sessions.deliver_late(world, world.late.pop(world.rng.randrange(len(world.late))))
    for station in world.stations:
        station.skew = timedelta(0)
    for last in range(ROUNDS):
        for station in world.rng.sample(world.stations, len(world.stations)):
            world.advance(PATIENCE.total_seconds())
            report = sessions.run(world, station, 0.0, steps.quiet)
            if report is None or not report.ok:
                raise Broken("eventually_sessions_succeed", f"{station.name}: {report}")
            if last == ROUNDS - 1:
                checkers.eventually_digests_prove_it(world, station, report.equal)
    _check(world, all_of_them=True)
    for checker in checkers.EVENTUALLY:
        checker(world)


def _files_left_open(world: World) -> list[str]:
    """A connection that is closed by halves keeps its descriptors; a hub has 1,024 of them (P19)."""
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
