# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens of a session: `node.epoch.expiry.mac`, made and checked by the hub alone, for one hour."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256

from schema.clock import parse_stamp, stamp

LIFETIME = timedelta(hours=1)


def issue(secret: bytes, node: str, epoch: bytes, now: datetime) -> str:
    """A token for this station and epoch."""
    body = f"{node}.{epoch.hex()}.{stamp(now + LIFETIME)}"
    return f"{body}.{_mac(secret, body)}"


def check(secret: bytes, token: str, now: datetime) -> tuple[str, bytes] | None:
    """(node, epoch) the token was issued to, or None when it does not hold or has run out."""
    body, _, mac = token.rpartition(".")
    if not body or not mac.isascii() or not hmac.compare_digest(mac, _mac(secret, body)):
        return None
    node, epoch, expiry = body.split(".", 2)
    return (node, bytes.fromhex(epoch)) if now <= parse_stamp(expiry) else None


def _mac(secret: bytes, body: str) -> str:
    return hmac.new(secret, b"S1 token " + body.encode(), sha256).hexdigest()
