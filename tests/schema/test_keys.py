# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schema import keys
from schema.errors import WrongKey, WrongPassword

CHEAP = keys.Cost(memory_kib=64, rounds=1, lanes=1)
PASSWORD = "甘霖 rain 2026"


@pytest.fixture
def wrapped() -> bytes:
    return keys.new_officer_key(PASSWORD, CHEAP)[1]


def altered(blob: bytes, **parts: Any) -> bytes:
    return cbor2.dumps(cbor2.loads(blob) | parts, canonical=True)


def test_the_password_opens_the_key_that_belongs_to_the_public_key() -> None:
    public, wrapped = keys.new_officer_key(PASSWORD, CHEAP)
    signature = keys.unwrap(wrapped, PASSWORD).sign(b"fact")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, b"fact")


def test_two_officers_with_one_password_have_nothing_in_common() -> None:
    first, second = (keys.new_officer_key(PASSWORD, CHEAP) for _ in range(2))
    assert first[0] != second[0]
    assert not {cbor2.loads(first[1])[part] for part in ("salt", "nonce", "ct")} & {
        cbor2.loads(second[1])[part] for part in ("salt", "nonce", "ct")
    }


def test_the_blob_holds_neither_key_nor_password(wrapped: bytes) -> None:
    assert keys.unwrap(wrapped, PASSWORD).private_bytes_raw() not in wrapped
    assert PASSWORD.encode() not in wrapped


def test_the_standard_cost_is_what_the_design_promises() -> None:
    blob = cbor2.loads(keys.decoy())
    assert (blob["v"], blob["kdf"], blob["m"], blob["t"], blob["p"]) == (1, "argon2id", 65536, 3, 1)


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", PASSWORD.upper()])
def test_another_password_is_refused(wrapped: bytes, password: str) -> None:
    with pytest.raises(WrongPassword):
        keys.unwrap(wrapped, password)


def test_a_password_typed_in_full_width_is_the_same_password() -> None:
    _, wrapped = keys.new_officer_key("ganlin2026", CHEAP)
    assert keys.unwrap(wrapped, "ｇａｎｌｉｎ２０２６")


def test_a_new_password_opens_the_same_key_and_the_old_one_no_longer() -> None:
    public, wrapped = keys.new_officer_key(PASSWORD, CHEAP)
    again = keys.rewrap(wrapped, PASSWORD, "another 2026", CHEAP)
    assert keys.unwrap(again, "another 2026").public_key().public_bytes_raw() == public
    with pytest.raises(WrongPassword):
        keys.unwrap(again, PASSWORD)


def test_rewrapping_asks_for_the_old_password(wrapped: bytes) -> None:
    with pytest.raises(WrongPassword):
        keys.rewrap(wrapped, "wrong", "another 2026", CHEAP)


def test_the_decoy_opens_with_no_password() -> None:
    with pytest.raises(WrongPassword):
        keys.unwrap(keys.decoy(CHEAP), "")


@pytest.mark.parametrize(
    "hostile",
    [
        {"m": keys.MAX_MEMORY_KIB + 1},
        {"m": 2**40},
        {"m": 7},
        {"m": -1},
        {"t": keys.MAX_ROUNDS + 1},
        {"t": 0},
        {"p": keys.MAX_LANES + 1},
        {"p": 0},
        {"m": 64.0},
        {"t": True},
        {"v": 2},
        {"kdf": "argon2i"},
        {"salt": b""},
        {"nonce": bytes(24)},
        {"ct": b"short"},
        {"ct": "text"},
        {"extra": 1},
    ],
)
def test_a_hostile_or_foreign_blob_is_refused_before_any_memory_is_spent(
    wrapped: bytes, hostile: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def spend(*_: object) -> bytes:
        raise AssertionError("the blob was believed")

    monkeypatch.setattr(keys, "hash_secret_raw", spend)
    with pytest.raises(WrongKey):
        keys.unwrap(altered(wrapped, **hostile), PASSWORD)


@pytest.mark.parametrize(
    "junk", [b"", b"\x00", b"not cbor", b"\xff" * 40, b"\x9f" * 5000, bytes(keys.MAX_BLOB_BYTES + 1)]
)
def test_junk_is_refused_as_no_blob_of_ours(junk: bytes) -> None:
    with pytest.raises(WrongKey):
        keys.unwrap(junk, PASSWORD)


@pytest.mark.parametrize("cheaper", [{"m": 32}, {"t": 2}])
def test_the_cost_cannot_be_changed_after_sealing(wrapped: bytes, cheaper: dict[str, int]) -> None:
    with pytest.raises(WrongPassword):
        keys.unwrap(altered(wrapped, **cheaper), PASSWORD)


def test_a_sealed_secret_comes_back_whole() -> None:
    secret = bytes(range(256)) * 8
    assert keys.open_sealed(keys.seal(secret, b"passphrase", CHEAP), b"passphrase") == secret


def test_an_officer_key_cannot_stand_in_for_a_secrets_file_nor_the_reverse(wrapped: bytes) -> None:
    with pytest.raises(WrongPassword):
        keys.open_sealed(wrapped, PASSWORD.encode())
    with pytest.raises(WrongPassword):
        keys.unwrap(keys.seal(bytes(32), PASSWORD.encode(), CHEAP), PASSWORD)


@pytest.mark.parametrize(
    "password", ["甘霖镇的雨下了一整天呢", "rain in Ganlin", "k7-mountain-4", "Ｒａｉｎ２０２６ok"]
)
def test_a_fair_password_is_accepted(password: str) -> None:
    assert keys.password_findings(password) == []


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("", {"password_short", "password_plain", "password_one_kind"}),
        ("Ab3$", {"password_short", "password_plain"}),
        ("a1" * 100, {"password_long", "password_plain"}),
        ("1111111111aa", {"password_plain"}),
        ("1234567890", {"password_one_kind"}),
        ("abcdefghijkl", {"password_plain", "password_one_kind"}),
        ("lkjihgfedcba", {"password_plain", "password_one_kind"}),
        ("my number is 3012", {"password_name"}),
        ("我是王丽萍不是别人呀哈", {"password_name"}),
    ],
)
def test_a_weak_password_is_told_everything_that_is_wrong(password: str, codes: set[str]) -> None:
    found = keys.password_findings(password, names=("3012", "王丽萍"))
    assert {finding.code for finding in found} == codes
    assert all(finding.severity == "block" and finding.zh and finding.en for finding in found)
