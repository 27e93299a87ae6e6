# SPDX-License-Identifier: Apache-2.0
"""The check code of a slip: printed by the station, recomputed by the hub, so that anybody can ask if it is true."""

from __future__ import annotations

from hashlib import sha256

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0 1 I L O U: read aloud and typed by citizens


def check_code(fact_hash: bytes) -> str:
    """Six characters like 7K4M-2Q, from the signed fact's hash: the hub can compute it, a forger cannot guess it."""
    number = int.from_bytes(sha256(b"slip" + fact_hash).digest()[:8], "big")
    letters = []
    for _ in range(6):
        number, at = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[at])
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def check_address(hub_url: str, receipt_no: str, code: str) -> str:
    """What the QR on a slip holds: where to ask, the number and the code. Nothing about the person."""
    return f"{hub_url.rstrip('/')}/check?no={receipt_no}&code={code}"
