# SPDX-License-Identifier: Apache-2.0
"""A reader made of software: a card lies on it while the file `simulated-card.json` lies in the station's folder.

For training and demonstrations. The card is read by the same commands as a real one. `township-node card put` and
`card take` write and remove the file.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from datetime import date
from pathlib import Path

from node.card import reading
from node.card.board import EMPTY, PROBLEM, READ, READING, Board
from node.card.problems import CardProblem
from node.card.simulator import Holder, SimulatedCard, records

FILE = "simulated-card.json"
READER = "模拟读卡器 Simulator"
LOOK_S = 0.1


class SimulatorDriver:
    """Looks at the file ten times a second."""

    def __init__(self, board: Board, folder: Path) -> None:
        self._board = board
        self._file = folder / FILE
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="card simulator", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        before: object = self  # nothing that a file can hold: what the first look finds is always told
        while not self._stopping.is_set():
            now = self._lies()
            if now != before:
                before = now
                self._tell(now)
            self._stopping.wait(LOOK_S)

    def _lies(self) -> bytes | None:
        try:
            return self._file.read_bytes()
        except OSError:
            return None

    def _tell(self, content: bytes | None) -> None:
        if content is None:
            self._board.put(READER, EMPTY)
            return
        self._board.put(READER, READING)
        try:
            card = SimulatedCard(records(_holder(content)))
            self._board.put(READER, READ, card=reading.read(card.answer))
        except CardProblem as problem:
            self._board.put(READER, PROBLEM, problem=problem.code)
        except (ValueError, TypeError, KeyError):
            self._board.put(READER, PROBLEM, problem="unreadable")


def put(folder: Path, holder: Holder) -> None:
    """Lay this card on the simulated reader of the station in that folder."""
    days = {name: value.isoformat() if value else None for name, value in _days(holder).items()}
    temporary = folder / f"{FILE}.tmp"
    temporary.write_text(json.dumps({**asdict(holder), **days}, ensure_ascii=False), encoding="utf-8")
    temporary.replace(folder / FILE)


def take(folder: Path) -> None:
    """Take the card off; nothing happens when there is none."""
    (folder / FILE).unlink(missing_ok=True)


def _days(holder: Holder) -> dict[str, date | None]:
    return {"issued_on": holder.issued_on, "valid_to": holder.valid_to}


def _holder(content: bytes) -> Holder:
    data = json.loads(content)
    days = {name: date.fromisoformat(data[name]) if data[name] else None for name in ("issued_on", "valid_to")}
    return Holder(**{**data, **days})
