# SPDX-License-Identifier: Apache-2.0
"""The three ways to a card, as station.toml names them: `pcsc`, `simulator`, `manual`.

A driver tells a board what lies on the readers, from `start` to `stop`. It never raises into the station and never
makes a page wait: what hangs is a process, and a process can be ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from node.card.board import Board
from node.card.pcsc_driver import PcscDriver
from node.card.simulator_driver import SimulatorDriver


class Driver(Protocol):
    """What the station knows of a driver."""

    def start(self) -> None:
        """Begin to tell the board."""
        ...

    def stop(self) -> None:
        """Stop, and end what was begun."""
        ...


class ManualDriver:
    """No reader: the clerk types what the card or the ID card says."""

    def start(self) -> None:
        """Nothing is to be done."""

    def stop(self) -> None:
        """Nothing is to be undone."""


def driver(name: str, board: Board, folder: Path) -> Driver:
    """The driver of that name. `folder` is the station's; `schema.home` has refused other names."""
    if name == "pcsc":
        return PcscDriver(board)
    return SimulatorDriver(board, folder) if name == "simulator" else ManualDriver()
