# SPDX-License-Identifier: Apache-2.0
"""A card on the reader, seen from the pages: it opens the person, says what is wrong, helps with a new one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from node.card import reading
from node.card.board import EMPTY, PROBLEM, READ, READING, Board
from node.card.desk import Cards
from node.card.simulator import Holder, SimulatedCard, records
from node.station import Station
from schema import database, ids
from tests.node.conftest import Counter, number_of

READER = "Reader 1"
CHEN = Holder(number_of("330683198111030421"), "陈桂英", "B87654321")
STRANGER = Holder(number_of("330683197001010010"), "尉迟明远", "C00000001")


@pytest.fixture
def board(app: Flask) -> Iterator[Board]:
    cards: Cards = app.extensions["cards"]
    cards.board.put(READER, EMPTY)
    yield cards.board
    cards.stop()


def lay(board: Board, holder: Holder, reader: str = READER) -> int:
    """Lay the card on the reader; the number of what happened."""
    board.put(reader, READING)
    board.put(reader, READ, card=reading.read(SimulatedCard(records(holder)).answer))
    return board.latest()


def heard(counter: Counter, after: int) -> dict[str, Any]:
    return json.loads(counter.get(f"/card/listen?after={after}", headers={"Accept": "application/json"}).text)


def taken(counter: Counter, n: int) -> str:
    answer = counter.post("/card/take", {"n": n}, headers={"Accept": "application/json"})
    return str(answer.json["url"]) if answer.status_code == 200 else ""


def test_a_card_leads_to_its_holders_page(counter: Counter, board: Board, person: Callable[[str], bytes]) -> None:
    before = json.loads(counter.get("/card/listen").text)["n"]
    n = lay(board, CHEN)
    assert heard(counter, before) == {"n": n, "state": "read", "said": ""}
    url = taken(counter, n)
    assert url == f"/persons/{person('陈桂英').hex()}?via=card"
    page = counter.get(url).text
    assert "陈桂英" in page and "已读卡，与名册一致" in page


def test_a_page_that_begins_to_listen_hears_of_a_reader_plugged_in_since_it_was_made(
    counter: Counter, board: Board
) -> None:
    assert counter.get("/card/listen").json["state"] == "empty"
    board.only(set())
    assert counter.get("/card/listen").json["state"] == ""


def test_no_address_holds_anything_of_the_card(counter: Counter, board: Board) -> None:
    url = taken(counter, lay(board, STRANGER))
    assert STRANGER.id_number not in url and STRANGER.card_no not in url and STRANGER.name not in url


def test_one_card_opens_one_page(counter: Counter, colleague: Counter, board: Board) -> None:
    n = lay(board, CHEN)
    assert [bool(taken(counter, n)), bool(taken(colleague, n)), bool(taken(counter, n))] == [True, False, False]


def test_what_the_chip_and_the_register_disagree_about_stands_on_the_page(counter: Counter, board: Board) -> None:
    changed = Holder(CHEN.id_number, "陈贵英", CHEN.card_no, identification="330300D15600000599110145")
    page = counter.get(taken(counter, lay(board, changed))).text
    assert "卡上姓名与名册不同：陈贵英、陈桂英" in page and "330300" in page


def test_a_lost_card_is_said(counter: Counter, board: Board, station: Station, person: Callable[[str], bytes]) -> None:
    lost = {"id": ids.new_id(), "person_id": person("陈桂英"), "card_no": CHEN.card_no, "state": "lost"}
    with station.store.write() as db:
        database.insert(db, "card", lost | {"since": "2026-11-20", "rev": 1})
    assert "此卡已挂失（2026-11-20）" in counter.get(taken(counter, lay(board, CHEN))).text


def test_somebody_not_known_here_is_offered_items_for_new_persons_filled_from_the_card(
    counter: Counter, board: Board
) -> None:
    n = lay(board, STRANGER)
    url = taken(counter, n)
    page = counter.get(url).text
    assert "尉迟明远" in page and "不等于全县没有" in page and 'value="resident_pension_enrolment"' in page
    draft = counter.post(f"{url}/begin", {"service": "resident_pension_enrolment"})
    assert draft.status_code == 302
    form = counter.get(draft.location).text
    assert 'value="尉迟明远"' in form and f'value="{STRANGER.id_number}"' in form


def test_a_known_person_is_not_begun_as_a_new_one(counter: Counter, board: Board) -> None:
    n = lay(board, CHEN)
    assert counter.post(f"/card/{n}/begin", {"service": "resident_pension_enrolment"}).status_code == 409


def test_a_number_that_does_not_hold_opens_nobody(counter: Counter, board: Board) -> None:
    wrong = STRANGER.id_number[:17] + ("0" if STRANGER.id_number[17] != "0" else "1")
    n = lay(board, Holder(wrong, "尉迟明远", "C00000001"))
    page = counter.get(taken(counter, n)).text
    assert "卡上的证号不对" in page
    assert "resident_pension_enrolment" not in page
    assert counter.post(f"/card/{n}/begin", {"service": "resident_pension_enrolment"}).status_code == 409


@pytest.mark.parametrize(
    ("code", "zh"), [("mute", "卡没有反应"), ("not_ssc", "这不是社保卡"), ("hung", "太久没有回应")]
)
def test_a_problem_is_said_and_leads_nowhere(counter: Counter, board: Board, code: str, zh: str) -> None:
    before = board.latest()
    board.put(READER, PROBLEM, problem=code)
    told = heard(counter, before)
    assert told["state"] == "problem" and zh in told["said"]
    assert taken(counter, told["n"]) == ""


def test_a_page_that_looks_again_much_later_does_not_jump(counter: Counter, board: Board, monkeypatch: Any) -> None:
    before = board.latest()
    n = lay(board, CHEN)
    monkeypatch.setattr("node.card.board.FRESH_S", 0.0)
    assert heard(counter, before) == {"n": n, "state": ""}


def test_a_reader_chosen_for_one_window_is_no_other_windows(counter: Counter, colleague: Counter, board: Board) -> None:
    counter.get("/station")
    assert counter.post("/card/window", {"window": "2", "reader": READER}).status_code == 302
    n = lay(board, CHEN)
    assert taken(colleague, n) == ""  # window 1, whose reader this is not
    assert counter.get(f"/card/{n}").status_code == 200
    assert colleague.get(f"/card/{n}").status_code == 404
    assert taken(counter, n)


def test_a_reader_that_is_not_there_cannot_be_chosen(counter: Counter, board: Board) -> None:
    assert counter.post("/card/window", {"window": "2", "reader": "Nobody's"}).status_code == 400
    assert counter.post("/card/window", {"window": "12", "reader": ""}).status_code == 400


def test_what_a_card_said_is_gone_when_the_next_one_comes(counter: Counter, board: Board) -> None:
    n = lay(board, STRANGER)
    lay(board, CHEN)
    answer = counter.get(f"/card/{n}")
    assert answer.status_code == 404 and "请再放一次卡" in answer.text


def test_nobody_hears_of_a_card_without_a_login(visitor: Counter, board: Board) -> None:
    lay(board, CHEN)
    assert visitor.get("/card/listen?after=0", headers={"Accept": "application/json"}).status_code == 401


def test_the_stations_page_and_bar_say_how_the_reader_is(counter: Counter, board: Board) -> None:
    assert READER in counter.get("/station").text
    board.out_of_service("no_reader")
    assert "读卡器没有接上" in counter.get("/station").text
    assert "读卡器用不了" in counter.get("/bar").text
