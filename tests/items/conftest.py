# SPDX-License-Identifier: Apache-2.0
"""One town per module, and its first morning again for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.items.county import Town, town_in


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town, made once: keys and first session cost more than a walk."""
    with town_in(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(built: Town) -> Town:
    """The town on its first morning."""
    built.renew()
    return built
