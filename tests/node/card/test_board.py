# SPDX-License-Identifier: Apache-2.0
"""Who hears of a card: one page, of the right window, at once; and nothing of it stays."""

from __future__ import annotations

import threading
from collections.abc import Callable

from node.card import board as boards
from node.card import reading
from node.card.board import EMPTY, MAX_WAITING, PROBLEM, READ, Board
from node.card.simulator import Holder, SimulatedCard, records

CARD = reading.read(SimulatedCard(records(Holder("33068319650812001X", "张建国", "A12345678"))).answer)
PATIENCE_S = 10.0


def anyones(reader: str) -> bool:
    return True


def of(name: str) -> Callable[[str], bool]:
    return lambda reader: reader == name


def test_a_waiting_page_hears_at_once_and_only_of_its_own_reader() -> None:
    board, heard = Board(), []
    waiting = threading.Thread(target=lambda: heard.append(board.wait(0, of("left"), PATIENCE_S)))
    waiting.start()
    board.put("right", READ, card=CARD)
    board.put("left", READ, card=CARD)
    waiting.join()
    assert [h.reader for h in heard if h] == ["left"]


def test_the_first_page_takes_a_card_and_no_other_does() -> None:
    board = Board()
    board.put("left", READ, card=CARD)
    n = board.latest()
    assert board.take(n, of("right")) is None
    taken = board.take(n, anyones)
    assert taken is not None and taken.card == CARD
    assert board.take(n, anyones) is None


def test_a_reading_is_gone_with_the_next_card_the_reader_or_the_time(monkeypatch) -> None:
    board = Board()
    board.put("left", READ, card=CARD)
    n = board.latest()
    board.put("left", EMPTY)
    assert board.card(n, anyones) == CARD  # the clerk goes on when the holder has the card back
    board.put("left", PROBLEM, problem="mute")
    assert board.card(n, anyones) is None
    board.put("left", READ, card=CARD)
    board.only(set())
    assert board.card(board.latest(), anyones) is None
    board.put("left", READ, card=CARD)
    monkeypatch.setattr(boards, "KEPT_S", 0.0)
    assert board.card(board.latest(), anyones) is None


def test_a_reading_can_be_dropped_at_once() -> None:
    board = Board()
    board.put("left", READ, card=CARD)
    board.forget("left")
    assert board.card(board.latest(), anyones) is None
    assert board.wait(0, anyones, 0) is not None
    assert board.take(board.latest(), anyones) is None


def test_the_list_of_readers_holds_nobodys_data() -> None:
    board = Board()
    board.put("left", READ, card=CARD)
    assert [h.card for h in board.readers()] == [None]


def test_pages_that_wait_never_hold_more_than_a_few_of_the_servers_threads() -> None:
    board, answered = Board(), []
    pages = [
        threading.Thread(target=lambda: answered.append(board.wait(0, anyones, PATIENCE_S)))
        for _ in range(MAX_WAITING + 4)
    ]
    for page in pages:
        page.start()
    while len(answered) < 4:  # those that came first are let go
        threading.Event().wait(0.01)
    assert answered == [None] * 4
    board.close()
    for page in pages:
        page.join()
    assert len(answered) == len(pages)


def test_a_page_from_before_a_restart_hears_what_comes_now() -> None:
    board = Board()
    board.put("left", EMPTY)
    heard: list[object] = []
    waiting = threading.Thread(target=lambda: heard.append(board.wait(9000, anyones, PATIENCE_S)))
    waiting.start()
    board_waits = threading.Event()
    board_waits.wait(0.05)
    board.put("left", READ, card=CARD)
    waiting.join()
    assert heard != [None]


def test_what_is_wrong_with_the_service_is_told_until_a_reader_speaks() -> None:
    board = Board()
    board.out_of_service("no_reader")
    assert (board.service_problem, board.seen_reader) == ("no_reader", False)
    board.put("left", EMPTY)
    assert (board.service_problem, board.seen_reader) == ("", True)
