# SPDX-License-Identifier: Apache-2.0
"""Hub: answer a station's hello, or say why not.

Every doubt about identity ends here: the certificate must be this county's, in force and the newest one; key, database
and epoch must be those of the record. A station whose database was restored or copied has another epoch or another
site id: it is told to rebase, because its new edits would otherwise carry versions the hub has already seen (P11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import migrations
from schema.clock import Clock, parse_stamp, stamp
from schema.database import Store
from schema.errors import RefusedByPeer
from sync.hub import feed, inbox, life, publish
from sync.hub.inbox import Node
from sync.hub.publish import Publication
from sync.station.budget import GRANTED_BYTES_PER_HOUR
from sync.wire import certificate, enrolment, frame, signed, tokens
from sync.wire.certificate import Certificate
from sync.wire.words import words

OnHello = Callable[[Publication, str, dict[str, Any]], None]
MIN_SCHEMA = 1
RULES_MAX_CHARS = 64

HELLO: dict[str, type | tuple[type, ...]] = {
    "certificate": bytes, "epoch": bytes, "site": bytes, "schema": int, "node_time": str, "nonce": bytes, "unsent": int,
    "at": list, "rules": str, "rules_waiting": str, "numbers_wanted": int,
}  # fmt: skip
WELCOME: dict[str, type | tuple[type, ...]] = {
    "nonce": bytes, "hub_time": str, "token": str, "known": dict, "head": int, "heads": list, "schema": int,
    "revoked": list, "life": bytes, "certificate": bytes, "left": list, "budget": int,
}  # fmt: skip


class Greeter:
    """Checks who is there and says how far both sides are."""

    def __init__(
        self, store: Store, hub_key: Ed25519PrivateKey, authority_public: bytes, token_secret: bytes, clock: Clock,
        on_hello: OnHello, authority_key: Ed25519PrivateKey | None = None, *,
        bytes_per_hour: int = GRANTED_BYTES_PER_HOUR,
    ) -> None:  # fmt: skip
        self._authority_key = authority_key
        self._store, self._hub_key, self._authority = store, hub_key, authority_public
        self._token_secret, self._clock, self._on_hello = token_secret, clock, on_hello
        self._bytes_per_hour = bytes_per_hour

    def answer(self, body: bytes) -> bytes:
        """The signed welcome. Raises BadFrame, BadSignature or RefusedByPeer with the code of the refusal."""
        hello = signed.fields(signed.peek(signed.HELLO, body, "header"), HELLO, "header")
        stated = certificate.open_certificate(hello["certificate"], self._authority, self._clock.today())
        signed.check(body, stated.public_key)
        now = self._clock.now()
        try:
            skew_s = (parse_stamp(hello["node_time"]) - now).total_seconds()
        except ValueError:
            skew_s = 0.0
        with publish.transaction(self._store) as pub:
            node = self.node(pub.db, stated.node)
            self._check(pub.db, node, stated, hello)
            rules = [hello[name][:RULES_MAX_CHARS] for name in ("rules", "rules_waiting")]
            pub.db.execute(
                "UPDATE node_record SET last_seen_at = ?, unsent = ?, rules = ?, rules_waiting = ? WHERE id = ?",
                (stamp(now), max(0, min(hello["unsent"], 2**31)), *rules, node.id),
            )
            stated_here = {name: hello[name] for name in ("unsent", "schema", "numbers_wanted")}
            self._on_hello(pub, node.id, {"skew_s": round(skew_s), **stated_here})
            content = self._welcome(pub, node, hello["at"]) | {"nonce": hello["nonce"]}
            content["certificate"] = self._renewed(pub.db, stated)
        return signed.seal(signed.WELCOME, content, self._hub_key)

    def node(self, db: Any, name: str) -> Node:
        """The sender's record. Raises RefusedByPeer: unknown_node, revoked."""
        row = db.execute("SELECT * FROM node_record WHERE id = ?", (name,)).fetchone()
        if row is None or row["public_key"] is None or row["epoch"] is None or row["site_id"] is None:
            raise self.refused("unknown_node")
        if row["revoked_at"]:
            raise self.refused("revoked")
        keys = (bytes(row["epoch"]), bytes(row["public_key"]), bytes(row["site_id"]))
        return Node(row["id"], *keys, tuple(row["slices"].split()))

    def refused(self, code: str) -> RefusedByPeer:
        """A refusal in words."""
        return RefusedByPeer(*words(code), code=code)

    def _check(self, db: Any, node: Node, stated: Certificate, hello: dict[str, Any]) -> None:
        row = db.execute("SELECT serial, permit_at FROM node_record WHERE id = ?", (node.id,)).fetchone()
        serial = row["serial"]
        if stated.serial < serial:
            raise self.refused("certificate_superseded")
        if stated.public_key == node.public_key and stated.serial > serial:
            raise self.refused("hub_behind")  # this hub gave it and has forgotten it
        if stated.public_key != node.public_key or stated.serial != serial or set(stated.slices) != set(node.slices):
            raise self.refused("certificate_mismatch")
        if row["permit_at"]:
            raise self.refused("rebase")  # whichever machine of this name comes first goes on with a new epoch
        if not (stated.epoch == hello["epoch"] == node.epoch and stated.site_id == hello["site"] == node.site_id):
            raise self.refused("rebase")
        if inbox.is_frozen(db, node.id):
            raise self.refused("frozen")
        if hello["schema"] < MIN_SCHEMA:
            raise self.refused("upgrade")
        if hello["schema"] > migrations.SCHEMA_VERSION:
            raise self.refused("hub_too_old")

    def _welcome(self, pub: Publication, node: Node, at: list[Any]) -> dict[str, Any]:
        db = pub.db
        revoked = db.execute("SELECT serial FROM node_record WHERE revoked_at IS NOT NULL ORDER BY serial").fetchall()
        return {
            "hub_time": stamp(self._clock.now()),
            "token": tokens.issue(self._token_secret, node.id, node.epoch, self._clock.now()),
            "known": known_frames(db, node),
            "head": pub.seq,
            "heads": feed.heads(db, node.slices),
            "schema": migrations.SCHEMA_VERSION,
            "revoked": [r[0] for r in revoked],
            "life": life.of(db),
            "left": feed.left(db, node.slices, at),
            "budget": self._bytes_per_hour,
        }

    def _renewed(self, db: Any, stated: Certificate) -> bytes:
        """The certificate anew when the one shown ends soon; b'' when it need not be replaced."""
        today = self._clock.today()
        if self._authority_key is None or not enrolment.is_old(stated.not_after, today):
            return b""
        return enrolment.certificate_for(enrolment.renew(db, stated.node, today), self._authority_key, today)


def known_frames(db: Any, node: Node) -> dict[str, list[Any]]:
    """channel -> [n, hash, upto] of the last frame that the hub has of this life; channels without one are left out."""
    found = {channel: inbox.known(db, node, channel) for channel in frame.PUSHED}
    return {channel: [last.n, last.hash, last.upto] for channel, last in found.items() if last.n}
