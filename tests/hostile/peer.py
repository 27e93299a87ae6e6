# SPDX-License-Identifier: Apache-2.0
"""A station as the hub's web server sees one: a key, a certificate, frames. It may say whatever it likes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schema import database, ids, migrations
from schema.clock import stamp
from schema.events import GENESIS, HUB, Fact
from sync.wire import frame, signed
from sync.wire.certificate import Certificate, issue
from tests.hub.county import STATION, TOWNSHIP, County

OCTETS = "application/octet-stream"


@dataclass
class Peer:
    """Station 0100-1, enrolled at the hub."""

    county: County
    client: FlaskClient
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    epoch: bytes = field(default_factory=lambda: os.urandom(16))
    site: bytes = field(default_factory=lambda: os.urandom(16))
    slices: tuple[str, ...] = ("county", TOWNSHIP, f"node:{STATION}")

    def __post_init__(self) -> None:
        with self.county.store.write() as db:
            bound = {"public_key": self.public, "epoch": self.epoch, "site_id": self.site}
            database.update(db, "node_record", {"id": STATION}, bound)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def certificate(self, authority: Ed25519PrivateKey | None = None, **changes: Any) -> bytes:
        """The station's own, unless changed."""
        stated = {
            "node": STATION, "public_key": self.public, "site_id": self.site, "epoch": self.epoch,
            "slices": self.slices, "role": "station", "serial": 1, "not_before": "2026-01-01",
            "not_after": "2027-12-31",
        }  # fmt: skip
        return issue(Certificate(**stated | changes), authority or self.county.hub.secrets.authority)

    def hello(self, certificate: bytes | None = None, **changes: Any) -> TestResponse:
        return self.send("POST", "/s1/hello", self.hello_body(certificate, **changes))

    def hello_body(self, certificate: bytes | None = None, **changes: Any) -> bytes:
        said = {
            "certificate": certificate or self.certificate(), "epoch": self.epoch, "site": self.site, "unsent": 0,
            "schema": migrations.SCHEMA_VERSION, "nonce": ids.new_id(), "node_time": stamp(self.county.hub.clock.now()),
            "at": [0] * len(frame.PULLED) * len(self.slices), "rules": "", "rules_waiting": "",
            "numbers_wanted": 0,
        }  # fmt: skip
        return signed.seal(signed.HELLO, said | changes, self.key)

    def token(self) -> str:
        """A good session's token."""
        answer = self.hello()
        assert answer.status_code == 200, answer.data
        return str(signed.peek(signed.WELCOME, answer.data, "header")["token"])

    def send(self, method: str, path: str, body: bytes = b"", token: str = "") -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.open(path, method=method, data=body, headers=headers, content_type=OCTETS)

    def frame(self, content: Any, count: int, *, channel: str = "evt", n: int = 1, **changes: Any) -> bytes:
        """A frame with this content, well formed and signed unless changed."""
        header = {
            "node": STATION, "to": HUB, "epoch": self.epoch, "chan": channel, "slice": "", "dir": frame.PUSH, "n": n,
            "prev": GENESIS, "first": 0, "upto": 1, "more": False, "schema": migrations.SCHEMA_VERSION,
            "items": count, "made_at": stamp(self.county.hub.clock.now()),
        }  # fmt: skip
        return frame.build(frame.Header(**header | changes), content, self.key)

    def push(self, data: bytes, token: str, *, channel: str = "evt", n: int = 1) -> TestResponse:
        return self.send("PUT", f"/s1/chunk/{STATION}/{self.epoch.hex()}/{channel}/{n}", data, token)

    def push_facts(self, *facts: Fact | list[Any]) -> TestResponse:
        """The first frame of this station, with these facts or what stands in their place."""
        items = [f.to_wire() if isinstance(f, Fact) else f for f in facts]
        return self.push(self.frame({"facts": items}, len(items)), self.token())
