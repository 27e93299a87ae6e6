# SPDX-License-Identifier: Apache-2.0
"""Station: what is known of the line, in the `link` table, for the bar on every page.

state up|down|refused   since   last_contact_at   last_error (a code of `words`, '' when none)   last_equal_at
clock_skew_s (this machine minus the hub)   held:<channel>   repairs (how many did not help, and when)
cut:<slice> (where a fetch of several pages began, '' when it is complete)
"""

from __future__ import annotations

from schema import database
from schema.clock import Clock, stamp
from schema.database import Store


class Link:
    """Reads and writes `link` rows."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def get(self, name: str) -> str:
        """A value, '' when there is none."""
        with self._store.read() as db:
            found = db.execute("SELECT value FROM link WHERE name = ?", (name,)).fetchone()
        return str(found[0] or "") if found else ""

    def set(self, **values: str) -> None:
        """Write values whose names are words."""
        self.put(values)

    def put(self, values: dict[str, str]) -> None:
        """Write values. Unchanged ones cost nothing: an exchange with nothing to do must not wait for the disk."""
        with self._store.read() as db:
            known = dict(db.execute("SELECT name, value FROM link").fetchall())
        changed = {name: value for name, value in values.items() if known.get(name) != value}
        if not changed:
            return
        with self._store.write() as db:
            for name, value in changed.items():
                database.upsert(db, "link", {"name": name, "value": value})

    def now(self) -> str:
        """The station's time as it is stored."""
        return stamp(self._clock.now())

    def after_session(self, state: str, error_code: str, *, answered: bool, equal: bool) -> None:
        """Note how a session ended."""
        now = self.now()
        values = {"state": state, "last_error": error_code}
        if self.get("state") != state:
            values["since"] = now
        if answered:
            values["last_contact_at"] = now
        if equal:
            values["last_equal_at"] = now
        self.put(values)
