# SPDX-License-Identifier: Apache-2.0
"""Officers who may log in at this station, without any network.

Their rows are reference rows: only the hub writes them. A password changed here therefore lies over the hub's row, in
`setting`, until the hub publishes the new blob. The overlay remembers every blob it took the place of: a hub row with
any other blob is a reset by an administrator, and wins.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database, events
from schema.clock import Clock
from schema.database import Store
from schema.web.attempts import Attempts
from schema.web.door import Officer


def subject_of(operator_no: str) -> bytes:
    """The subject of facts about an officer: 16 bytes, the same at station and hub."""
    return sha256(operator_no.encode()).digest()[:16]


class StationOfficers(Attempts):
    """The login's OfficerStore over `officer`, `login_attempt` and the overlay."""

    def __init__(self, store: Store, station: str, clock: Clock, key: Callable[[], Ed25519PrivateKey]) -> None:
        """`key`: the unlocked key of the officer who is logged in; the change of a password is signed with it."""
        super().__init__(store)
        self._station = station
        self._clock = clock
        self._key = key

    def find(self, operator_no: str) -> Officer | None:
        """The officer of that number whose post is at this station."""
        with self._store.read() as db:
            row = db.execute(
                "SELECT * FROM officer WHERE operator_no = ? AND station = ?", (operator_no, self._station)
            ).fetchone()
            own = _overlay(db, row) if row else None
        if row is None:
            return None
        return Officer(
            operator_no=row["operator_no"],
            name=row["name"],
            roles=tuple(row["roles"].split()),
            station=row["station"],
            wrapped_key=own or bytes(row["wrapped_key"]),
            public_key=bytes(row["public_key"]),
            disabled_on=date.fromisoformat(row["disabled_on"]) if row["disabled_on"] else None,
            must_change=bool(row["must_change"]) and own is None,
        )

    def rewrap(self, operator_no: str, wrapped_key: bytes) -> None:
        """Keep the new blob here at once, and tell the hub by a signed fact: both or neither."""
        key = self._key()
        with self._store.write() as db:
            row = db.execute("SELECT * FROM officer WHERE operator_no = ?", (operator_no,)).fetchone()
            replaced = {_digest(row["wrapped_key"])}
            kept = _kept(db, operator_no)
            if kept:
                replaced |= {*kept["replaced"], _digest(kept["wrapped_key"])}
            blob = {"wrapped_key": wrapped_key, "replaced": sorted(replaced)}
            database.set_setting(db, _name(operator_no), cbor2.dumps(blob))
            body = {"operator_no": operator_no, "wrapped_key": wrapped_key}
            events.state(
                db,
                "officer_key_changed",
                subject_of(operator_no),
                body,
                officer=operator_no,
                key=key,
                clock=self._clock,
            )


def names(db: Any) -> dict[str, str]:
    """Officer number -> name, of everybody this station knows; for lists and timelines."""
    rows = db.execute("SELECT operator_no, name FROM officer_key UNION SELECT operator_no, name FROM officer")
    return {row["operator_no"]: row["name"] for row in rows}


def _overlay(db: Any, row: Any) -> bytes | None:
    """The blob of a password changed here, while the hub's row is one that it took the place of."""
    kept = _kept(db, row["operator_no"])
    return kept["wrapped_key"] if kept and _digest(row["wrapped_key"]) in kept["replaced"] else None


def _kept(db: Any, operator_no: str) -> dict[str, Any] | None:
    blob = database.setting(db, _name(operator_no))
    return cbor2.loads(blob) if blob else None


def _name(operator_no: str) -> str:
    return f"officer_key:{operator_no}"


def _digest(blob: bytes) -> bytes:
    return sha256(bytes(blob)).digest()
