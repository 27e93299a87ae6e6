# SPDX-License-Identifier: Apache-2.0
"""Real programs behind a line that breaks at any byte, killed at any moment: nothing is lost, all ends equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.processes import soak

ROUNDS = 4
pytestmark = pytest.mark.xdist_group("processes")


def test_nothing_is_lost_between_processes_that_die_behind_a_line_that_breaks(tmp_path: Path) -> None:
    for one in soak(tmp_path / "place", seed=20261123):
        for _ in range(ROUNDS):
            one.round()
        one.end()
        assert len(one.written) == ROUNDS * 8
        assert one.fired["killed hub"] + one.fired["killed exchange"] > 0
        assert one.proxy.fired.total() > 0
