# SPDX-License-Identifier: Apache-2.0
"""Station: one conversation with the hub: greeting, token, requests, and the count of what went over the line.

The stages of a session (`push_stage`, `pull_stage`, the proof) speak through it and know nothing of each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, ids, migrations
from schema.clock import Clock, parse_stamp, stamp
from schema.database import Store
from schema.errors import RefusedByPeer, TownshipError
from sync import certificate as certificates
from sync import codec, outbox, pull, signed
from sync.greeting import WELCOME
from sync.link import Link
from sync.report import Answered
from sync.transport import Transport
from sync.words import words

Progress = Callable[[str, int], None]
"""Called with a stage ('hello', 'push', 'pull', 'verify') and the number of items done so far."""


class Conversation:
    """What the stages of one session share. `problem` ends the session once the other stages had their turn."""

    def __init__(
        self, store: Store, key: Ed25519PrivateKey, certificate: bytes, hub_public: bytes, transport: Transport,
        clock: Clock, tell: Progress,
    ) -> None:  # fmt: skip
        self.store, self.key, self.hub_public = store, key, hub_public
        self._file, self.certificate = certificate, certificates.read(certificate)
        self._transport, self.clock, self.tell = transport, clock, tell
        self.link = Link(store, clock)
        self._token = ""
        self.counts: dict[str, Any] = {}
        self.problem: TownshipError | None = None
        self.answered = False

    def hello(self) -> dict[str, Any]:
        """Greet and check the welcome against what this station knows. Raises RefusedByPeer, BadFrame, Unreachable."""
        with self.store.read() as db:
            site, waiting = crsqlite.site_id(db), outbox.unsent(db).count
            _, epoch = outbox.identity(db)
            # Taken before asking: another session of this station may get further while the hub answers.
            proven = {channel: outbox.acked_n(db, channel) for channel in outbox.PUSHED}, pull.furthest(db)
        nonce, before = ids.new_id(), self.clock.now()
        hello = {
            "certificate": self._file, "epoch": epoch, "site": site, "nonce": nonce,
            "unsent": waiting, "schema": migrations.SCHEMA_VERSION, "node_time": stamp(before),
        }  # fmt: skip
        answer = self.ask("POST", "/s1/hello", {}, signed.seal(signed.HELLO, hello, self.key))
        welcome = signed.fields(signed.open_(signed.WELCOME, answer, self.hub_public), WELCOME, "header")
        if _checked(welcome, self.certificate.slices)["nonce"] != nonce:
            raise codec.bad("header", "nonce")
        middle = before + (self.clock.now() - before) / 2
        skew = (middle - _instant(welcome["hub_time"])).total_seconds()
        self.link.put({"clock_skew_s": str(round(skew))})
        self._reconcile(welcome, *proven)
        self._token = welcome["token"]
        return welcome

    def _reconcile(self, welcome: dict[str, Any], acked: dict[str, int], furthest: int) -> None:
        """The hub's record of what it stored is the truth for push; where it does not fit ours, say so and stop."""
        with self.store.read() as db:
            for channel in outbox.PUSHED:
                n, hash_, _ = welcome["known"][channel]
                if acked[channel] > n:
                    raise refusal("hub_behind")
                if n and outbox.hash_at(db, channel, n) != hash_:
                    raise refusal("rebase")
        if furthest > welcome["head"]:
            raise refusal("hub_behind")

    def ask_json(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        """The JSON map of a good answer, {} when it is none. Raises like `ask`."""
        try:
            content = json.loads(self.ask("GET", path, query, b""))
        except ValueError as error:
            raise codec.bad("payload", "json") from error
        return content if type(content) is dict else {}

    def ask(self, method: str, path: str, query: dict[str, str], body: bytes) -> bytes:
        """The body of a good answer. Raises Unreachable, or Answered for any other status."""
        for attempt in (1, 2):
            headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
            response = self._transport.request(method, path, query, headers, body)
            self.answered = True
            self.count(bytes_out=len(body), bytes_in=len(response.body))
            if response.status == 200:
                return response.body
            error = Answered(response)
            if attempt == 2 or error.code != "token" or not self._token:
                break
            self._token = ""
            self.hello()  # a first load over a slow line outlives its token
        raise error

    def count(self, **numbers: int) -> None:
        """Add to the report's numbers."""
        for name, number in numbers.items():
            self.counts[name] = self.counts.get(name, 0) + number


def refusal(code: str) -> RefusedByPeer:
    """A refusal found by this station, in words."""
    return RefusedByPeer(*words(code), code=code)


def _checked(welcome: dict[str, Any], held: tuple[str, ...]) -> dict[str, Any]:
    """The welcome when its inner parts have the form this session relies on. Raises BadFrame."""
    known, heads = welcome["known"], welcome["heads"]
    good = all(
        type(known.get(c)) is list and [type(x) for x in known[c]] == [int, bytes, int] for c in outbox.PUSHED
    ) and all(type(heads.get(s)) is dict and type(heads[s].get(c)) is int for s in held for c in pull.ORDER)
    if not good:
        raise codec.bad("header", "welcome")
    return welcome


def _instant(text: str) -> datetime:
    try:
        return parse_stamp(text)
    except ValueError as error:
        raise codec.bad("header", "time") from error
