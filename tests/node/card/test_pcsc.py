# SPDX-License-Identifier: Apache-2.0
"""Cards on the real reader service with a virtual reader: whatever people and cards do, one clear answer.

Nothing here is imitated but the plastic: the real pcscd, its real driver, the real processes of the station.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.card import commands
from node.card.board import EMPTY, PROBLEM, READ, READING, Board, Happening
from node.card.pcsc_driver import PcscDriver
from node.card.problems import WORDS
from node.card.reading import Card
from node.card.simulator import Habits, Holder, SimulatedCard, records
from tests.node.card.vpcd import OnReader, Pulled, Service

pytestmark = pytest.mark.xdist_group("pcscd")

PATIENCE_S = 20.0  # on a busy machine, not a measure of ours
HUNG_AFTER_S = 1.0
SILENCE_S = 2.5  # the watching process speaks at least every 2 s
ZHANG = Holder("33068319650812001X", "张建国", "A12345678")
CHEN = Holder("330683198111030421", "陈桂英", "B87654321", "330683D15600000599220146")
FIRST, SECOND = "Test Reader 00 00", "Test Reader 00 01"
COMMANDS_OF_A_READ = 20


class Diary(Board):
    """A board that remembers all it was told, so that a test can say what must never have stood there."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str, str, Card | None]] = []
        self._all: list[Happening] = []

    def put(self, reader: str, state: str, *, card: Card | None = None, problem: str = "") -> None:
        with self._changed:
            super().put(reader, state, card=card, problem=problem)
            self.told.append((reader, state, problem, card))
            self._all.append(self._now[reader])

    def heard(self, state: str, after: int, reader: str = FIRST) -> Happening:
        """The next time the reader is in that state, however soon it was in another; problems are a state, too."""

        def found() -> Happening | None:
            return next((h for h in self._all if h.n > after and (h.reader, h.state) == (reader, state)), None)

        with self._changed:
            if (happened := self._changed.wait_for(found, PATIENCE_S)) is not None:
                return happened
        raise AssertionError(f"{reader} never was {state}; told: {[t[:3] for t in self.told]}")

    def names(self) -> set[str]:
        """Everybody whose name ever stood there."""
        return {card.name for *_, card in self.told if card}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("pcscd"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def running(service: Service) -> Iterator[Diary]:
    board = Diary()
    driver = PcscDriver(board, environment=service.environment, read_s=HUNG_AFTER_S, silence_s=SILENCE_S)
    driver.start()
    yield board
    driver.stop()


@pytest.fixture
def board(running: Diary) -> Iterator[Diary]:
    """The board with an empty reader, and nothing told yet."""

    wait_for(lambda: state_of(running, FIRST) == EMPTY and state_of(running, SECOND) == EMPTY)
    running.told.clear()
    yield running


def wait_for(holds: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S / 0.05)):
        if holds():
            return
        threading.Event().wait(0.05)
    raise AssertionError("not in time")


def state_of(board: Board, reader: str) -> str:
    return next((h.state for h in board.readers() if h.reader == reader), "")


def chip(holder: Holder = ZHANG, **habits: object) -> SimulatedCard:
    return SimulatedCard(records(holder), Habits(**habits))  # type: ignore[arg-type]


def at(number: int, act: Callable[[], None]) -> Callable[[int], None]:
    """Does something just before the n-th command."""
    return lambda n: act() if n == number else None


def pulled() -> None:
    raise Pulled


def test_a_card_laid_on_the_reader_is_read_by_itself(board: Diary, service: Service) -> None:
    before = board.latest()
    with OnReader(service.ports[0], chip(chunk=8)) as on:
        told = board.heard(READ, before)
        assert told.card is not None
        assert (told.card.name, told.card.id_number) == ("张建国", ZHANG.id_number)
        assert all(commands.allowed(command) for command in on.log)
    board.heard(EMPTY, told.n)


def test_a_first_generation_card_that_is_asked_by_tag_is_read(board: Diary, service: Service) -> None:
    before = board.latest()
    with OnReader(service.ports[0], chip(select=(0x00,), forms=("tag",), lacks=(0x4E,))):
        told = board.heard(READ, before)
    assert told.card is not None and told.card.name == "张建国"


@pytest.mark.parametrize("number", [1, 6, 14, COMMANDS_OF_A_READ])
def test_a_card_pulled_in_the_middle_leaves_nothing(board: Diary, service: Service, number: int) -> None:
    before = board.latest()
    with OnReader(service.ports[0], chip(), before=at(number, pulled)):
        assert board.heard(PROBLEM, before).problem == "removed"
    assert board.names() == set()


@pytest.mark.parametrize("number", [6, 10, 14, 18])
def test_a_card_swapped_faster_than_the_service_looks_is_not_mixed(board: Diary, service: Service, number: int) -> None:
    second = chip(CHEN)
    second.answer(commands.select_application())  # worst of all: it answers as if it had been asked from the start
    before = board.latest()
    with OnReader(service.ports[0], chip()) as on:
        on.before = at(number, lambda: setattr(on, "card", second))
        assert board.heard(PROBLEM, before).problem == "changed"
    assert board.names() == set()


