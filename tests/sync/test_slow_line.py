# SPDX-License-Identifier: Apache-2.0
"""F21: a line of 16 kbit/s, 2 s there and back, one segment in five lost, and connections that break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.wire.transport import InProcess
from sync.wire.transport_http import Http
from tests.bench.line_proxy import BadLine, Shape
from tests.sync.county import HttpHub, Station, World

SPEED = 60.0
BREAKING = Shape(reset_chance=0.3)
EDITS, CASES = 60, 20


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A station with a day's work, loaded before the line turned bad."""
    world = World(tmp_path, InProcess)
    made = world.station()
    persons = [world.person() for _ in range(EDITS)]
    made.sync()
    for n, person in enumerate(persons):
        made.edit(person, phone=f"139{n:08d}", address=f"东街 {n} 号")
    for n in range(CASES):
        made.state(case=str(n), answers={"words": f"{n:064x}" * 4})
    yield made
    world.close()


def test_a_days_work_gets_through_a_line_that_loses_and_breaks(station: Station) -> None:
    world = station.world
    hub = HttpHub(world.server)
    line = BadLine(hub.port, BREAKING, speed=SPEED, seed=5)
    try:
        for _ in range(80):
            transport = Http(f"http://127.0.0.1:{line.port}", None, speed=SPEED)
            report = station.sync(transport)
            transport.close()
            if report.ok and report.equal:
                break
    finally:
        line.close()
        hub.stop()
    assert report.equal is True
    assert len(world.rows("SELECT 1 FROM fact")) == CASES
    assert len(world.rows("SELECT 1 FROM contact WHERE address LIKE '东街%'")) == EDITS
    assert line.lost > 0 and line.resets > 0
