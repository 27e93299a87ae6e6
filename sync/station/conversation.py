# SPDX-License-Identifier: Apache-2.0
"""Station: one conversation with the hub: greeting, token, requests, and the count of what went over the line.

The stages of a session (`push_stage`, `pull_stage`, the proof) speak through it and know nothing of each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.clock import Clock, parse_stamp
from schema.database import Store
from schema.errors import TownshipError
from sync.station import hello, rebase
from sync.station.budget import TALK, Ledger, Spending
from sync.station.left import Telling
from sync.station.line import Line
from sync.station.link import Link
from sync.station.report import Answered
from sync.wire import certificate as certificates
from sync.wire import codec
from sync.wire.transport import Transport

_UNLIMITED = Spending()

Progress = Callable[[str, int], None]
"""Called with a stage ('hello', 'push', 'snapshot', 'pull', 'verify', 'blob') and the number of items so far, of
a snapshot or a scan the number of bytes."""


class Conversation:
    """What the stages of one session share. `problem` ends the session once the other stages had their turn."""

    def __init__(
        self, store: Store, key: Ed25519PrivateKey, certificate: bytes, hub_public: bytes, transport: Transport,
        clock: Clock, listener: Progress, spending: Spending = _UNLIMITED,
    ) -> None:  # fmt: skip
        self.store, self.key, self.hub_public = store, key, hub_public
        self.adopt(certificate)
        self.clock = clock
        self.link = Link(store, clock)
        self.ledger = Ledger(store, clock, self.certificate.node, spending)
        self.line = Line(transport, self.link, self.ledger)
        self.telling = Telling(self.link, clock)
        self._listener = listener
        self._token = ""
        self.counts: dict[str, Any] = {}
        self.problem: TownshipError | None = None
        self.answered = False
        self.waits: set[str] = set()

    def adopt(self, certificate: bytes) -> None:
        """Speak with this certificate from now on."""
        self.file, self.certificate = certificate, certificates.read(certificate)

    def hello(self) -> dict[str, Any]:
        """Greet and check the welcome against what this station knows. Raises RefusedByPeer, BadFrame, Unreachable."""
        before = self.clock.now()
        with self.store.read() as db:
            then = hello.standing(db)
            body, nonce = hello.write(db, self.file, self.key, before)
        answer = self.ask("POST", "/s1/hello", {}, body, TALK)
        welcome = hello.read_welcome(answer, self.hub_public, self.certificate.slices)
        if welcome["nonce"] != nonce:
            raise codec.bad("header", "nonce")
        middle = before + (self.clock.now() - before) / 2
        skew = (middle - parse_stamp(welcome["hub_time"])).total_seconds()
        self.link.put({"clock_skew_s": str(round(skew))})
        with self.store.read() as db:
            hello.reconcile(db, welcome, then)
        if welcome["certificate"] or not rebase.knows_hub(self.store):
            with self.store.write() as db:
                rebase.note(db, welcome)
                self.adopt(rebase.certificate_in_force(db, self.file))
        self._token = welcome["token"]
        self.ledger.grant(welcome["budget"])
        self.telling.expect(hello.left_by_channel(welcome, self.certificate.slices))
        return welcome

    def tell(self, stage: str, done: int) -> None:
        """How far the session is, for who started it and for the pages."""
        self.telling.tell(stage, done)
        self._listener(stage, done)

    def may(self, channel: str) -> bool:
        """Whether the hour's budget lets this channel go on; if not, the report says that it waits."""
        if self.ledger.may(channel):
            return True
        self.waits.add(channel)
        return False

    def ask_json(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        """The JSON map of a good answer, {} when it is none. Raises like `ask`."""
        try:
            content = json.loads(self.ask("GET", path, query, b"", TALK))
        except ValueError as error:
            raise codec.bad("payload", "json") from error
        return content if type(content) is dict else {}

    def ask(self, method: str, path: str, query: dict[str, str], body: bytes, channel: str = TALK) -> bytes:
        """The body of a good answer. Raises Unreachable, or Answered for any other status."""
        for attempt in (1, 2):
            headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
            response = self.line.request(method, path, query, headers, body, channel)
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
