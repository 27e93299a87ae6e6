# SPDX-License-Identifier: Apache-2.0
"""A township's day over the worst line there is: 300 edits and 200 cases at 16 kbit/s, 2 s there and back, 20 % loss.

The line is modelled (`line_proxy`) in front of a hub process with TLS. The station tries, waits and tries again as its
program does, until both sides are proven equal. SPEED=10 runs the clock of the line ten times as fast; the figures are
seconds of the line either way. The last line is one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from sync.station import backoff
from sync.wire.transport import InProcess
from sync.wire.transport_http import Http
from tests.bench.hub_process import HubProcess
from tests.bench.line_proxy import BadLine, Shape
from tests.sync.county import World

SPEED = float(os.environ.get("SPEED", "1"))
EDITS, CASES, PERSONS = 300, 200, 400
TRIES = 60
SEED = 20261123


def day(world: World, shape: Shape, speed: float, edits: int = EDITS, cases: int = CASES) -> dict[str, Any]:
    """Run it; the figures by their names. Raises SystemExit when the day does not get through."""
    rng = random.Random(SEED)
    station = world.station()
    persons = [world.person() for _ in range(max(edits, 1))]
    station.sync()
    for person in persons[:edits]:
        station.edit(person, phone=f"139{rng.randrange(10**8):08d}", address=f"东街 {rng.randrange(10**4)} 号")
    for n in range(cases):
        station.state(case=str(n), answers={"grade": str(rng.randrange(20)), "words": rng.randbytes(140).hex()})
    station.store.close()
    hub = HubProcess(world)
    line = BadLine(int(hub.url.rsplit(":", 1)[1]), shape, speed=speed, seed=SEED)
    url = f"https://127.0.0.1:{line.port}"
    began, failures, sessions, bodies = time.monotonic(), 0, 0, 0
    try:
        while sessions < TRIES:
            sessions += 1
            transport = Http(url, hub.ca_file, speed=speed)
            try:
                report = station.session(transport).run()
            finally:
                transport.close()
            bodies += report.bytes_in + report.bytes_out
            print(f"{(time.monotonic() - began) * speed:7.0f} s  sent {report.pushed_items:4}  fetched "
                  f"{report.pulled_items:4}  {report.error_code or 'ok'}", flush=True)  # fmt: skip
            if report.ok and report.equal:
                break
            failures = 0 if report.pushed_frames or report.pulled_frames else failures + 1
            time.sleep(backoff.next_delay_s(failures, rng, report.retry_after_s) / speed)
        else:
            raise SystemExit("the day did not get through")
        seconds = (time.monotonic() - began) * speed
    finally:
        line.close()
        hub.stop()
    return {
        "line_edits": edits, "line_cases": cases, "line_s": round(seconds), "line_sessions": sessions,
        "line_bodies_bytes": bodies, "line_wire_bytes": line.carried, "line_segments_lost": line.lost,
        "line_resets": line.resets, "line_speed": speed,
    }  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), InProcess)
        try:
            print(json.dumps(day(world, Shape(), SPEED)))
        finally:
            world.close()


if __name__ == "__main__":
    main()
