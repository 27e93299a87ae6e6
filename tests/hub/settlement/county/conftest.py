# SPDX-License-Identifier: Apache-2.0
"""The county's months over the small county of the settlement tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.settlement.county.runs import County as Months
from tests.hub.settlement.conftest import County


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def months(county: County, folder: Path, db_key: bytes) -> Months:
    return Months(county.store, folder, db_key, county.clock)
