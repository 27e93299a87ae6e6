# SPDX-License-Identifier: Apache-2.0
"""Random histories with faults: nothing vanishes, nothing comes twice, and planted faults are found."""

from __future__ import annotations

import pytest

from tests.simulation.planted import PLANTED
from tests.simulation.run import run, run_planted

SEEDS = 24
BATCH = 6
ENOUGH = 200
# The first seed that finds each planted fault, when this was written; later ones are tried if the histories change.
FOUND_BY = {"K1": 1, "K2": 0, "cursor": 2, "reply": 0, "H": 0, "N": 2, "winner": 17, "pages": 12, "mark": 0, "P19": 0}


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_every_promise_is_kept_in_every_history(first: int) -> None:
    for seed in range(first, first + BATCH):
        outcome = run(seed)
        assert not outcome.failure, f"python -m tests.simulation --seed {seed} --trace\n{outcome.failure}"
        assert outcome.sessions and outcome.edits


def test_a_seed_repeats_to_the_byte() -> None:
    first, second = run(SEEDS), run(SEEDS)
    assert first.trace == second.trace
    assert first.trace != run(SEEDS + 1).trace


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str) -> None:
    seeds = range(FOUND_BY[fault], FOUND_BY[fault] + ENOUGH)
    found = next((seed for seed in seeds if run_planted(seed, fault).failure), None)
    assert found is not None, f"{fault} was not found by {ENOUGH} seeds"
    assert not run(found).failure, "the seed is broken without the fault"
