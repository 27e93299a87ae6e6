# SPDX-License-Identifier: Apache-2.0
"""Which window a browser stands at, and whose the readers are.

A station may have several windows and several readers. The browser remembers its window's number; the station
remembers, per number, the reader that was chosen. A reader that nobody chose serves every window without one: so a
station with one window and one reader has nothing to set. The self-service page has its own reader or none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from schema import database

COOKIE = "window"
WINDOWS = ("1", "2", "3", "4", "5", "6", "7", "8", "9")
KIOSK = "kiosk"
YEAR_S = 365 * 86400


def here() -> str:
    """The number of the window of the browser that asks; '1' until one is chosen."""
    number = request.cookies.get(COOKIE, "")
    return number if number in WINDOWS else WINDOWS[0]


def remember(response: Response, number: str) -> None:
    """Have the browser keep its window's number."""
    response.set_cookie(COOKIE, number, max_age=YEAR_S, httponly=True, samesite="Strict")


def reader_of(db: Any, window: str) -> str:
    """The reader chosen for that window; '' for none."""
    return (database.setting(db, _name(window)) or b"").decode()


def choose(db: Any, window: str, reader: str) -> None:
    """Give that reader to that window, and take it from whichever had it. '' gives the window back to all."""
    for other in (*WINDOWS, KIOSK):
        if reader and reader_of(db, other) == reader:
            database.set_setting(db, _name(other), b"")
    database.set_setting(db, _name(window), reader.encode())


def mine(db: Any, window: str) -> Callable[[str], bool]:
    """Whether a reader's cards are for that window."""
    own = reader_of(db, window)
    if own or window == KIOSK:
        return lambda reader: reader == own
    others = {reader_of(db, other) for other in (*WINDOWS, KIOSK)}
    return lambda reader: reader not in others


def _name(window: str) -> str:
    return f"reader:{window}"
