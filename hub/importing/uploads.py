# SPDX-License-Identifier: Apache-2.0
"""Files between preview and apply: kept encrypted in the hub's folder, for their uploader alone, for a day.

A register is the most personal thing the hub ever holds in one piece; it must not lie in the open, not even for as long
as somebody looks at a preview.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from hub.context import Hub
from schema import ids
from schema.clock import parse_stamp, stamp
from schema.errors import UnknownSubject

FOLDER = "uploads"
KEPT = timedelta(days=1)
NONCE_BYTES = 12


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    id: bytes
    name: str
    content: bytes


def keep(hub: Hub, officer: str, name: str, content: bytes) -> bytes:
    """Keep a file and return its id. Those older than a day go."""
    folder = hub.home.path / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    _sweep(hub, folder)
    upload_id = ids.new_id()
    nonce = os.urandom(NONCE_BYTES)
    plain = cbor2.dumps([stamp(hub.clock.now()), name, content])
    sealed = _cipher(hub).encrypt(nonce, plain, upload_id + officer.encode())
    path = folder / ids.to_text(upload_id)
    path.touch(mode=0o600)
    path.write_bytes(nonce + sealed)
    return upload_id


def find(hub: Hub, officer: str, upload_id: bytes) -> Upload:
    """The officer's own file. Raises UnknownSubject for any other, and for one that has gone."""
    path = hub.home.path / FOLDER / ids.to_text(upload_id)
    kept = path.read_bytes() if path.is_file() else b""
    try:
        plain = _cipher(hub).decrypt(kept[:NONCE_BYTES], kept[NONCE_BYTES:], upload_id + officer.encode())
    except (InvalidTag, ValueError) as error:
        raise UnknownSubject(
            "这个文件已不在了（只留一天），请重新上传", "the file is gone (kept for a day): send it again"
        ) from error
    at, name, content = cbor2.loads(plain)
    if parse_stamp(at) + KEPT < hub.clock.now():
        raise UnknownSubject("这个文件已过期，请重新上传", "the file has expired: send it again")
    return Upload(upload_id, name, content)


def _sweep(hub: Hub, folder: Path) -> None:
    oldest_s = (hub.clock.now() - KEPT).timestamp()
    for path in folder.iterdir():
        if path.stat().st_mtime < oldest_s:
            path.unlink(missing_ok=True)


def _cipher(hub: Hub) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(sha256(b"township uploads" + hub.secrets.web_secret).digest())
