# SPDX-License-Identifier: Apache-2.0
"""How far a station is, as it stands in the header of its bundle and comes back in the answer.

Over a line the hub is asked page by page; a stick is asked once, so the station states beforehand what it would ask
for. The answer returns the statement: the station needs no memory of the sticks it sent, and judges what the hub says
by where it stood then, not by where a session over the line has brought it meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.equality import buckets, digest
from sync.station import outbox, pull
from sync.station.hello import Standing, standing
from sync.wire import codec
from sync.wire.certificate import Certificate

_KEYS = {"acked", "furthest", "after", "complete", "digests"}


@dataclass(frozen=True)
class State:
    """`after`: slice -> channel -> cursor; `complete`: slice -> position; `digests`: family -> hex, if all is sent."""

    acked: dict[str, int]
    furthest: int
    after: dict[str, dict[str, int]]
    complete: dict[str, int]
    digests: dict[str, str]

    @property
    def standing(self) -> Standing:
        return Standing(self.acked, self.furthest)

    @property
    def lowest(self) -> int:
        """The feed position the digests stand at."""
        return min((at for channels in self.after.values() for at in channels.values()), default=0)


def of_node(db: Any, certificate: Certificate, now: datetime, *, proven: bool) -> State:
    """This station now, inside a write transaction. `proven`: with digests, which say nothing while work is unsent."""
    held, then = certificate.slices, standing(db)
    return State(
        then.acked,
        then.furthest,
        {s: {c: pull.cursor(db, s, c) for c in pull.ORDER} for s in held},
        {s: pull.complete(db, s) for s in held},
        {f: buckets.of_node(db, f, now).root.hex() for f in digest.families(held)} if proven else {},
    )


def read(content: dict[str, Any]) -> State:
    """A statement from a peer. Raises BadFrame(bundle)."""
    try:
        numbers = [content["furthest"], *content["acked"].values(), *content["complete"].values()]
        numbers += [at for channels in content["after"].values() for at in channels.values()]
        good = (
            set(content) == _KEYS
            and all(type(n) is int and 0 <= n < 2**53 for n in numbers)
            and set(content["acked"]) == set(outbox.PUSHED)
            and set(content["complete"]) == set(content["after"])
            and all(type(s) is str and set(channels) == set(pull.ORDER) for s, channels in content["after"].items())
            and all(type(value) is str and len(value) <= 64 for value in content["digests"].values())
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise codec.bad("bundle", "state") from error
    if not good:
        raise codec.bad("bundle", "state")
    return State(**content)
