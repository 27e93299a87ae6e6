# SPDX-License-Identifier: Apache-2.0
"""Every service item, in every way it can be decided, from an empty form at a station to its end and back."""

from __future__ import annotations

import pytest

from schema import service
from tests.items.county import Town
from tests.items.walking import walk
from tests.schema import domain


@pytest.mark.parametrize("way", domain.WAYS, ids=domain.way_name)
def test_an_item_goes_from_the_counter_to_its_end(town: Town, way: tuple[str, int]) -> None:
    walk(town, domain.ways(way[0])[way[1]])


@pytest.mark.parametrize("item", domain.services().values(), ids=lambda item: item.id)
def test_every_mode_of_an_item_has_a_case_that_is_walked(item: service.Service) -> None:
    walked = {(way["expected"]["mode"], *way["expected"]["steps"]) for way in domain.ways(item.id)}
    assert walked == {(mode.mode, *mode.steps) for mode in item.modes}
