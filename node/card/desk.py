# SPDX-License-Identifier: Apache-2.0
"""The station's board and its driver together: made with the app, begun when the station runs."""

from __future__ import annotations

from flask import current_app

from node.card import drivers
from node.card.board import Board
from node.station import Station

EXTENSION = "cards"


class Cards:
    """What the pages look at, and what fills it."""

    def __init__(self, station: Station) -> None:
        self.name = station.config.card_driver
        self.board = Board()
        self._driver = drivers.driver(self.name, self.board, station.home.path)
        self._running = False

    def start(self) -> None:
        """Begin to look at the readers."""
        self._running = True
        self._driver.start()

    def stop(self) -> None:
        """Let the pages that wait go, and end what was begun."""
        self.board.close()
        if self._running:
            self._driver.stop()


def cards() -> Cards:
    """Those of the app that serves this request."""
    kept: Cards = current_app.extensions[EXTENSION]
    return kept
