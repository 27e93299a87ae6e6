# SPDX-License-Identifier: Apache-2.0
"""One person before the self-service screen: from the card to the end that leaves nothing.

Own records are shown to whoever has the card on the reader and knows the last four digits of the phone number in the
register. A birth date or ID number is no secret: both stand on the papers a thief finds with the card. Somebody without
a phone number in the register is sent to a window. Three wrong answers close the way for that person for half an hour,
also across restarts.

A visit ends with the card taken off, with `IDLE_S` without a touch, or with the button; then the next request finds
nobody, whatever the browser still shows. The cookie holds a random token and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from node import contacts, windows
from node.card import judge
from node.card.board import READ, Board
from node.card.judge import LOST
from node.card.reading import Card
from node.station import Station
from schema import database, ids
from schema.clock import stamp
from schema.errors import Locked, NotAllowed, WrongPassword
from schema.web.attempts import Attempts

IDLE_S = 60.0
TRIES = 3
LOCKED_FOR = timedelta(minutes=30)
DIGITS = 4


@dataclass
class Visit:
    """Who stands there. `proven`: the question was answered; `n`: the card's happening on the reader."""

    token: str
    person_id: bytes
    name: str
    n: int
    touched_s: float
    proven: bool = False


class Visits:
    """At most one visit at a time: there is one screen."""

    def __init__(self, station: Station, board: Board) -> None:
        self._station, self._board = station, board
        self._attempts = Attempts(station.store)
        self._lock = threading.Lock()
        self._now: Visit | None = None

    def lying(self) -> tuple[int, Card] | None:
        """The card on the screen's own reader now, and the number of its happening."""
        with self._station.store.read() as db:
            mine = windows.mine(db, windows.KIOSK)
        for happening in self._board.readers():
            if mine(happening.reader) and happening.state == READ:
                card = self._board.card(happening.n, mine)
                return (happening.n, card) if card else None
        return None

    def begin(self) -> Visit:
        """A visit of whoever's card lies there. Raises NotAllowed, which says to go to a window."""
        found = self.lying()
        if found is None:
            raise NotAllowed("请把社保卡放在读卡器上", "Put your social security card on the reader")
        n, card = found
        today = self._station.clock.today()
        with self._station.store.read() as db:
            person = judge.person_of(db, card, today)
            state = judge.card_state(db, card.card_no)
            grave = [f for f in judge.judge(card, today, state, person) if f.code in _TO_WINDOW]
            if person is None or grave or (state and state.state in LOST):
                raise NotAllowed("这张卡在这里办不了。请到窗口", "This card cannot be used here. Please go to a window")
            if _phone_end(contacts.of(db, bytes(person["id"]))) is None:
                raise NotAllowed(
                    "名册里没有您的手机号，无法核对。请到窗口登记",
                    "None of your phone numbers is known: go to a window",
                )
        visit = Visit(ids.to_text(ids.new_id()), bytes(person["id"]), str(person["name"]), n, time.monotonic())
        with self._lock:
            self._now = visit
        return visit

    def answer(self, visit: Visit, digits: str) -> None:
        """The last four digits of the phone. Raises WrongPassword, Locked."""
        now, who = self._station.clock.now(), _key(visit.person_id)
        with self._lock:
            failures = self._attempts.failures(who)
            if failures.last_at and failures.last_at <= now - LOCKED_FOR:
                self._attempts.clear(who)
            elif failures.count >= TRIES:
                raise _locked()
            with self._station.store.read() as db:
                right = _phone_end(contacts.of(db, visit.person_id)) or ""
            if right and compare_digest(digits.encode(), right.encode()):
                self._attempts.clear(who)
                visit.proven = True
                return
            self._attempts.record_failure(who, now)
            left = TRIES - self._attempts.failures(who).count
        self.log(visit, "wrong")
        if left <= 0:
            self.end()
            raise _locked()
        raise WrongPassword(f"不对，还可以试 {left} 次", f"Not right; {left} tries left")

    def current(self, token: str) -> Visit | None:
        """The visit of that token while it lasts; ends it when its card is gone or nobody touched the screen."""
        with self._lock:
            visit = self._now
        if visit is None or not compare_digest(visit.token.encode(), token.encode()):
            return None
        found = self.lying()
        if found is None or found[0] != visit.n or time.monotonic() - visit.touched_s > IDLE_S:
            self.end()
            return None
        return visit

    def touch(self, visit: Visit) -> None:
        """Somebody is there."""
        visit.touched_s = time.monotonic()

    def end(self) -> None:
        """Forget who stood there."""
        with self._lock:
            self._now = None

    def log(self, visit: Visit, what: str) -> None:
        """Write down what was done: records `shown`, `printed`, an item `asked` for, a `wrong` answer."""
        row = {"id": ids.new_id(), "at": stamp(self._station.clock.now()), "what": what, "person_id": visit.person_id}
        with self._station.store.write() as db:
            database.insert(db, "kiosk_log", row)


_TO_WINDOW = ("card_number", "card_lost", "card_ended", "card_name", "card_birth", "card_sex", "card_name_unreadable")


def _phone_end(contact: Mapping[str, Any]) -> str | None:
    """The last four digits of a mobile number; a house's line is no proof of one person."""
    phone = contact.get("phone") or ""
    return phone[-DIGITS:] if len(phone) == 11 and phone.isdecimal() and phone.startswith("1") else None


def _key(person_id: bytes) -> str:
    """Where wrong answers about a person are counted: the officers' table, under a name no officer has."""
    return "kiosk:" + sha256(person_id).hexdigest()[:14]


def _locked() -> Locked:
    minutes = round(LOCKED_FOR.total_seconds() / 60)
    return Locked(
        f"错了 {TRIES} 次，{minutes} 分钟内不能再试。请到窗口",
        f"Wrong {TRIES} times: not again for {minutes} minutes. Please go to a window",
    )
