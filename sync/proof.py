# SPDX-License-Identifier: Apache-2.0
"""Station: the end of a session in which everything was sent and fetched: do both sides really hold the same?

Own digests are kept while neither cursors nor local versions move, at most a day: an idle station polls every quarter
of an hour and must not read its whole register each time, and must not trust an old number for ever either.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from schema import crsqlite
from schema.clock import parse_stamp
from schema.database import Store
from sync import digest, outbox
from sync.link import Link

TRUSTED_FOR = timedelta(hours=24)
Ask = Callable[[str, dict[str, str]], dict[str, Any]]


def compare(store: Store, held: tuple[str, ...], ask: Ask, link: Link, now: datetime) -> bool | None:
    """True: proven equal; False: they differ; None: the hub's feed moved on meanwhile, so nothing can be said."""
    with store.read() as db:
        position = _position(db)
        at = min((row[0] for row in db.execute('SELECT "after" FROM cursor')), default=0)
        families = digest.families(held)
        mine = {
            family: _trusted(link, family, position, now) or digest.of_node(db, family).hex() for family in families
        }
    for family, value in mine.items():
        if _trusted(link, family, position, now) != value:
            link.put({f"digest:{family}": json.dumps([position, value, link.now()])})
    answer = ask(f"/s1/digest/{','.join(held)}", {"mine": ".".join(mine[f] for f in families), "at": str(at)})
    if answer.get("comparable") is not True:
        return None
    if answer.get("equal") is not True:
        link.put({f"digest:{family}": "" for family in families})
        return False
    return True


def _position(db: Any) -> str:
    cursors = [list(row) for row in db.execute('SELECT slice, channel, "after" FROM cursor ORDER BY slice, channel')]
    return json.dumps([cursors, crsqlite.max_version(db, outbox.REGISTRY_NAMES)])


def _trusted(link: Link, family: str, position: str, now: datetime) -> str:
    stored = link.get(f"digest:{family}")
    if not stored:
        return ""
    at, value, computed = json.loads(stored)
    return str(value) if at == position and abs(now - parse_stamp(computed)) < TRUSTED_FOR else ""
