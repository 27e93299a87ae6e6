# SPDX-License-Identifier: Apache-2.0
"""Frames, facts and cells made by hand, honest or not, for tests of what takes them in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from schema import ids
from schema.events import GENESIS, Fact
from sync.hub.inbox import Inbox, Node
from sync.wire import codec, frame, receipt
from sync.wire.codec import WireCell

Hub = tuple[Any, Any, Inbox, Node]


def make(station: Any, channel: str, content: Any, n: int = 1, prev: bytes = GENESIS, **header: Any) -> bytes:
    made = frame.Header(
        station.name,
        "hub",
        station.epoch,
        channel,
        "",
        frame.PUSH,
        n,
        prev,
        0,
        n,
        False,
        1,
        1,
        "2026-11-20T01:00:00.000Z",
    )
    return frame.build(replace(made, **header), content, station.key)


def fact(station: Any, seq: int = 1, prev: bytes = GENESIS, key: Any = None, **change: Any) -> Fact:
    made = Fact(
        ids.new_id(), station.name, station.epoch, seq, prev, "case_submitted", 1, ids.new_id(), station.officer,
        "2026-11-20T01:00:00.000Z", {"case": str(seq)},
    )  # fmt: skip
    return replace(made, **change).signed(key or station.officer_key)


def facts_frame(station: Any, *facts: Any, **more: Any) -> bytes:
    items = [f.to_wire() if isinstance(f, Fact) else f for f in facts]
    return make(station, "evt", {"facts": items}, **({"items": len(items)} | more))


def cells_frame(station: Any, *cells: WireCell, conflicts: Any = (), **more: Any) -> bytes:
    rows = len({(c.table, c.row_id) for c in cells}) + len(conflicts)
    content = {"cells": codec.pack_cells(cells), "conflicts": list(conflicts)}
    return make(station, "reg", content, **({"items": rows} | more))


def cell(row_id: bytes, **change: Any) -> WireCell:
    return WireCell("contact", row_id, "phone", "13900000001", 2, 1, 0)._replace(**change)


def bytes_of(world: Any) -> list[bytes]:
    """Every byte of the hub's database, write-ahead log included."""
    return [path.read_bytes() for path in sorted(world.folder.glob("hub.db*")) if not path.name.endswith("-shm")]


def refused(world: Any, data: bytes) -> list[tuple[str, str]]:
    return [(r.item, r.code) for r in receipt.read(data, world.hub_public).refused]
