# SPDX-License-Identifier: Apache-2.0
"""The whole story between real processes, as `make journey` tells it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.sources import ROOT

REPORTED = {
    "stations", "cases_submitted", "cases_at_hub", "lost", "duplicated", "decided", "paid", "paid_fen",
    "ledger_debit_fen", "ledger_credit_fen", "stations_equal_hub", "conflicts_recorded", "refused_frames", "seconds",
}  # fmt: skip


@pytest.mark.xdist_group("processes")
def test_a_case_goes_from_an_offline_counter_to_a_payment_and_back() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.journey"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    assert last.startswith("journey: ok {")
    figures = json.loads(last.removeprefix("journey: ok "))
    assert figures.keys() >= REPORTED
    assert (figures["lost"], figures["duplicated"], figures["stations_equal_hub"]) == (0, 0, True)
