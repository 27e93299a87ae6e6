# SPDX-License-Identifier: Apache-2.0
"""Run many seeds:  python -m tests.simulation --seeds 200 [--first 0] [--steps 60]
Repeat one:         python -m tests.simulation --seed 17 --trace

The last line is `simulation: ok {json}` with what happened how often; a broken promise prints its seed and trace and
ends with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter

from tests.simulation.line import EXPECTED_FAULTS
from tests.simulation.planted import PLANTED
from tests.simulation.run import Outcome, run, run_planted

# From so many seeds on every fault must have had its effect at least once.
FULL_RUN = 100


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="seeded simulation of the exchange")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--steps", type=int, default=60, help="steps of each run before the quiet end")
    parser.add_argument("--seed", type=int, help="run this seed only")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first broken seed")
    parser.add_argument("--plant", choices=PLANTED, help="run with this guard taken out of sync/")
    options = parser.parse_args()
    if options.seed is not None:
        return _one(_outcome(options.seed, options), trace=options.trace)
    return _many(range(options.first, options.first + options.seeds), options)


def _outcome(seed: int, options: argparse.Namespace) -> Outcome:
    return run_planted(seed, options.plant, options.steps) if options.plant else run(seed, options.steps)


def _one(outcome: Outcome, *, trace: bool) -> int:
    if trace:
        print("\n".join(outcome.trace))
    print(f"seed {outcome.seed}: {outcome.failure or 'ok'}")
    return 1 if outcome.failure else 0


def _many(seeds: range, options: argparse.Namespace) -> int:
    total: Counter[str] = Counter()
    fired: Counter[str] = Counter()
    broken: dict[int, str] = {}
    began = time.process_time()
    for seed in seeds:
        outcome = _outcome(seed, options)
        fired += outcome.fired
        total.update(
            seeds=1, steps=options.steps, sessions=outcome.sessions, edits=outcome.edits, conflicts=outcome.conflicts
        )  # fmt: skip
        if outcome.failure:
            broken[seed] = outcome.checker
            _one(outcome, trace=not options.keep_going)
            if not options.keep_going:
                break
    silent = [name for name in EXPECTED_FAULTS if not fired[name]] if len(seeds) >= FULL_RUN else []
    figures = {**total, "broken": broken, "never_fired": silent, "faults": dict(sorted(fired.items()))}
    figures["cpu_s"] = round(time.process_time() - began, 1)
    good = not broken and not silent
    print(f"simulation: {'ok' if good else 'broken'} {json.dumps(figures, ensure_ascii=False)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
