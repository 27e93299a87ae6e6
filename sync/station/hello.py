# SPDX-License-Identifier: Apache-2.0
"""Station: how it greets the hub and what it makes of the welcome, whichever way the two travel.

The hub's record of what it stored is the truth for push, the station's record for pull. Where one does not fit the
other, two histories run under one name: that is said and the exchange ends before anything is sent or applied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, database, ids, migrations, rulebook
from schema.clock import parse_stamp, stamp
from schema.errors import RefusedByPeer
from schema.events import GENESIS
from sync.hub.greeting import WELCOME
from sync.station import outbox, pull, rebase
from sync.wire import certificate as certificates
from sync.wire import codec, frame, signed
from sync.wire.words import words

NUMBERS_WANTED = "numbers_wanted"
"""The setting that says how many free receipt numbers this station needs for what it has in hand; digits."""

# Of a channel without frames.
NOTHING_KNOWN = (0, GENESIS, 0)


@dataclass(frozen=True)
class Standing:
    """How far a station was when it greeted: the last number the hub signed for per channel, the furthest cursor."""

    acked: dict[str, int]
    furthest: int


def standing(db: Any) -> Standing:
    """Taken before asking: another session of this station may get further while the hub answers."""
    return Standing({channel: outbox.acked_n(db, channel) for channel in outbox.PUSHED}, pull.furthest(db))


def write(db: Any, certificate: bytes, key: Ed25519PrivateKey, now: datetime) -> tuple[bytes, bytes]:
    """(the signed hello, its nonce)."""
    _, epoch = outbox.identity(db)
    nonce = ids.new_id()
    content = {
        "certificate": certificate, "epoch": epoch, "site": crsqlite.site_id(db), "nonce": nonce,
        "unsent": outbox.unsent(db).count, "schema": migrations.SCHEMA_VERSION, "node_time": stamp(now),
        "at": [pull.cursor(db, *place) for place in frame.places(certificates.read(certificate).slices)],
        "rules": rulebook.in_force(db), "rules_waiting": rulebook.waiting(db).get("hash", ""),
        "numbers_wanted": int(database.setting(db, NUMBERS_WANTED) or 0),
    }  # fmt: skip
    return signed.seal(signed.HELLO, content, key), nonce


def left_by_channel(welcome: dict[str, Any], slices: Iterable[str]) -> dict[str, int]:
    """How many feed entries the hub has for this station, by channel."""
    out: dict[str, int] = {}
    for (_, channel), count in zip(frame.places(slices), welcome["left"], strict=True):
        out[channel] = out.get(channel, 0) + count
    return out


def read_welcome(data: bytes, hub_public: bytes, held: tuple[str, ...]) -> dict[str, Any]:
    """The welcome when the hub signed it and its inner parts have the form a station relies on.

    Raises BadFrame, BadSignature.
    """
    welcome = signed.fields(signed.open_(signed.WELCOME, data, hub_public), WELCOME, "header")
    counted = (welcome["left"], welcome["heads"])
    good = all(len(one) == len(frame.places(held)) and all(type(n) is int for n in one) for one in counted)
    if not good or not known_fits(welcome["known"]) or len(welcome["life"]) != 16 or welcome["budget"] < 0:
        raise codec.bad("header", "welcome")
    try:
        parse_stamp(welcome["hub_time"])
    except ValueError as error:
        raise codec.bad("header", "time") from error
    return welcome


def known_fits(known: dict[str, Any]) -> bool:
    """Whether the hub's word on the frames it has, of a welcome or a grant, has its form."""
    fits = all(type(last) is list and [type(x) for x in last] == [int, bytes, int] for last in known.values())
    return fits and set(known) <= set(outbox.PUSHED)


def reconcile(db: Any, welcome: dict[str, Any], then: Standing) -> None:
    """Raises RefusedByPeer: hub_behind when the hub lacks what it signed for, rebase when it knows another history,
    hub_restored when it came back from a backup."""
    for channel in outbox.PUSHED:
        n, hash_, _ = welcome["known"].get(channel, NOTHING_KNOWN)
        if then.acked[channel] > n:
            raise refusal("hub_behind")
        if n and outbox.hash_at(db, channel, n) != hash_:
            raise refusal("rebase")
    if rebase.is_another_hub_life(db, welcome):
        raise refusal("hub_restored")
    if then.furthest > welcome["head"]:
        raise refusal("hub_behind")


def refusal(code: str) -> RefusedByPeer:
    """A refusal in words."""
    return RefusedByPeer(*words(code), code=code)
