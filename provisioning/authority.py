# SPDX-License-Identifier: Apache-2.0
"""The county's own authority: the secrets a hub and a station begin with, and how long what it signs may last.

Nothing here has a default secret: every key is drawn when its folder is made and sealed under the passphrase of whoever
makes it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import keys
from schema.database import KEY_BYTES
from schema.errors import ConfigError
from schema.home import StationSecrets

SECRET_BYTES = 32


@dataclass(frozen=True)
class Lifetime:
    """How many days something is good for: at least, usually, at most."""

    zh: str
    en: str
    least: int
    usual: int
    most: int

    def last_day(self, today: date, days: int | None = None) -> date:
        """The last day it is good. Raises ConfigError for a number of days out of bounds."""
        asked = self.usual if days is None else days
        if not self.least <= asked <= self.most:
            raise ConfigError(
                f"{self.zh}应在 {self.least} 到 {self.most} 天之间，这里是 {asked}",
                f"{self.en} must be {self.least} to {self.most} days; this is {asked}",
            )
        return today + timedelta(days=asked)


STATION_CERTIFICATE = Lifetime("站点证书有效期", "the lifetime of a station's certificate", 30, 730, 1500)
ENROLMENT_CODE = Lifetime("注册码有效期", "the lifetime of an enrolment code", 1, 14, 60)
TLS_AUTHORITY = Lifetime("TLS 根证书有效期", "the lifetime of the TLS authority", 3650, 7300, 7300)
TLS_SERVER = Lifetime("TLS 证书有效期", "the lifetime of the TLS certificate", 90, 800, 820)


def new_secret() -> bytes:
    """32 random bytes: a database key, a session secret."""
    return secrets.token_bytes(max(SECRET_BYTES, KEY_BYTES))


def new_signing_key() -> bytes:
    """A fresh Ed25519 private key, raw."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """The public half of a raw Ed25519 private key."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def station_secrets() -> StationSecrets:
    """What a station begins with. Made at the station; none of it ever leaves."""
    return StationSecrets(db_key=new_secret(), node_key=new_signing_key(), web_secret=new_secret())


def require_strong(passphrase: bytes) -> None:
    """Raises ConfigError, naming every fault, for a passphrase that is too easy to guess."""
    try:
        text = passphrase.decode()
    except UnicodeDecodeError:
        raise ConfigError("口令文件不是 UTF-8 文字", "the unlock file is not UTF-8 text") from None
    findings = keys.password_findings(text)
    if findings:
        raise ConfigError(
            "口令太弱：" + "；".join(f.zh for f in findings),
            "the passphrase is too weak: " + "; ".join(f.en for f in findings),
        )
