# SPDX-License-Identifier: Apache-2.0
"""Hub: let a station's database begin a new life (epoch and site id), or say why a person must decide first (P11).

A database that was restored, copied, or is ahead of a hub that was restored itself cannot go on under its old epoch:
its versions and frame numbers were given once already. It asks, signed with the station's key, which is proof enough to
be let on by itself when it descends from the life the hub knows, a few times a day. A machine that does not (its epoch
ended, because another machine under the same name went on) is one of two: they would take the name from each other for
ever, so it waits until a person permits the next one that asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database, events
from schema.clock import Clock, stamp
from schema.database import Store
from sync.equality import incidents
from sync.hub import greeting, inbox, life, publish
from sync.hub.greeting import Greeter
from sync.hub.inbox import Node
from sync.hub.publish import Publication
from sync.wire import certificate, codec, enrolment, signed

ASK: dict[str, type | tuple[type, ...]] = {
    "certificate": bytes, "epoch": bytes, "site": bytes, "new_epoch": bytes, "new_site": bytes, "why": str,
    "former": list, "facts": list, "nonce": bytes,
}  # fmt: skip
GRANT: dict[str, type | tuple[type, ...]] = {
    "nonce": bytes, "certificate": bytes, "known": dict, "facts": list, "life": bytes, "since": str,
}  # fmt: skip
HUB_FORGOT = "hub"
REASONS = ("restored", "history", "told", HUB_FORGOT, "renew")
"""Why a station asks: a person restored its copy; the hub has frames it never built; the hub told it so; the hub lacks
what it signed for; only its certificate ended."""
MAX_A_DAY = 3
MAX_LIVES = 64

OnGrant = Callable[[Publication, str, bool], None]
"""Called with the station and whether serials may have been printed that this database does not know of."""


class Granter:
    """Answers `POST /s1/rebase`."""

    def __init__(
        self, store: Store, hub_key: Ed25519PrivateKey, authority_key: Ed25519PrivateKey | None, clock: Clock,
        greeter: Greeter, on_grant: OnGrant,
    ) -> None:  # fmt: skip
        self._store, self._hub_key, self._authority, self._clock = store, hub_key, authority_key, clock
        self._greeter, self._on_grant = greeter, on_grant

    def answer(self, body: bytes) -> bytes:
        """The signed grant. Raises BadFrame, BadSignature, or RefusedByPeer: what a person must decide is noted."""
        if self._authority is None:
            raise self._greeter.refused("rebase")
        asked = _read(body)
        stated = certificate.read(asked["certificate"])
        # Its dates do not count here: a station that was away for a year asks with what it has.
        signed.check(asked["certificate"], self._authority.public_key().public_bytes_raw(), "certificate_signature")
        signed.check(body, stated.public_key)
        with publish.transaction(self._store) as pub:
            node = self._greeter.node(pub.db, stated.node)
            if node.public_key != stated.public_key:
                raise self._greeter.refused("certificate_mismatch")
            now = self._clock.now()
            code = _doubt(pub.db, node, asked, now)
            if code in ("clone", "rebase_waits"):
                incidents.record(pub.db, "clone", node.id, f"{code} {asked['epoch'].hex()}", stamp(now))
            elif not code:
                content = self._grant(pub, node, asked)
        if code:
            raise self._greeter.refused(code)
        return signed.seal(signed.GRANT, content, self._hub_key)

    def _grant(self, pub: Publication, node: Node, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._authority is not None
        known = greeting.known_frames(pub.db, replace(node, epoch=asked["epoch"]))
        if (asked["new_epoch"], asked["new_site"]) != (node.epoch, node.site_id):
            self._begin(pub, node, asked)
        record = enrolment.renew(pub.db, node.id, self._clock.today())
        return {
            "nonce": asked["nonce"],
            "certificate": enrolment.certificate_for(record, self._authority, self._clock.today()),
            "known": known,
            "facts": _last_facts(pub.db, node.id),
            "life": life.of(pub.db),
            "since": life.since(pub.db),
        }

    def _begin(self, pub: Publication, node: Node, asked: dict[str, Any]) -> None:
        now = stamp(self._clock.now())
        lives = [(node.epoch, node.site_id), *_former(asked), (asked["epoch"], asked["site"])]
        for epoch, site in lives:
            if not _taken(pub.db, node.id, epoch, site):
                database.upsert(
                    pub.db, "former_epoch", {"node": node.id, "epoch": epoch, "site_id": site, "ended_at": now}
                )
        serial = pub.db.execute("SELECT max(serial) + 1 FROM node_record").fetchone()[0]
        database.update(pub.db, "node_record", {"id": node.id}, {
            "epoch": asked["new_epoch"], "site_id": asked["new_site"], "serial": serial, "permit_at": None,
        })  # fmt: skip
        incidents.record(pub.db, "rebase", node.id, f"{asked['why']} {asked['epoch'].hex()}", now)
        incidents.repaired(pub.db, "clone", node.id, now)
        _feed_back(pub, node.id, asked)
        self._on_grant(pub, node.id, asked["why"] != HUB_FORGOT)


def permit(db: Any, station: str, at: str) -> None:
    """A person decided: the next machine that asks in this station's name goes on. Ends a freeze, too."""
    database.update(db, "node_record", {"id": station}, {"permit_at": at})
    db.execute(
        "UPDATE refusal SET handled_at = ? WHERE peer = ? AND code = 'frozen' AND handled_at IS NULL", (at, station)
    )


