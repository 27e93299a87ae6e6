# SPDX-License-Identifier: Apache-2.0
"""Room to work for a while: a month touches pages all over an encrypted file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CACHE_KIB = 96 * 1024


@contextmanager
def roomy(db: Any) -> Iterator[None]:
    """A large page cache inside the block: with the small one each page is decrypted again and again (a third of the
    time of a month at 200,000 persons). Outside it the connection is as frugal as before."""
    before = db.execute("PRAGMA cache_size").fetchone()[0]
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA cache_size = {before}")
