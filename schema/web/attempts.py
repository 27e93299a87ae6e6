# SPDX-License-Identifier: Apache-2.0
"""Wrong passwords per officer number, kept in the database: a count that a restart forgets would be no lock."""

from __future__ import annotations

from datetime import datetime

from schema.clock import parse_stamp, stamp
from schema.database import Store
from schema.web.door import Failures


class Attempts:
    """The part of an `OfficerStore` that counts failures, over the `login_attempt` table of both sides."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def failures(self, operator_no: str) -> Failures:
        """Wrong passwords since the last right one."""
        with self._store.read() as db:
            row = db.execute("SELECT * FROM login_attempt WHERE operator_no = ?", (operator_no,)).fetchone()
        return Failures(row["failures"], parse_stamp(row["last_at"])) if row else Failures(0, None)

    def record_failure(self, operator_no: str, at: datetime) -> None:
        """One more."""
        with self._store.write() as db:
            db.execute(
                "INSERT INTO login_attempt (operator_no, failures, last_at) VALUES (?, 1, ?) "
                "ON CONFLICT (operator_no) DO UPDATE SET failures = failures + 1, last_at = excluded.last_at",
                (operator_no, stamp(at)),
            )

    def clear(self, operator_no: str) -> None:
        """Forget them."""
        with self._store.write() as db:
            db.execute("DELETE FROM login_attempt WHERE operator_no = ?", (operator_no,))
