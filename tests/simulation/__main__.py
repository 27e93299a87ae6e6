# SPDX-License-Identifier: Apache-2.0
"""Run many seeds:  python -m tests.simulation --seeds 200 [--first 0] [--steps 60] [--jobs 2]
Repeat one:         python -m tests.simulation --seed 17 --steps 60 --trace

Prints how often each fault had its effect; the last line is `simulation: ok {json}`. A broken promise, or a fault that
never happened in a run of many seeds, is printed and ends with exit code 1.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.simulation import faults, report
from tests.simulation.campaign import Totals, jobs_by_default, outcomes
from tests.simulation.planted import PLANTED
from tests.simulation.run import Outcome, run, run_planted

STEPS = 60


def main() -> int:
    """The command."""
    options = _parser().parse_args()
    if options.seed is not None:
        seed, steps, plant = options.seed, options.steps, options.plant
        outcome = run_planted(seed, plant, steps) if plant else run(seed, steps)
        return _one(outcome, options.steps, options.plant, trace=options.trace)
    seeds: Iterable[int] = range(options.first, options.first + options.seeds)
    if options.minutes:
        seeds = itertools.count(options.first)
    return _many(seeds, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="seeded simulation of the exchange")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds (default 200)")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"steps before the quiet end (default {STEPS})")
    parser.add_argument("--jobs", type=int, default=jobs_by_default(), help="processes (default: one per core)")
    parser.add_argument("--minutes", type=float, help="as many seeds as begin within this time, instead of --seeds")
    parser.add_argument("--seed", type=int, help="run this seed only")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first broken seed")
    parser.add_argument("--plant", choices=PLANTED, default="", help="run with this guard taken out of the program")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the counts into this document")
    return parser


def _one(outcome: Outcome, steps: int, plant: str, *, trace: bool) -> int:
    if trace:
        print("\n".join(outcome.trace))
    print(f"seed {outcome.seed}: {outcome.failure or 'ok'}")
    if outcome.failure:
        planted = f" --plant {plant}" if plant else ""
        print(f"  again: python -m tests.simulation --seed {outcome.seed} --steps {steps}{planted} --trace")
    return 1 if outcome.failure else 0


def _many(seeds: Iterable[int], options: argparse.Namespace) -> int:
    totals, began = Totals(), time.monotonic()
    until = began + options.minutes * 60 if options.minutes else float("inf")
    for outcome, cpu_s in outcomes(seeds, options.steps, options.plant, options.jobs, until):
        totals.add(outcome, options.steps)
        totals.cpu_s += cpu_s
        if outcome.failure:
            _one(outcome, options.steps, options.plant, trace=not options.keep_going)
            if not options.keep_going:
                break
        _progress(totals, began)
    for name, what, times, counters in faults.table(totals.fired):
        print(f"{name:4} {times:8}  {what}{f' ({counters})' if counters else ''}")
    complaints = totals.complaints()
    print("\n".join(complaints[:40]))
    if options.report and not complaints:
        report.write(options.report, totals)
    figures = totals.figures() | {"wall_s": round(time.monotonic() - began, 1)}
    print(f"simulation: {'broken' if complaints else 'ok'} {json.dumps(figures, ensure_ascii=False)}", flush=True)
    return 1 if complaints else 0


def _progress(totals: Totals, began: float) -> None:
    if sys.stderr.isatty():
        pace = totals.seeds / max(time.monotonic() - began, 0.001)
        print(f"\r{totals.seeds} seeds, {pace:.1f} per second, {len(totals.broken)} broken ", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
