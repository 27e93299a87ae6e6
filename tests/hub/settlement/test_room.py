# SPDX-License-Identifier: Apache-2.0
"""The large page cache is for the month alone: afterwards the connection is frugal again, also after an error."""

from __future__ import annotations

import pytest

from hub.settlement.room import CACHE_KIB, roomy
from schema.database import Store


def test_the_cache_is_large_inside_and_as_before_outside(hub_store: Store) -> None:
    db = hub_store.connection()
    before = db.execute("PRAGMA cache_size").fetchone()[0]
    with pytest.raises(ZeroDivisionError), roomy(db):
        assert db.execute("PRAGMA cache_size").fetchone()[0] == -CACHE_KIB
        raise ZeroDivisionError
    assert db.execute("PRAGMA cache_size").fetchone()[0] == before
