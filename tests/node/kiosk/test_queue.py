# SPDX-License-Identifier: Apache-2.0
"""The waiting room's numbers, over a real database."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from node.kiosk import queue
from node.kiosk.queue import AWAY, CALLED, DONE
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import UnknownSubject, WrongState


def numbers(store: Store, clock: FixedClock, *topics: str) -> list[str]:
    taken = []
    for topic in topics:
        with store.write() as db:
            taken.append(queue.take(db, clock, topic).number)
        clock.advance(minutes=1)
    return taken


def call(store: Store, clock: FixedClock, window: str = "1") -> str | None:
    with store.write() as db:
        called = queue.call_next(db, clock, window, "3012")
    return called.number if called else None


def test_each_topic_counts_for_itself_and_the_call_goes_by_time(node_store: Store, clock: FixedClock) -> None:
    assert numbers(node_store, clock, "B", "A", "B") == ["B001", "A001", "B002"]
    assert [call(node_store, clock) for _ in range(4)] == ["B001", "A001", "B002", None]


def test_a_number_knows_how_many_are_before_it(node_store: Store, clock: FixedClock) -> None:
    numbers(node_store, clock, "A", "B")
    with node_store.write() as db:
        assert queue.take(db, clock, "C").ahead == 2


def test_the_next_call_ends_the_one_before(node_store: Store, clock: FixedClock) -> None:
    numbers(node_store, clock, "A", "A")
    call(node_store, clock)
    call(node_store, clock)
    with node_store.read() as db:
        now = queue.room(db, clock)
    assert [t.number for t in now.called] == ["A002"]
    assert now.done == 1


def test_two_windows_that_call_at_once_get_two_numbers(node_store: Store, clock: FixedClock) -> None:
    numbers(node_store, clock, *"AABBCCDD")
    got: list[str | None] = []
    windows = [threading.Thread(target=lambda n=n: got.append(call(node_store, clock, str(n)))) for n in range(1, 9)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert len(set(got)) == 8 and None not in got


def test_a_number_that_did_not_come_can_be_called_back_the_same_day(node_store: Store, clock: FixedClock) -> None:
    numbers(node_store, clock, "A")
    call(node_store, clock)
    with node_store.write() as db:
        queue.finish(db, clock, "1", AWAY)
        away = queue.room(db, clock).away
    assert [t.number for t in away] == ["A001"]
    with node_store.write() as db:
        back = queue.call_back(db, clock, away[0].id, "2", "3007")
        assert (back.state, back.window, queue.room(db, clock).away) == (CALLED, "2", [])
        with pytest.raises(WrongState):
            queue.call_back(db, clock, away[0].id, "2", "3007")
        queue.finish(db, clock, "2", AWAY)
    clock.advance(days=1)
    with node_store.write() as db, pytest.raises(WrongState):
        queue.call_back(db, clock, away[0].id, "2", "3007")


def test_calling_again_counts_and_changes_nobody(node_store: Store, clock: FixedClock) -> None:
    numbers(node_store, clock, "A", "A")
    call(node_store, clock)
    with node_store.write() as db:
        again = queue.call_again(db, clock, "1")
        assert again is not None and (again.number, again.calls) == ("A001", 2)
        assert queue.call_again(db, clock, "2") is None


def test_a_new_day_begins_at_one_with_nobody_waiting(node_store: Store, clock: FixedClock) -> None:
    numbers(node_store, clock, "A", "A")
    clock.advance(days=1)
    with node_store.read() as db:
        assert queue.room(db, clock).total == 0
    assert call(node_store, clock) is None
    assert numbers(node_store, clock, "A") == ["A001"]


def test_waiting_times_are_those_of_the_clock(node_store: Store, clock: FixedClock) -> None:
    numbers(node_store, clock, "A", "A")  # taken 2 and 1 minutes ago
    clock.advance(minutes=8)
    call(node_store, clock)
    with node_store.read() as db:
        now = queue.room(db, clock)
    assert (now.waits, now.longest) == (timedelta(minutes=10), timedelta(minutes=9))
    with node_store.write() as db:
        queue.finish(db, clock, "1", DONE)
        assert queue.room(db, clock).done == 1


def test_the_days_numbers_end(node_store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_A_DAY", 1)
    numbers(node_store, clock, "A")
    with node_store.write() as db, pytest.raises(WrongState):
        queue.take(db, clock, "A")
    with node_store.write() as db, pytest.raises(UnknownSubject):
        queue.take(db, clock, "Z")
