# SPDX-License-Identifier: Apache-2.0
"""Commands for the day after: the hub from a backup, opened again when it was looked at; a station that waits."""

from __future__ import annotations

import click
from rich.console import Console

from hub import stations
from hub.context import Hub, with_hub
from schema import backup as copies
from schema.clock import SystemClock, stamp
from schema.database import Store
from schema.home import HubHome
from schema.programs import as_json, passphrase, require_stopped, said, unlock_option
from sync.hub import life

_out = Console(highlight=False)
_JSON = click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")


@click.command()
@click.argument("copy", required=False)
@click.option("--dir", "folder", required=True, type=click.Path(file_okay=False), help="中心文件夹 / the hub's folder")
@unlock_option
@_JSON
def restore(copy: str | None, folder: str, unlock_file: str | None, json_: bool) -> None:
    """从备份恢复，默认最新一份；核对之前不回答站点。

    Put a copy back, the newest unless named. Stations are not answered until `township-hub open`: look first. Then they
    offer again what this hub has forgotten.

    \b
    先停下 township-hub run。原来的数据库改名留着。 / Stop the program first. The present database is kept aside.
      township-hub restore --dir HUB
      township-hub doctor --dir HUB
      township-hub open --dir HUB
    """
    home = HubHome(folder)
    config = home.config()
    require_stopped(config.host, config.port)
    secrets = home.unlock(passphrase(unlock_file))
    clock = SystemClock()
    chosen = copies.chosen(home.backups, copy)
    aside = copies.put_back(chosen, home.database, secrets.db_key, clock)
    store = Store(home.database, secrets.db_key, side="hub")
    try:
        with store.write() as db:
            life.begin_anew(db, stamp(chosen.made_at), stamp(clock.now()))
    finally:
        store.close()
    if json_:
        as_json({"restored": chosen.path.name, "kept": aside.name, "fenced": True})
    else:
        _out.print(f"已恢复 restored {chosen.path.name}；原数据库 the former is {aside.name}", soft_wrap=True)
        _out.print("核对后再放行站点 look, then let stations in: township-hub open", soft_wrap=True)


@click.command("open")
@_JSON
@with_hub
def open_hub(hub: Hub, json_: bool) -> None:
    """恢复并核对之后，重新回答站点。 / After a restore was looked at: answer stations again."""
    with hub.store.write() as db:
        opened = life.open_again(db, stamp(hub.clock.now()))
    if json_:
        as_json({"opened": opened})
    else:
        click.echo(said("已放行站点", "stations are answered") if opened else said("本来就没有关", "it was not closed"))


@click.command()
@click.argument("station")
@_JSON
@with_hub
def permit(hub: Hub, station: str, json_: bool) -> None:
    """一个站点有两台电脑，或恢复过太多次：允许下一台来问的接着用。

    Two machines work as one station, or one was restored too often: let the next machine that asks go on. Switch on
    only the one that is to ask. The other keeps its unsent work; permit it later if it is to deliver that.
    """
    with hub.store.write() as db:
        stations.permit(db, station, stamp(hub.clock.now()))
    if json_:
        as_json({"station": station, "permitted": True})
    else:
        click.echo(said(f"{station} 下一台来同步的电脑可以接着用", f"the next machine of {station} that asks goes on"))


COMMANDS = (restore, open_hub, permit)
