# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens of a session: `node.epoch.expiry.mac`, made and checked by the hub alone, for one hour.

They go with every request, so they are short: the expiry in Unix seconds, epoch and mac (half of an HMAC) in base64.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256

LIFETIME = timedelta(hours=1)
_MAC_BYTES = 16


def issue(secret: bytes, node: str, epoch: bytes, now: datetime) -> str:
    """A token for this station and epoch."""
    body = f"{node}.{_text(epoch)}.{int((now + LIFETIME).timestamp())}"
    return f"{body}.{_mac(secret, body)}"


def check(secret: bytes, token: str, now: datetime) -> tuple[str, bytes] | None:
    """(node, epoch) the token was issued to, or None when it does not hold or has run out."""
    body, _, mac = token.rpartition(".")
    if not body or not mac.isascii() or not hmac.compare_digest(mac, _mac(secret, body)):
        return None
    node, epoch, expiry = body.split(".", 2)
    return (node, urlsafe_b64decode(epoch + "==")) if now.timestamp() <= int(expiry) else None


def _mac(secret: bytes, body: str) -> str:
    return _text(hmac.new(secret, b"S1 token " + body.encode(), sha256).digest()[:_MAC_BYTES])


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
