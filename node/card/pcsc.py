# SPDX-License-Identifier: Apache-2.0
"""The reader service (PC/SC): one card read over one connection that nobody else may use meanwhile.

Known of the service, and why the checks below are as they are: it looks at a reader every 0.4 s, so a fast swap is not
noticed at all, and a connection's stored ATR is that of the first card. What it does notice it counts in the upper half
of the event state. A reset or a removal shows as an error of the next command. Only the processes `pcsc_watch` and
`pcsc_read` import this module: the library behind it can hang and crash, and a station may do neither.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from smartcard import scard

from node.card import reading
from node.card.problems import CardProblem
from node.card.reading import Card

SHARING_PATIENCE_S = 1.0  # other programs look at a new card for a moment
COUNTER_SHIFT = 16

_CODES = {
    "no_service": ("E_NO_SERVICE", "E_SERVICE_STOPPED"),
    "no_reader": ("E_NO_READERS_AVAILABLE", "E_READER_UNAVAILABLE", "E_UNKNOWN_READER"),
    "removed": ("E_NO_SMARTCARD", "W_REMOVED_CARD"),
    "in_use": ("E_SHARING_VIOLATION",),
    "mute": ("W_UNRESPONSIVE_CARD", "W_UNPOWERED_CARD", "W_UNSUPPORTED_CARD", "E_PROTO_MISMATCH"),
}
_PROBLEM = {getattr(scard, f"SCARD_{name}") & 0xFFFFFFFF: code for code, names in _CODES.items() for name in names}


def problem_of(result: int) -> CardProblem:
    """What a result of the service that is no success means for the clerk; anything unforeseen is a disturbance."""
    return CardProblem(_PROBLEM.get(result & 0xFFFFFFFF, "disturbed"))


def succeeded(answer: Any) -> Any:
    """The rest of an answer of the service. Raises CardProblem unless it says success."""
    result, *rest = answer if isinstance(answer, (list, tuple)) else (answer,)
    if result != scard.SCARD_S_SUCCESS:
        raise problem_of(result)
    return rest[0] if len(rest) == 1 else rest


@contextmanager
def service() -> Iterator[Any]:
    """A context of the reader service. Raises CardProblem("no_service")."""
    try:
        context = succeeded(scard.SCardEstablishContext(scard.SCARD_SCOPE_USER))
    except CardProblem as problem:
        raise CardProblem("no_service") from problem
    try:
        yield context
    finally:
        scard.SCardReleaseContext(context)


def state_of(context: Any, reader: str) -> tuple[int, bool, bytes]:
    """Of one reader now: the count of its events, whether a card lies there, and that card's ATR."""
    states = succeeded(scard.SCardGetStatusChange(context, 0, [(reader, scard.SCARD_STATE_UNAWARE)]))
    _, state, atr = states[0]
    return state >> COUNTER_SHIFT, bool(state & scard.SCARD_STATE_PRESENT), bytes(atr)


def read(reader: str, counted: int) -> Card:
    """The card that the `counted`-th event of this reader brought. Raises CardProblem, and then nothing is kept."""
    with service() as context:
        before = state_of(context, reader)
        if before[0] != counted or not before[1]:
            raise CardProblem("removed")
        handle, protocol = _connect(context, reader)
        try:
            atr = _atr(handle)
            try:
                card = reading.read(lambda command: _exchange(handle, protocol, command))
            except CardProblem as problem:
                if problem.code == "disturbed" and not state_of(context, reader)[1]:
                    raise CardProblem("removed") from problem
                raise
            if _atr(handle) != atr or state_of(context, reader) != before:
                raise CardProblem("changed")
            return card
        finally:
            # Powered off, so that nothing of it stays selected for whoever comes next.
            scard.SCardDisconnect(handle, scard.SCARD_UNPOWER_CARD)


def _connect(context: Any, reader: str) -> tuple[Any, int]:
    """A connection that nobody shares."""
    patience_until = time.monotonic() + SHARING_PATIENCE_S
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    while True:
        try:
            handle, protocol = succeeded(scard.SCardConnect(context, reader, scard.SCARD_SHARE_EXCLUSIVE, protocols))
            return handle, protocol
        except CardProblem as problem:
            if problem.code != "in_use" or time.monotonic() > patience_until:
                raise
        time.sleep(0.1)


def _exchange(handle: Any, protocol: int, command: bytes) -> bytes:
    return bytes(succeeded(scard.SCardTransmit(handle, protocol, list(command))))


def _atr(handle: Any) -> bytes:
    *_, atr = succeeded(scard.SCardStatus(handle))
    return bytes(atr)
