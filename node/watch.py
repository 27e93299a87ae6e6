# SPDX-License-Identifier: Apache-2.0
"""`township-node sync --watch`: what is left, in which channel, and how long at the present speed, until Ctrl-C.

It reads what the running station writes down and exchanges nothing itself, so it may be open all day beside it.
"""

from __future__ import annotations

import time
from dataclasses import asdict

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from node import status
from node.station import Station
from schema.programs import as_json, said
from sync.station import left
from sync.station.left import Outlook
from sync.wire.words import words

EVERY_S = 1.0
CHANNELS = {
    "ctl": "急办 urgent", "evt": "业务 cases", "reg": "名册修改 edits", "ref": "名册 register", "blob": "扫描件 scans",
}  # fmt: skip
_LINKS = {
    "up": "通 up", "down": "断 down", "refused": "被拒 refused", "relay": "经乡镇站 by a neighbour",
    "never": "还没连过 never",
}  # fmt: skip


def follow(station: Station, out: Console, *, once: bool) -> None:
    """Show it every second; `once`: print one line of JSON instead."""
    if once:
        outlook, now = _look(station)
        as_json(asdict(outlook) | {"link": now.link, "last_error": now.last_error, "equal_at": now.equal_at})
        return
    with Live(console=out, auto_refresh=False) as live:
        try:
            while True:
                live.update(picture(*_look(station)), refresh=True)
                time.sleep(EVERY_S)
        except KeyboardInterrupt:
            return


def picture(outlook: Outlook, now: status.Status) -> Group:
    """The screen at one moment."""
    about = Table(show_header=False, box=None)
    about.add_row("线路 link", _LINKS.get(now.link, now.link))
    if now.last_error:
        about.add_row("原因 why", said(*words(now.last_error)))
    about.add_row("核对一致 equal", now.equal_at or "--")
    about.add_row("速度 speed", f"↑ {_rate(outlook.up_bytes_per_s)}  ↓ {_rate(outlook.down_bytes_per_s)}")
    rows = Table("通道 channel", "方向 way", "条 items", "约 about", box=None)
    for one in outlook.left:
        way = "发出 send" if one.direction == "up" else "取回 fetch"
        rows.add_row(CHANNELS.get(one.channel, one.channel), way, f"{one.items:,}", _size(one.bytes))
    rest = "都办完了 nothing is left" if not outlook.left else f"还要 left {_time(outlook.seconds)}"
    return Group(about, rows, rest) if outlook.left else Group(about, rest)


def _look(station: Station) -> tuple[Outlook, status.Status]:
    with station.store.read() as db:
        return left.read(db, station.clock.now()), status.read(db, station.config.id, station.home.path, station.clock)


def _size(count: float) -> str:
    return f"{count / 1024:,.1f} KB"


def _rate(bytes_per_s: float) -> str:
    return f"{_size(bytes_per_s)}/s" if bytes_per_s else "--"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-- （还没量过线路 the line was not measured yet）"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} 分 min {rest} 秒 s" if minutes else f"{rest} 秒 s"
