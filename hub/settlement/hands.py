# SPDX-License-Identifier: Apache-2.0
"""Who may do what to a month, and the fact each of them signs. Law: 社会保险经办条例 §37 (maker and checker apart)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import officers
from hub.settlement import month
from hub.settlement.month import SCHEME
from schema import events
from schema.clock import Clock, stamp
from schema.database import IntegrityError
from schema.errors import NotAllowed, WrongState


def require(db: Any, officer: str, role: str, key: Ed25519PrivateKey, clock: Clock) -> None:
    """Raises NotAllowed unless the officer has the role now and the key is the officer's own."""
    row = officers.require(db, officer, role, clock.today())
    if key.public_key().public_bytes_raw() != bytes(row["public_key"]):
        raise NotAllowed("签名用的不是本人的密钥", "the signing key is not this officer's", code="key")


def sign(
    db: Any, kind: str, settled: str, body: dict[str, Any], officer: str, key: Ed25519PrivateKey, clock: Clock,
    scheme: str = SCHEME,
) -> None:  # fmt: skip
    """State a fact about the month."""
    events.state(
        db, kind, month.subject(settled, scheme), {"scheme": scheme, "month": settled, **body},
        officer=officer, key=key, clock=clock, received_at=stamp(clock.now()),
    )  # fmt: skip


@contextmanager
def four_hands() -> Iterator[None]:
    """Puts the refusals of the data layer (rules of table `period`) into words."""
    try:
        yield
    except IntegrityError as error:
        if "four_hands" in str(error):
            raise NotAllowed(
                "同一个月的计算、审批、发放、结账，要由四个不同的人来办",
                "computing, approving, paying and closing one month take four different officers",
                code="four_hands",
            ) from error
        if "month_state" in str(error):
            zh, en = "月份的状态已变，请刷新再看", "the month's state has changed: look again"
            raise WrongState(zh, en, code="month_state") from error
        raise
