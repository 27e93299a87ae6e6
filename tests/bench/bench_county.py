# SPDX-License-Identifier: Apache-2.0
"""A synthetic county of PERSONS (default 500,000) loaded into a hub: seconds, memory, bytes on disk.

The target is 180 s for 500,000 persons on two cores. The last line is one JSON object.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PERSONS = int(os.environ.get("PERSONS", "500000"))
BIN = Path(sys.executable).parent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        unlock = Path(folder, "unlock")
        unlock.write_text(os.urandom(16).hex())
        env = os.environ | {"TOWNSHIP_UNLOCK_FILE": str(unlock)}
        hub = Path(folder, "hub")
        program = BIN / "township-provision"
        subprocess.run(
            [program, "init-hub", hub, "--name", "县中心", "--host", "127.0.0.1", "--port", "8443"],
            env=env, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        began = time.monotonic()
        subprocess.run([program, "county", hub, "--persons", str(PERSONS), "--seed", "1"], env=env, check=True)
        seconds = time.monotonic() - began
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        size_mb = (hub / "hub.db").stat().st_size / 1e6
    print(
        json.dumps(
            {
                "persons": PERSONS,
                "seconds": round(seconds, 1),
                "persons_per_s": round(PERSONS / seconds),
                "target_s_for_500k": 180,
                "peak_mb": round(peak_mb),
                "database_mb": round(size_mb),
            }
        )
    )


if __name__ == "__main__":
    main()
