# SPDX-License-Identifier: Apache-2.0
"""A station that is lost, stolen or closed is refused from the moment this is written, and told so.

What it had sent before stays; what it had not sent is with its machine.
"""

from __future__ import annotations

from schema import database
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import ConfigError, UnknownSubject, WrongState


def revoke(store: Store, station: str, reason: str, clock: Clock) -> str:
    """Revoke a station for good; returns the instant.

    Raises UnknownSubject, WrongState when it is revoked already, ConfigError without a reason.
    """
    if not reason.strip():
        raise ConfigError("请写明注销原因", "say why the station is revoked")
    with store.write() as db:
        found = db.execute("SELECT revoked_at FROM node_record WHERE id = ?", (station,)).fetchone()
        if found is None:
            raise UnknownSubject(f"中心没有站点 {station}", f"the hub knows no station {station}")
        if found["revoked_at"] is not None:
            raise WrongState(
                f"站点 {station} 在 {found['revoked_at']} 已经注销",
                f"station {station} was revoked at {found['revoked_at']}",
            )
        at = stamp(clock.now())
        database.update(db, "node_record", {"id": station}, {"revoked_at": at, "revoked_reason": reason.strip()[:200]})
    return at