def is_permitted(db: Any, station: str) -> bool:
    """Whether the next machine of this station may go on with a new epoch."""
    found = db.execute("SELECT permit_at FROM node_record WHERE id = ?", (station,)).fetchone()
    return bool(found and found[0])


def _read(body: bytes) -> dict[str, Any]:
    asked = signed.fields(signed.peek(signed.REBASE, body, "header"), ASK, "header")
    ids = [asked[name] for name in ("epoch", "site", "new_epoch", "new_site", "nonce")]
    pairs = [*asked["former"], *asked["facts"]]
    fit = all(type(pair) is list and len(pair) == 2 and type(pair[0]) is bytes for pair in pairs)
    fit = fit and all(type(site) is bytes for _, site in asked["former"])
    fit = fit and all(type(seq) is int and seq >= 0 for _, seq in asked["facts"])
    if not fit or asked["why"] not in REASONS or max(len(asked["former"]), len(asked["facts"])) > MAX_LIVES:
        raise codec.bad("header", "rebase")
    if any(len(x) != 16 for x in (*ids, *(e for e, _ in pairs), *(site for _, site in asked["former"]))):
        raise codec.bad("header", "length")
    return asked


def _former(asked: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    return [(epoch, site) for epoch, site in asked["former"]]


def _doubt(db: Any, node: Node, asked: dict[str, Any], now: datetime) -> str:
    """'' when it may begin; else the code of what stands in the way."""
    if (asked["new_epoch"], asked["new_site"]) == (node.epoch, node.site_id):
        return ""  # granted before and the answer was lost, or only the certificate is asked for
    if asked["new_epoch"] == asked["epoch"] or asked["new_site"] == asked["site"]:
        return "rebase"
    if _taken(db, "", asked["new_epoch"], asked["new_site"]):
        raise codec.bad("header", "epoch")
    if is_permitted(db, node.id):
        return ""
    if inbox.is_frozen(db, node.id):
        return "frozen"
    if node.epoch not in (asked["epoch"], *(epoch for epoch, _ in asked["former"])):
        return "clone"
    day = stamp(now - timedelta(days=1))
    sql = "SELECT count(DISTINCT ended_at) FROM former_epoch WHERE node = ? AND ended_at > ?"
    return "rebase_waits" if db.execute(sql, (node.id, day)).fetchone()[0] >= MAX_A_DAY else ""


def _taken(db: Any, node: str, epoch: bytes, site: bytes) -> bool:
    """Whether the epoch or site id is known as a former life, or as anything of another station."""
    return (
        db.execute(
            "SELECT 1 FROM former_epoch WHERE epoch = ?1 OR site_id = ?2 "
            "UNION ALL SELECT 1 FROM node_record WHERE id <> ?3 AND (epoch = ?1 OR site_id = ?2)",
            (epoch, site, node),
        ).fetchone()
        is not None
    )


def _last_facts(db: Any, node: str) -> list[list[Any]]:
    """Per epoch of the station the highest number the hub has."""
    sql = "SELECT epoch, max(seq) FROM fact WHERE origin = ? GROUP BY epoch ORDER BY max(rowid) DESC LIMIT ?"
    return [[bytes(epoch), seq] for epoch, seq in db.execute(sql, (node, MAX_LIVES))]


def _feed_back(pub: Publication, node: str, asked: dict[str, Any]) -> None:
    """Send the station its own facts that the hub has and its database may not have: those above what it has receipts
    for, and those that share their number with another one, because they may be another life's."""
    held = dict(asked["facts"])
    twice = "SELECT count(*) > 1 FROM fact o WHERE o.origin = f.origin AND o.epoch = f.epoch AND o.seq = f.seq"
    sql = f"SELECT f.*, ({twice}) AS twice FROM fact f WHERE f.origin = ? ORDER BY f.rowid"
    for row in pub.db.execute(sql, (node,)).fetchall():
        if row["twice"] or row["seq"] > held.get(bytes(row["epoch"]), 0):
            pub.fact(events.from_row(row), node)
