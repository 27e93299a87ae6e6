# SPDX-License-Identifier: Apache-2.0
"""Secrets at rest under a password: an officer's signing key, a station's secrets file.

A sealed blob is CBOR `{v, kdf: "argon2id", m, t, p, salt, nonce, ct}`: Argon2id (RFC 9106) stretches the password,
ChaCha20-Poly1305 (RFC 8439) seals the secret. The cost is read from the blob, so it can be raised for new blobs
without touching old ones; it is bounded, so that a blob made by an enemy cannot exhaust the memory of a 2 GB PC.
There is no stored password hash: a password is right when it opens the key.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cbor2
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from schema.errors import WrongKey, WrongPassword
from schema.findings import Finding

VERSION = 1
KDF = "argon2id"
SALT_BYTES = 16
NONCE_BYTES = 12
KEY_BYTES = 32
TAG_BYTES = 16
MAX_BLOB_BYTES = 65536

MAX_MEMORY_KIB = 256 * 1024
MAX_ROUNDS = 10
MAX_LANES = 4

PASSWORD_MIN_CHARS = 10
PASSWORD_MAX_CHARS = 128

# What the secret is for is bound to the seal: an officer's blob put in the place of a secrets file does not open.
_FOR_OFFICER = b"township officer key"
_FOR_SECRET = b"township sealed secret"

# Argon2 takes its memory in one piece; eight logins at once must not take eight times that.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Cost:
    """Argon2id cost: memory in KiB, passes over it, lanes."""

    memory_kib: int = 64 * 1024
    rounds: int = 3
    lanes: int = 1

    def bounded(self) -> bool:
        """Whether this machine may be asked to pay it."""
        return (
            1 <= self.lanes <= MAX_LANES
            and 1 <= self.rounds <= MAX_ROUNDS
            and 8 * self.lanes <= self.memory_kib <= MAX_MEMORY_KIB
        )


STANDARD = Cost()


def new_officer_key(password: str, cost: Cost = STANDARD) -> tuple[bytes, bytes]:
    """A fresh Ed25519 key as (public key, 32 bytes; private key wrapped by the password)."""
    key = Ed25519PrivateKey.generate()
    return key.public_key().public_bytes_raw(), _wrap(key, password, cost)


def unwrap(wrapped: bytes, password: str) -> Ed25519PrivateKey:
    """The officer's private key. Raises WrongPassword; WrongKey when the blob is damaged or not one of ours."""
    secret = _open(wrapped, _plain(password).encode(), _FOR_OFFICER)
    if len(secret) != KEY_BYTES:
        raise _damaged()
    return Ed25519PrivateKey.from_private_bytes(secret)


def rewrap(wrapped: bytes, old: str, new: str, cost: Cost = STANDARD) -> bytes:
    """The same key under a new password. Raises as `unwrap` does."""
    return _wrap(unwrap(wrapped, old), new, cost)


def decoy(cost: Cost = STANDARD) -> bytes:
    """A blob of the right shape and cost that no password opens.

    Unwrapping it takes as long as a real attempt: the time of an answer does not tell which officer numbers exist.
    """
    return _pack(cost, os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES), os.urandom(KEY_BYTES + TAG_BYTES))


def seal(secret: bytes, passphrase: bytes, cost: Cost = STANDARD) -> bytes:
    """Any secret (at most 60 KiB) under a passphrase, e.g. a station's secrets file."""
    return _seal(secret, passphrase, cost, _FOR_SECRET)


def open_sealed(blob: bytes, passphrase: bytes) -> bytes:
    """What `seal` was given. Raises WrongPassword; WrongKey when the blob is damaged or not one of ours."""
    return _open(blob, passphrase, _FOR_SECRET)


def password_findings(new: str, *, names: tuple[str, ...] = (), field: str = "new") -> list[Finding]:
    """What is wrong with a new password, all at once; empty when it may be used.

    `names` are words it must not contain (the officer's number and name).
    """
    text = _plain(new)
    problems = [(code, zh, en) for code, test, zh, en in _PASSWORD_RULES if test(text)]
    if any(len(name) > 1 and _plain(name).lower() in text.lower() for name in names):
        problems.append(("password_name", "密码里不能有工号或姓名", "It must not contain your officer number or name"))
    return [Finding(code, "block", field, zh, en) for code, zh, en in problems]


