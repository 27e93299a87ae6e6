# SPDX-License-Identifier: Apache-2.0
"""How long a unit's roster of 5,000 lines takes from the file to signed cases: `python -m tests.bench.bench_roster`."""

from __future__ import annotations

import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import roster
from node.cases import Desk
from node.roster import NewRoster
from schema.web.door import Officer


def measure(
    desk: Desk, content: bytes, new: NewRoster, officer: Officer, key: Ed25519PrivateKey
) -> dict[str, Any]:  # fmt: skip
    """Seconds for looking at the lines, for taking them, and both (`roster_5000_s`); how many were taken."""
    began, cpu = time.monotonic(), time.process_time()
    roster_id = roster.preview(desk, content, new)
    looked = time.monotonic()
    taken = roster.take(desk, roster_id, officer, key)
    ended = time.monotonic()
    return {
        "roster_lines_taken": taken, "roster_preview_s": round(looked - began, 2),
        "roster_take_s": round(ended - looked, 2), "roster_5000_s": round(ended - began, 2),
        "roster_cpu_s": round(time.process_time() - cpu, 2),
    }  # fmt: skip


def main() -> None:
    """A station of its own with 5,000 synthetic persons."""
    from tests.bench.roster_station import station_with

    with station_with(5000) as (desk, content, new, officer, key):
        print(json.dumps(measure(desk, content, new, officer, key)))


if __name__ == "__main__":
    main()
