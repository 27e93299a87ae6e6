# SPDX-License-Identifier: Apache-2.0
"""Real programs behind a line that breaks at any byte, killed at any moment: nothing is lost, all ends equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.processes import soak

ROUNDS = 4
MOST_ROUNDS = 16
pytestmark = pytest.mark.xdist_group("processes")


def test_nothing_is_lost_between_processes_that_die_behind_a_line_that_breaks(tmp_path: Path) -> None:
    for one in soak(tmp_path / "place", seed=20261123):
        rounds = 0
        # On a busy machine a program can be killed before it has spoken: then the line has not broken yet.
        while rounds < ROUNDS or not (one.killed and one.proxy.fired):
            assert rounds < MOST_ROUNDS, "no program was killed, or the line never broke"
            one.round()
            rounds += 1
        one.end()
        assert len(one.written) == rounds * 8
