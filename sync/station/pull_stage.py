# SPDX-License-Identifier: Apache-2.0
"""Station: the stage of a session that fetches, page after page from the cursor. A bad page stops only its channel."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database
from schema.clock import Clock
from schema.database import Store
from schema.errors import BadFrame, Refusal
from sync import slices
from sync.faults import told
from sync.station import pull
from sync.station.conversation import Conversation
from sync.station.hello import refusal
from sync.station.pull import Receive
from sync.wire import codec, frame
from sync.wire.certificate import Certificate

log = logging.getLogger(__name__)


class PullStage:
    """Fetches what the hub has for this station. `receive` acts on each new fact in its transaction; `between` runs
    after each page.
    """

    def __init__(self, talk: Conversation, receive: Receive, between: Callable[[], None] = lambda: None) -> None:
        self._talk, self._receive, self._between = talk, receive, between

    def run(self, slice_: str, channel: str, page_bytes: int) -> None:
        """Fetch a channel of a slice up to its end: what the line carries at a time, never over `page_bytes` before
        compression.
        """
        more = True
        while more:
            with self._talk.store.read() as db:
                after, since = pull.cursor(db, slice_, channel), pull.complete(db, slice_)
            if not self._talk.may(channel):
                return
            raw = min(page_bytes, self._talk.line.raw_down(channel))
            query = {"chan": channel, "after": str(after), "max": str(raw)}
            if channel == "reg" and since < after:
                query["since"] = str(since)
            answer = self._talk.ask("GET", f"/s1/feed/{slice_}", query, b"", channel)
            try:
                opened = frame.open_frame(answer, self._talk.hub_public)
                pull.check_header(opened, self._talk.certificate, slice_, channel, after)
                talk = self._talk
                items = apply_page(talk.store, opened, talk.certificate, talk.key, talk.clock, self._receive)
            except BadFrame as error:
                pull.keep_refusal(self._talk.store, slice_, channel, error, self._talk.clock)
                self._talk.problem = refusal("pull_refused")
                self._talk.count(refused=1)
                return
            more = opened.header.more
            if more:
                self._talk.line.learn(channel, raw, len(answer), opened.header.items)
            self._talk.telling.fetched(channel, opened.header.items)
            self._talk.count(pulled_frames=1, pulled_items=items)
            self._talk.tell("pull", self._talk.counts["pulled_items"])
            self._between()


def apply_page(
    store: Store, opened: frame.Frame, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock, receive: Receive
) -> int:
    """`pull.apply`; whatever the business above makes of a page, only its channel of its slice may suffer: BadFrame."""
    try:
        return pull.apply(store, opened, certificate, key, clock, receive)
    except Refusal as error:
        raise BadFrame(error.zh, error.en, code=error.code) from error
    except (ValueError, LookupError, TypeError, AttributeError, database.IntegrityError) as error:
        log.error("page %s %s not applied: %s", opened.header.slice, opened.header.chan, told(error))
        raise codec.bad("intake_failed") from error


def skip_ahead(store: Store, held: tuple[str, ...], welcome: dict[str, Any]) -> set[tuple[str, str]]:
    """(slice, channel) with something new. Of the others the cursor moves to the head without a request: the hub,
    which signed the welcome, says that nothing lies between."""
    head, new, idle = welcome["head"], set(), []
    with store.read() as db:
        for place, last in zip(frame.places(held), welcome["heads"], strict=True):
            at = pull.cursor(db, *place)
            if last > at:
                new.add(place)
            elif at < head:
                idle.append(place)
    if idle:
        with store.write() as db:
            for slice_, channel in idle:
                pull.move_cursor(db, slice_, channel, head)
            pull.mark(db, held)
    return new


def rank(place: tuple[str, str]) -> tuple[int, bool, str]:
    """Facts first, but before them the county's rows: they hold the keys that facts are checked with.

    Of the rest, what concerns this station (the state of its cases, its numbers) before a township's statements.
    """
    slice_, channel = place
    first = -1 if place == (slices.COUNTY, "ref") else pull.ORDER.index(channel)
    return first, not slice_.startswith(slices.NODE_PREFIX), slice_
