# SPDX-License-Identifier: Apache-2.0
"""Station: the end of a session in which everything was sent and fetched: do both sides really hold the same?

If not, that is an incident at both ends, and what differs is repaired from the hub's rows. A repair that did not help
is tried once more; then the incident stays open and a person must look, for a loop over a slow line helps nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schema.clock import parse_stamp, stamp
from schema.database import Store
from schema.events import HUB
from sync.equality import buckets, digest, incidents
from sync.equality.buckets import Kept
from sync.station import outbox
from sync.station.conversation import Conversation
from sync.station.repair import Repair, Standing
from sync.wire import codec

REPAIRS = 2
TRIED_AGAIN_AFTER = timedelta(hours=24)
_TRIED = "repairs"
Ask = Callable[[str, dict[str, str]], dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """`equal` None: nothing can be said, because something is unsent or the hub's feed moved on."""

    equal: bool | None
    differs: tuple[str, ...] = ()
    mine: dict[str, Kept] | None = None
    standing: Standing | None = None


def prove(talk: Conversation) -> bool | None:
    """True: proven equal, perhaps after a repair; False: they differ; None: nothing can be said."""
    held = talk.certificate.slices
    verdict = compare(talk.store, held, talk.ask_json, talk.clock.now())
    if verdict.equal is False and _may_repair(talk) and _repaired(talk, verdict):
        verdict = compare(talk.store, held, talk.ask_json, talk.clock.now())
        if verdict.equal is False:
            _count_try(talk)
    return verdict.equal


def compare(store: Store, held: tuple[str, ...], ask: Ask, now: datetime) -> Verdict:
    """Ask whether this station's digests are the hub's, and note what comes of it."""
    families = digest.families(held)
    with store.write() as db:
        # Inside: what a clerk saves between two transactions would look like a difference.
        if outbox.unsent(db).count:
            return Verdict(None)
        standing = Standing.of(db, held)
        mine = {family: buckets.of_node(db, family, now) for family in families}
    asked = {"mine": ".".join(mine[f].root.hex() for f in families), "at": str(standing.at)}
    answer = ask(f"/s1/digest/{','.join(held)}", asked)
    if answer.get("comparable") is not True:
        return Verdict(None)
    differs = _families(answer.get("differs"), mine)
    equal = not differs
    with store.write() as db:
        if equal:
            incidents.repaired(db, "digest", HUB, stamp(now))
            db.execute("DELETE FROM link WHERE name = ?", (_TRIED,))
        else:
            incidents.record(db, "digest", HUB, " ".join(differs), stamp(now))
    return Verdict(equal, differs, mine, standing)


def _families(named: Any, known: dict[str, Kept]) -> tuple[str, ...]:
    if type(named) is not list or any(type(name) is not str or name not in known for name in named):
        raise codec.bad("payload", "differs")
    return tuple(name for name in known if name in named)


def _repaired(talk: Conversation, verdict: Verdict) -> bool:
    """Whether all that differed was written."""
    assert verdict.mine is not None and verdict.standing is not None
    repair = Repair(talk, verdict.standing)
    families = digest.families(talk.certificate.slices)
    return all([repair.run(families[name], verdict.mine[name]) for name in verdict.differs])


def _may_repair(talk: Conversation) -> bool:
    tries, at = _tried(talk)
    # abs: a note from a clock that ran ahead would forbid repairs until that day comes.
    return tries < REPAIRS or abs(talk.clock.now() - parse_stamp(at)) > TRIED_AGAIN_AFTER


def _count_try(talk: Conversation) -> None:
    talk.link.put({_TRIED: json.dumps([min(_tried(talk)[0] + 1, REPAIRS), talk.link.now()])})


def _tried(talk: Conversation) -> tuple[int, str]:
    stored = talk.link.get(_TRIED)
    tries, at = json.loads(stored) if stored else (0, "")
    return int(tries), str(at)
