# SPDX-License-Identifier: Apache-2.0
"""`township-node relay`: exchange through a neighbour, or carry for neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
from rich.console import Console

from node.relay import mailbox
from node.station import Station, with_station
from schema.home import write_toml
from schema.programs import as_json

_out = Console(highlight=False)
_AGAIN = "重新启动 township-node run 后生效。 / In force when township-node run is started again."


@click.group()
def relay() -> None:
    """没有专线的站点，经乡镇站转交。 / A station without a line exchanges through its township's station.

    \b
    乡镇站 township's station:  township-node relay carry 192.168.1.20:8480 --dir STATION
    社区站 community's:         township-node relay through http://192.168.1.20:8480 --dir STATION

    转交的文件是加密签名的：乡镇站看不了、改不了。只有中心的回执带回来，社区站才算已签收。

    What is carried is sealed and signed: the township's station can neither read nor change it. "Received" is said when
    the hub's receipt is back.
    """


@relay.command()
@click.argument("address")
@with_station
def carry(station: Station, address: str) -> None:
    """替邻近站点转交：在 ADDRESS（本机地址:端口）上收。 / Carry for neighbours: listen on ADDRESS (own host:port)."""
    _set(station, relay_listen=address, relay_url="")


@relay.command()
@click.argument("url")
@with_station
def through(station: Station, url: str) -> None:
    """本站改为经 URL 转交，不再直接连中心。 / Exchange through the neighbour at URL instead of an own line."""
    _set(station, relay_url=url, relay_listen="")


@relay.command()
@with_station
def off(station: Station) -> None:
    """不转交，也不经别人转交：恢复直接连中心。 / Neither carry nor be carried: back to the own line."""
    _set(station, relay_listen="", relay_url="")


@relay.command()
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_station
def status(station: Station, json_: bool) -> None:
    """怎么设的，有哪些站点的文件等着转交。 / How it is set, and whose bundles wait to be carried."""
    waiting = [{"station": one.node, "size_bytes": len(one.data)} for one in mailbox(station).waiting()]
    config = station.config
    told = {"through": config.relay_url, "carries_on": config.relay_listen, "waiting": waiting}
    if json_:
        as_json(told)
        return
    _out.print(f"经谁转交 through: {config.relay_url or '--'}")
    _out.print(f"替别人转交 carries on: {config.relay_listen or '--'}")
    for one in waiting:
        _out.print(f"  {one['station']}: {one['size_bytes']:,} B")


def _set(station: Station, **changes: Any) -> None:
    write_toml(station.home.config_file, replace(station.config, **changes))
    _out.print(_AGAIN)
