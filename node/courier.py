# SPDX-License-Identifier: Apache-2.0
"""The station's exchange by stick: what a page or a command does with `sync.courier.node`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

from node import case_state, relay
from node.exchange import Exchange
from node.station import Station
from schema import database
from schema.clock import stamp
from schema.events import HUB
from sync.courier import file as courier_file
from sync.courier import node as courier_node
from sync.courier.node import Exported, Progress, Taken
from sync.station import outbox

HISTORY_KEPT = 10
_HISTORY = "usb_history"


class Courier:
    """Sticks of one station. It waits its turn like any exchange: a session over the line moves the same cursors."""

    def __init__(self, station: Station, exchange: Exchange) -> None:
        self._station, self._exchange = station, exchange

    @property
    def file_name(self) -> str:
        """A name for the next file."""
        return courier_file.name(self._station.config.id, HUB)

    def export(self, sink: IO[bytes], tell: Progress | None = None) -> Exported:
        """Write what the hub has not signed for. Raises WrongState when an exchange is running, ConfigError."""
        with self._exchange.alone():
            made = courier_node.export(relay.courier_node(self._station), sink, tell=tell)
        self._remember("out", made.facts + made.rows, None)
        return made

    def export_to(self, target: Path, tell: Progress | None = None) -> tuple[Path, Exported]:
        """The same into a new file. Raises ConfigError when it cannot be written whole."""
        with self._station.store.read() as db:
            needed = outbox.unsent(db).bytes_estimate
        return courier_file.write(target, self.file_name, needed, lambda sink: self.export(sink, tell))

    def take(self, source: IO[bytes], tell: Progress | None = None) -> Taken:
        """Take the hub's answer in, and bring our case notes to the hub's word.

        Raises WrongState when an exchange is running; BadFrame, BadSignature, RefusedByPeer with the reason.
        """
        with self._exchange.alone():
            try:
                taken = courier_node.take(relay.courier_node(self._station), source, tell)
            finally:
                with self._station.store.write() as db:
                    case_state.follow(db)
                self._station.follow_rules()
        self._remember("in", taken.receipts + taken.items, taken.equal)
        return taken

    def _remember(self, way: str, count: int, equal: bool | None) -> None:
        with self._station.store.write() as db:
            entry = {"at": stamp(self._station.clock.now()), "way": way, "count": count, "equal": equal}
            kept = json.dumps([entry, *history(db)][:HISTORY_KEPT], separators=(",", ":"))
            database.upsert(db, "link", {"name": _HISTORY, "value": kept})


def history(db: Any) -> list[dict[str, Any]]:
    """The last files written and taken in, newest first."""
    row = db.execute("SELECT value FROM link WHERE name = ?", (_HISTORY,)).fetchone()
    entries: list[dict[str, Any]] = json.loads(row["value"]) if row and row["value"] else []
    return entries
