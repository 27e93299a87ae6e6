# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random

import pytest

from provisioning.county import dirt


def test_what_falls_is_counted_and_falls_in_its_share() -> None:
    spoils, rng = dirt.Dirt(), random.Random(1)
    fallen = sum(spoils.falls("number_15_kept", rng) for _ in range(20_000))
    assert spoils.counts["number_15_kept"] == fallen
    assert 1000 < fallen < 1400
    assert sum(spoils.counts.values()) == fallen


def test_a_spaced_phone_is_the_same_number() -> None:
    rng = random.Random(1)
    written = {dirt.spaced("13857582046", rng) for _ in range(50)}
    assert "138 5758 2046" in written and "13857582046" not in written
    assert {w.replace(" ", "").replace("-", "") for w in written} == {"13857582046"}


@pytest.mark.parametrize("name", ["张国华", "竺明", "裘燕"])
def test_another_spelling_is_never_the_name_itself(name: str) -> None:
    rng = random.Random(1)
    assert all(dirt.other_spelling(name, rng) != name for _ in range(50))


def test_another_birth_date_is_earlier_by_weeks_or_years() -> None:
    rng = random.Random(1)
    gaps = [730_000 - dirt.other_birth(730_000, rng) for _ in range(500)]
    assert min(gaps) >= 18 and max(gaps) < 3700 and any(gap > 300 for gap in gaps)
