# SPDX-License-Identifier: Apache-2.0
"""Many seeds, in several processes, added up."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulation import faults
from tests.simulation.run import Outcome, run, run_planted

# From so many seeds on every fault must have had its effect at least once.
FULL_RUN = 200
BATCH = 5
# A process that ran so many batches is replaced: what the library leaks stays small.
BATCHES_EACH = 100


@dataclass
class Totals:
    """What happened how often."""

    seeds: int = 0
    steps: int = 0
    sessions: int = 0
    edits: int = 0
    conflicts: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)
    cpu_s: float = 0.0

    def add(self, outcome: Outcome, steps: int) -> None:
        """One more seed."""
        self.seeds += 1
        self.steps += steps
        self.sessions += outcome.sessions
        self.edits += outcome.edits
        self.conflicts += outcome.conflicts
        self.fired += outcome.fired
        if outcome.failure:
            self.broken[outcome.seed] = outcome.checker

    def complaints(self) -> list[str]:
        """Why this run shows less than it should; [] when it is good."""
        found = [f"seed {seed} broke {checker}" for seed, checker in sorted(self.broken.items())]
        found += [f"no fault is called {name}" for name in faults.unnamed(self.fired)]
        if self.seeds >= FULL_RUN:
            found += [f"{name} never happened" for name in faults.silent(self.fired)]
        return found

    def figures(self) -> dict[str, Any]:
        """For the last line."""
        return {
            "seeds": self.seeds, "steps": self.steps, "sessions": self.sessions, "edits": self.edits,
            "conflicts": self.conflicts, "broken": {str(k): v for k, v in sorted(self.broken.items())},
            "cpu_s": round(self.cpu_s, 1), "faults": {name: times for name, _, times, _ in faults.table(self.fired)},
        }  # fmt: skip


def outcomes(seeds: Iterable[int], steps: int, plant: str, jobs: int, until: float) -> Iterator[tuple[Outcome, float]]:
    """Each seed's outcome with the CPU seconds it took, as they come; no new ones begin after `until` (monotonic)."""
    waiting = iter(_batches(seeds))
    if jobs == 1:
        for batch in waiting:
            yield from _some(batch, steps, plant)
            if time.monotonic() > until:
                return
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, max_tasks_per_child=BATCHES_EACH) as pool:
        running: set[Future[list[tuple[Outcome, float]]]] = set()
        while True:
            while len(running) < jobs + 1 and time.monotonic() < until and (batch := next(waiting, None)) is not None:
                running.add(pool.submit(_some, batch, steps, plant))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield from future.result()


def _batches(seeds: Iterable[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    for seed in seeds:
        batch.append(seed)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _some(seeds: list[int], steps: int, plant: str) -> list[tuple[Outcome, float]]:
    found = []
    for seed in seeds:
        began = time.process_time()
        outcome = run_planted(seed, plant, steps) if plant else run(seed, steps)
        kept = outcome if outcome.failure else replace(outcome, trace=[])
        found.append((kept, time.process_time() - began))
    return found


def jobs_by_default() -> int:
    """As many as there are cores."""
    return max(1, len(os.sched_getaffinity(0)))
