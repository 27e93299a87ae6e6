# SPDX-License-Identifier: Apache-2.0
"""A short run of the fuzzer in every test run, and the proof that it would notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the inputs must have reached, or they all died at the first check.
REACHED = ("frames taken", "items applied", "item column", "item range", "item type", "pages taken", "pages refused")


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--examples", "1500", *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip


def test_hostile_input_kills_nothing_changes_nothing_and_costs_little_memory() -> None:
    done = fuzz()
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["counts"]["inputs"] == 1500
    assert all(said["counts"].get(name) for name in REACHED), said["counts"]
    assert said["grown_mib"] < 200


def test_the_same_inputs_break_a_hub_without_its_validator() -> None:
    done = fuzz("--unguarded")
    assert done.returncode != 0
    assert "Broken" in done.stderr
