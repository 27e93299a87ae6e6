# SPDX-License-Identifier: Apache-2.0
"""The simulated reader: a file is the card; it is read by the commands that real cards get."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.card import simulator_driver
from node.card.board import EMPTY, PROBLEM, READ, Board
from node.card.drivers import ManualDriver, driver
from node.card.simulator import Holder
from node.cli import main
from schema.home import StationHome, write_toml
from tests.node.conftest import number_of

ZHANG = Holder(number_of("33068319901124001"), "张伟", "A12345678")
PATIENCE_S = 10.0


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board()
    running = driver("simulator", made, tmp_path)
    running.start()
    yield made
    running.stop()


def next_state(board: Board, state: str) -> object:
    after = 0
    while found := board.wait(after, lambda reader: True, PATIENCE_S):
        if found.state == state:
            return found.card or found.problem or found.state
        after = found.n
    raise AssertionError(state)


def test_a_card_put_and_taken_is_told(board: Board, tmp_path: Path) -> None:
    next_state(board, EMPTY)
    simulator_driver.put(tmp_path, replace(ZHANG, valid_to=None))
    card = next_state(board, READ)
    assert (card.name, card.valid_to) == ("张伟", None)  # type: ignore[attr-defined]
    simulator_driver.take(tmp_path)
    next_state(board, EMPTY)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"id_number": 7}'])
def test_a_file_that_is_no_card_is_a_card_that_cannot_be_read(board: Board, tmp_path: Path, content: str) -> None:
    (tmp_path / simulator_driver.FILE).write_text(content)
    assert next_state(board, PROBLEM) == "unreadable"


def test_without_a_reader_there_is_nothing_to_run(tmp_path: Path) -> None:
    threads = threading.active_count()
    manual = driver("manual", Board(), tmp_path)
    manual.start()
    assert isinstance(manual, ManualDriver) and threading.active_count() == threads
    manual.stop()


def test_the_command_lays_a_card_only_where_the_reader_is_simulated(home: StationHome) -> None:
    order = ["card", "put", ZHANG.id_number, ZHANG.name, "--dir", str(home.path)]
    refused = CliRunner().invoke(main, order)
    assert refused.exit_code != 0 and not (home.path / simulator_driver.FILE).exists()
    write_toml(home.config_file, replace(home.config(), card_driver="simulator"))
    assert CliRunner().invoke(main, order).exit_code == 0
    assert (home.path / simulator_driver.FILE).is_file()
    wrong = CliRunner().invoke(main, ["card", "put", "330683199011240010", "张伟", "--dir", str(home.path)])
    assert wrong.exit_code != 0
    assert CliRunner().invoke(main, ["card", "take", "--dir", str(home.path)]).exit_code == 0
    assert not (home.path / simulator_driver.FILE).exists()
