# SPDX-License-Identifier: Apache-2.0
"""The hub's exchange by stick: a sync server of this process takes bundles in and answers them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub import receipt_blocks
from hub.context import Hub
from hub.intake import intake
from schema.clock import stamp
from schema.errors import UnknownSubject
from schema.events import HUB
from sync.courier import file as courier_file
from sync.courier.hub import Courier, Progress, Written
from sync.hub.publish import Publication
from sync.hub.server import SyncServer


def make_server(hub: Hub) -> SyncServer:
    """The sync server over this hub; over the line or by stick, the same."""

    def on_hello(pub: Publication, station: str, hello: dict[str, Any]) -> None:
        receipt_blocks.top_up(pub, station, hub.clock.today(), hello["numbers_wanted"])

    def on_grant(pub: Publication, station: str, serials_in_doubt: bool) -> None:
        if serials_in_doubt:
            receipt_blocks.begin_fresh(pub, station, hub.clock.today(), stamp(hub.clock.now()))
        else:
            receipt_blocks.lease_again(pub, station, hub.clock.today())

    return SyncServer(
        hub.store,
        hub.secrets.signing,
        hub.secrets.authority.public_key().public_bytes_raw(),
        hub.secrets.token_secret,
        hub.clock,
        intake,
        on_hello,
        authority_key=hub.secrets.authority,
        on_grant=on_grant,
        bytes_per_hour=hub.config.sync_bytes_per_hour,
    )


def answer_to(
    courier: Courier, station: str, target: Path, limit_bytes: int, tell: Progress | None = None
) -> tuple[Path, Written]:
    """Write the answer for a station into a new file. Raises ConfigError when it cannot be written whole."""
    if not courier.has_asked(station):
        raise UnknownSubject(
            f"站点 {station} 还没有交来 U 盘数据，请先导入它的文件",
            f"station {station} has sent no bundle yet: import its file first",
        )
    name = courier_file.name(HUB, station)
    return courier_file.write(
        target, name, 0, lambda sink: courier.answer(station, sink, limit_bytes=limit_bytes, tell=tell)
    )