def test_a_card_swapped_at_an_honest_pace_is_another_card(board: Diary, service: Service) -> None:
    before = board.latest()
    with OnReader(service.ports[0], chip()):
        first = board.heard(READ, before)
    with OnReader(service.ports[0], chip(CHEN)):
        second = board.heard(READ, first.n)
    assert first.card and second.card
    assert (first.card.name, second.card.name) == ("张建国", "陈桂英")


def test_a_bank_card_and_any_other_card_are_no_social_security_cards(board: Diary, service: Service) -> None:
    bank = chip()
    bank.answer = lambda command: b"\x6a\x82"  # type: ignore[method-assign]
    before = board.latest()
    with OnReader(service.ports[0], bank) as on:
        assert board.heard(PROBLEM, before).problem == "not_ssc"
        assert on.log == [commands.select_application()]


def test_a_mute_card_is_told_to_be_turned(board: Diary, service: Service) -> None:
    before = board.latest()
    with OnReader(service.ports[0], chip(), atr=b"\xff") as on:
        assert board.heard(PROBLEM, before).problem == "mute"
        assert on.log == []


def test_a_hung_card_is_left_and_the_other_reader_works_meanwhile(board: Diary, service: Service) -> None:
    before = board.latest()
    hung = OnReader(service.ports[0], chip())
    hung.hold.set()
    with hung:
        board.heard(READING, before)
        with OnReader(service.ports[1], chip(CHEN)):
            other = board.heard(READ, before, SECOND)
            assert other.card is not None and other.card.name == "陈桂英"
        assert board.heard(PROBLEM, before).problem == "hung"
    assert board.names() == {"陈桂英"}


def test_after_a_hung_card_the_next_is_read(board: Diary, service: Service) -> None:
    before = board.latest()
    with OnReader(service.ports[0], chip()):
        assert board.heard(READ, before).card is not None


HOLDS_THE_CARD = """
import sys
from smartcard import scard
_, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
print(*scard.SCardConnect(context, sys.argv[1], scard.SCARD_SHARE_SHARED, 3)[:1], flush=True)
sys.stdin.read()
"""


def process(service: Service, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **service.environment}
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def said_by(service: Service, *arguments: str, order: object = None) -> dict[str, Any]:
    """The first line of one of the station's processes."""
    with process(service, *arguments) as asked:
        assert asked.stdin and asked.stdout
        if order:
            asked.stdin.write(json.dumps(order) + "\n")
            asked.stdin.flush()
        line = asked.stdout.readline()
        asked.kill()
    answer: dict[str, Any] = json.loads(line)
    return answer


def test_a_reader_that_a_bank_program_holds_is_said_to_be_in_use(board: Diary, service: Service) -> None:
    before = board.latest()
    with OnReader(service.ports[0], chip()):
        board.heard(READ, before)
        with process(service, "-c", HOLDS_THE_CARD, FIRST) as bank:
            assert bank.stdout and bank.stdout.readline() == "0\n"
            counted = said_by(service, "-m", "node.card.pcsc_watch")["readers"][FIRST]["counted"]
            order = {"reader": FIRST, "counted": counted}
            assert said_by(service, "-m", "node.card.pcsc_read", order=order) == {"problem": "in_use"}
            bank.kill()
        assert said_by(service, "-m", "node.card.pcsc_read", order=order)["card"]["name"] == "张建国"


def test_an_order_for_a_card_that_is_no_longer_there_reads_no_other(board: Diary, service: Service) -> None:
    before = board.latest()
    with OnReader(service.ports[0], chip()):
        board.heard(READ, before)
        counted = said_by(service, "-m", "node.card.pcsc_watch")["readers"][FIRST]["counted"]
        order = {"reader": FIRST, "counted": counted - 2}
        assert said_by(service, "-m", "node.card.pcsc_read", order=order) == {"problem": "removed"}


def test_a_service_that_stops_is_said_and_found_again_and_a_reader_that_goes_too(
    board: Diary, service: Service
) -> None:
    service.stop()
    wait_for(lambda: board.service_problem == "no_service")
    service.unplug()
    service.start()
    wait_for(lambda: board.service_problem == "no_reader")
    service.stop()
    service.plug_in()
    service.start()
    wait_for(lambda: state_of(board, FIRST) == EMPTY)
    before = board.latest()
    with OnReader(service.ports[0], chip()):
        assert board.heard(READ, before).card is not None


def test_a_machine_without_any_service_works_on(tmp_path: Path) -> None:
    board = Board()
    driver = PcscDriver(board, environment={"PCSCLITE_CSOCK_NAME": str(tmp_path / "none")})
    driver.start()
    try:
        wait_for(lambda: board.service_problem == "no_service")
    finally:
        driver.stop()


def test_a_service_that_falls_silent_is_said_to_be_stuck(board: Diary, service: Service) -> None:
    service.freeze(True)
    try:
        wait_for(lambda: board.service_problem == "service_stuck")
    finally:
        service.freeze(False)
    wait_for(lambda: state_of(board, FIRST) == EMPTY)


@pytest.mark.parametrize("code", WORDS)
def test_every_problem_says_what_to_do_in_both_languages(code: str) -> None:
    zh, en = WORDS[code]
    assert any(word in zh for word in ("请", "可以")) and len(zh) <= 60
    assert len(en) <= 125