def _is_run(text: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return len(text) > 1 and steps in ({1}, {-1})


def _kinds(text: str) -> int:
    tests: tuple[Callable[[str], bool], ...] = (str.isdigit, str.islower, str.isupper)
    return sum(any(test(c) for c in text) for test in tests) + any(not c.isalnum() for c in text)


_PASSWORD_RULES: tuple[tuple[str, Callable[[str], bool], str, str], ...] = (
    ("password_short", lambda text: len(text) < PASSWORD_MIN_CHARS,
     f"密码至少 {PASSWORD_MIN_CHARS} 个字符，可以用一句话",
     f"Use at least {PASSWORD_MIN_CHARS} characters; a sentence is fine"),
    ("password_long", lambda text: len(text) > PASSWORD_MAX_CHARS,
     f"密码最多 {PASSWORD_MAX_CHARS} 个字符", f"Use at most {PASSWORD_MAX_CHARS} characters"),
    ("password_plain", lambda text: len(set(text)) < 5 or _is_run(text),
     "密码不能是重复或连续的字符", "Repeated or running characters are too easy to guess"),
    ("password_one_kind", lambda text: text.isascii() and _kinds(text) < 2,
     "密码要有两类以上字符：数字、小写、大写、符号", "Mix at least two kinds: digits, small letters, capitals, signs"),
)  # fmt: skip


def _wrap(key: Ed25519PrivateKey, password: str, cost: Cost) -> bytes:
    return _seal(key.private_bytes_raw(), _plain(password).encode(), cost, _FOR_OFFICER)


def _plain(password: str) -> str:
    # An input method left in full-width mode types ｐ for p: both are the same password.
    return unicodedata.normalize("NFKC", password)


def _stretch(password: bytes, salt: bytes, cost: Cost) -> bytes:
    with _one_at_a_time:
        return hash_secret_raw(password, salt, cost.rounds, cost.memory_kib, cost.lanes, KEY_BYTES, Type.ID)


def _bound(cost: Cost, purpose: bytes) -> bytes:
    return cbor2.dumps([VERSION, KDF, cost.memory_kib, cost.rounds, cost.lanes, purpose], canonical=True)


def _pack(cost: Cost, salt: bytes, nonce: bytes, ct: bytes) -> bytes:
    blob = {"v": VERSION, "kdf": KDF, "m": cost.memory_kib, "t": cost.rounds, "p": cost.lanes}
    return cbor2.dumps(blob | {"salt": salt, "nonce": nonce, "ct": ct}, canonical=True)


def _seal(secret: bytes, password: bytes, cost: Cost, purpose: bytes) -> bytes:
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    ct = ChaCha20Poly1305(_stretch(password, salt, cost)).encrypt(nonce, secret, _bound(cost, purpose))
    return _pack(cost, salt, nonce, ct)


def _open(blob: bytes, password: bytes, purpose: bytes) -> bytes:
    cost, salt, nonce, ct = _parse(blob)
    try:
        return ChaCha20Poly1305(_stretch(password, salt, cost)).decrypt(nonce, ct, _bound(cost, purpose))
    except InvalidTag as error:
        raise WrongPassword("密码不对", "wrong password") from error


def _parse(blob: bytes) -> tuple[Cost, bytes, bytes, bytes]:
    """Refuses everything that is not exactly the form above, before any memory is spent on it."""
    if len(blob) > MAX_BLOB_BYTES:
        raise _damaged()
    try:
        parts: Any = cbor2.loads(blob)
    except (cbor2.CBORDecodeError, ValueError, RecursionError) as error:
        raise _damaged() from error
    shape = {"v": int, "kdf": str, "m": int, "t": int, "p": int, "salt": bytes, "nonce": bytes, "ct": bytes}
    if type(parts) is not dict or set(parts) != set(shape):
        raise _damaged()
    if any(type(parts[name]) is not kind for name, kind in shape.items()):
        raise _damaged()
    cost = Cost(parts["m"], parts["t"], parts["p"])
    salt, nonce, ct = parts["salt"], parts["nonce"], parts["ct"]
    sizes_fit = len(salt) == SALT_BYTES and len(nonce) == NONCE_BYTES and len(ct) >= TAG_BYTES
    if parts["v"] != VERSION or parts["kdf"] != KDF or not sizes_fit or not cost.bounded():
        raise _damaged()
    return cost, salt, nonce, ct


def _damaged() -> WrongKey:
    return WrongKey("密钥文件损坏或不是本系统的", "the sealed key is damaged or not one of ours")
