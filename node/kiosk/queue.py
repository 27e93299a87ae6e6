# SPDX-License-Identifier: Apache-2.0
"""The waiting room's numbers: a letter for the topic, then the day's count. First come, first called.

Two windows that call at the same moment get two numbers: each call is one write transaction. A number that did not
come can be called back the same day; nothing is deleted, so that waiting times stay true.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schema import database, ids
from schema.clock import Clock, parse_stamp, stamp
from schema.errors import UnknownSubject, WrongState

TOPICS = ("A", "B", "C", "D", "E")
"""Contributions, benefits, cards, work and training, everything else; their names are texts `queue.topic_A` …"""
WAITING, CALLED, DONE, AWAY = "waiting", "called", "done", "away"
MOST_A_DAY = 999
RECENT = 10  # of how many calls the usual wait is taken


@dataclass(frozen=True)
class Ticket:
    """One number. `person_id` only when it was taken with a card; `ahead`: how many are called before it."""

    id: bytes
    number: str
    topic: str
    state: str
    taken_at: str
    called_at: str | None
    calls: int
    window: str | None
    person_id: bytes | None
    ahead: int = 0


@dataclass(frozen=True)
class Room:
    """The waiting room now. `waits`: usual wait of the last calls, None before the first; `longest`: of who waits."""

    called: list[Ticket]
    waiting: dict[str, int]
    away: list[Ticket]
    done: int
    waits: timedelta | None
    longest: timedelta | None

    @property
    def total(self) -> int:
        return sum(self.waiting.values())


def take(db: Any, clock: Clock, topic: str, person_id: bytes | None = None) -> Ticket:
    """The next number of that topic. Raises UnknownSubject for no topic, WrongState when the day's numbers are used."""
    if topic not in TOPICS:
        raise UnknownSubject("没有这一类业务", "there is no such topic")
    day = _day(clock)
    used = db.execute("SELECT count(*) FROM queue_ticket WHERE day = ? AND topic = ?", (day, topic)).fetchone()[0]
    if used >= MOST_A_DAY:
        raise WrongState("今天的号已取完，请直接到窗口", "today's numbers are used up: please go to a window")
    new_id = ids.new_id()
    row = {"id": new_id, "day": day, "number": f"{topic}{used + 1:03d}", "topic": topic, "state": WAITING}
    database.insert(db, "queue_ticket", row | {"taken_at": stamp(clock.now()), "calls": 0, "person_id": person_id})
    return one(db, new_id)


def one(db: Any, ticket_id: bytes) -> Ticket:
    """Raises UnknownSubject."""
    row = db.execute("SELECT * FROM queue_ticket WHERE id = ?", (ticket_id,)).fetchone()
    if row is None:
        raise UnknownSubject("没有这个号", "there is no such number")
    before = "SELECT count(*) FROM queue_ticket WHERE day = ? AND state = 'waiting' AND (taken_at, number) < (?, ?)"
    ahead = db.execute(before, (row["day"], row["taken_at"], row["number"])).fetchone()[0]
    return _ticket(row, ahead if row["state"] == WAITING else 0)


def at_window(db: Any, clock: Clock, window: str) -> Ticket | None:
    """Who stands at that window."""
    row = db.execute(
        "SELECT * FROM queue_ticket WHERE day = ? AND window = ? AND state = 'called' ORDER BY called_at DESC LIMIT 1",
        (_day(clock), window),
    ).fetchone()
    return _ticket(row) if row else None


def call_next(db: Any, clock: Clock, window: str, operator_no: str) -> Ticket | None:
    """Call whoever waits longest; who stood there before is done. None when nobody waits."""
    finish(db, clock, window, DONE)
    row = db.execute(
        "SELECT id FROM queue_ticket WHERE day = ? AND state = 'waiting' ORDER BY taken_at, number LIMIT 1",
        (_day(clock),),
    ).fetchone()
    return _call(db, clock, bytes(row["id"]), window, operator_no) if row else None


def call_again(db: Any, clock: Clock, window: str) -> Ticket | None:
    """Once more whoever was called to that window."""
    now = at_window(db, clock, window)
    if now is None:
        return None
    database.update(db, "queue_ticket", {"id": now.id}, {"calls": now.calls + 1})
    return one(db, now.id)


def finish(db: Any, clock: Clock, window: str, state: str) -> None:
    """Who stands at that window is done, or did not come (`away`)."""
    now = at_window(db, clock, window)
    if now:
        database.update(db, "queue_ticket", {"id": now.id}, {"state": state, "ended_at": stamp(clock.now())})


def call_back(db: Any, clock: Clock, ticket_id: bytes, window: str, operator_no: str) -> Ticket:
    """Call a number that had not come when it was called. Raises UnknownSubject, WrongState."""
    found = db.execute("SELECT day, state FROM queue_ticket WHERE id = ?", (ticket_id,)).fetchone()
    if found is None:
        raise UnknownSubject("没有这个号", "there is no such number")
    if found["state"] != AWAY or found["day"] != _day(clock):
        raise WrongState("这个号不是今天的过号", "this number did not miss its call today")
    finish(db, clock, window, DONE)
    return _call(db, clock, ticket_id, window, operator_no)


def room(db: Any, clock: Clock) -> Room:
    """Everything the screen in the waiting room and the windows show."""
    day, now = _day(clock), clock.now()
    rows = db.execute("SELECT * FROM queue_ticket WHERE day = ? ORDER BY taken_at, number", (day,)).fetchall()
    by_state: dict[str, list[Any]] = {state: [] for state in (WAITING, CALLED, DONE, AWAY)}
    for row in rows:
        by_state[row["state"]].append(row)
    called = sorted((r for r in rows if r["called_at"]), key=lambda r: r["called_at"])[-RECENT:]
    waits = [_between(row["taken_at"], parse_stamp(row["called_at"])) for row in called]
    return Room(
        called=[_ticket(r) for r in sorted(by_state[CALLED], key=lambda r: r["called_at"], reverse=True)],
        waiting={topic: sum(r["topic"] == topic for r in by_state[WAITING]) for topic in TOPICS},
        away=[_ticket(row) for row in by_state[AWAY]],
        done=len(by_state[DONE]),
        waits=sum(waits, timedelta()) / len(waits) if waits else None,
        longest=_between(by_state[WAITING][0]["taken_at"], now) if by_state[WAITING] else None,
    )


def _call(db: Any, clock: Clock, ticket_id: bytes, window: str, operator_no: str) -> Ticket:
    called = {"state": CALLED, "called_at": stamp(clock.now()), "window": window, "operator_no": operator_no}
    database.update(db, "queue_ticket", {"id": ticket_id}, called | {"calls": 1, "ended_at": None})
    return one(db, ticket_id)


def _ticket(row: Any, ahead: int = 0) -> Ticket:
    person_id = bytes(row["person_id"]) if row["person_id"] else None
    return Ticket(
        bytes(row["id"]), row["number"], row["topic"], row["state"], row["taken_at"], row["called_at"], row["calls"],
        row["window"], person_id, ahead,
    )  # fmt: skip


def _between(first: str, then: datetime) -> timedelta:
    return max(timedelta(), then - parse_stamp(first))  # a clock set back makes no negative wait


def _day(clock: Clock) -> str:
    return clock.today().isoformat()
