# SPDX-License-Identifier: Apache-2.0
"""`township-node`: run the station's pages and its exchanges, or do one of them by hand."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from dataclasses import asdict
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from waitress import create_server

from node import doctor as health
from node import status as truth
from node import watch
from node.app import TEXTS, create_app
from node.card.desk import Cards
from node.cli_card import card
from node.cli_relay import relay
from node.cli_usb import usb
from node.cli_verify import verify
from node.exchange import Exchange
from node.kiosk.app import KioskServer, create_kiosk
from node.relay import Listener
from node.station import Station, with_station
from node.tasks import Tasks
from schema import backup as copies
from schema import crsqlite, logs, self_test
from schema.clock import SystemClock
from schema.database import Store
from schema.errors import ConfigError
from schema.home import StationHome
from schema.programs import Commands, as_json, calm_collector, passphrase, require_stopped, said, unlock_option
from sync.station import rebase

HOST = "127.0.0.1"
THREADS = 10  # three may be waiting for a card (node.card.board)
WAIT_S = 120.0  # for an exchange that the running station has just begun

_out = Console(highlight=False)
_STAGES = {
    "hello": "连接 connecting", "push": "上报 sending", "snapshot": "下载名册 downloading the register",
    "pull": "取回 fetching", "verify": "核对 comparing", "repair": "补正 repairing", "blob": "上传扫描件 sending scans",
}  # fmt: skip
_LEVELS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="township-network")
def main() -> None:
    """站点程序：窗口网页、与中心交换、备份、自检。

    The station's program: counter pages, exchange with the hub, backup, self-test.

    \b
    每天只用一条 / every day you need one:
      township-node run --dir STATION --unlock-file PASSPHRASE
    不放心的时候 / when in doubt:
      township-node doctor --dir STATION
    """


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), help="网页端口，默认用 station.toml 里的 / port of the pages")
@with_station
def run(station: Station, port: int | None) -> None:
    """开窗口：网页只在本机，后台按时上报，每晚备份。

    Open the counter: pages on this machine only, timed exchange, a backup every evening.

    Ctrl-C 停下；正在做的先做完。 / Ctrl-C stops after what is being done.
    """
    logs.begin(logging.WARNING)
    logging.getLogger("township").setLevel(logging.INFO)
    exchange = Exchange(station)
    tasks = Tasks(station, exchange)
    chosen = port or station.config.port
    app = create_app(station, exchange)
    app.extensions["tasks"] = tasks
    server = create_server(app, sockets=[_door(chosen)], threads=THREADS, ident=None)
    listener = Listener(station, tasks.sync_now) if station.config.relay_listen else None
    cards = app.extensions["cards"]
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    calm_collector()
    cards.start()
    kiosk = _kiosk(station, cards)
    if kiosk:
        kiosk.start()
    tasks.start()
    if listener:
        listener.start()
    _out.print(f"{station.config.name} {station.config.id}  http://{HOST}:{chosen}/", soft_wrap=True)
    try:
        server.run()
    except KeyboardInterrupt:
        _out.print("正在停下 stopping")
    finally:
        cards.stop()
        if kiosk:
            kiosk.stop()
        server.close()
        if listener:
            listener.stop()
        tasks.stop()


@main.command()
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@click.option("--watch", "watching", is_flag=True, help="只看不交换：还剩多少、多久 / only look at what is left")
@with_station
def sync(station: Station, json_: bool, watching: bool) -> None:
    """现在与中心交换一次，说明发了什么、取了什么。 / Exchange with the hub once and say what moved.

    退出码：0 完成；1 没有完成，原因写在屏幕上。 / Exit code: 0 done, 1 not done with the reason.

    \b
    看正在运行的站点在传什么 / what the running station is about:
      township-node sync --watch
    """
    if watching:
        watch.follow(station, _out, once=json_)
        return
    exchange = Exchange(station, wait_s=WAIT_S)
    if json_:
        report = exchange.run(by_hand=True)
    else:
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=_out) as bar:
            task = bar.add_task(_STAGES["hello"], total=None)
            report = exchange.run(
                lambda stage, done: bar.update(task, description=_stage(stage, done)), by_hand=True
            )
    if json_:
        as_json(asdict(report))
    elif report.ok:
        _out.print(f"完成 done: 发出 sent {report.pushed_items}, 取回 fetched {report.pulled_items}, {_proof(report)}")
    if not report.ok:
        if not json_:
            click.echo(said(report.error_zh, report.error_en), err=True)
        sys.exit(1)


@main.command()
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_station
def status(station: Station, json_: bool) -> None:
    """线路、未上报、核对、号段、时钟、磁盘，与网页底栏相同。 / What the bottom bar of the pages says."""
    with station.store.read() as db:
        now = truth.read(db, station.config.id, station.home.path, station.clock)
    if json_:
        as_json(now.as_json())
        return
    table = Table(show_header=False, box=None)
    for name, value in now.as_json().items():
        table.add_row(name, ", ".join(value) if isinstance(value, list) else str(value if value is not None else "--"))
    _out.print(table)


@main.command()
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_station
def doctor(station: Station, json_: bool) -> None:
    """自检：扩展、数据库、规则包、证书、号段、磁盘、时钟、备份。 / Self-test; exit code 1 when something fails."""
    checks = health.examine(station)
    if json_:
        as_json([asdict(check) for check in checks])
    else:
        table = Table(show_header=False, box=None)
        for check in checks:
            table.add_row(_LEVELS[check.level], check.name, said(check.zh, check.en))
        _out.print(table)
    if self_test.worst(checks) == "fail":
        sys.exit(1)


@main.command()
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_station
def backup(station: Station, json_: bool) -> None:
    """现在备份一次：加密复制，打开核对，再算数。 / Back up now: an encrypted copy, proven by opening it."""
    made = copies.make(station.store, station.secrets.db_key, station.home.backups, station.clock)
    if json_:
        as_json({"path": str(made.path), "size_bytes": made.size_bytes, "facts": made.facts})
    else:
        _out.print(f"{made.path}  {made.size_bytes:,} B  facts {made.facts:,}", soft_wrap=True)


main.add_command(card)
main.add_command(usb)
main.add_command(verify)
main.add_command(relay)


@main.command()
@click.argument("copy", required=False)
@click.option("--dir", "folder", required=True, type=click.Path(file_okay=False), help="站点文件夹 / station's folder")
@unlock_option
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
def restore(copy: str | None, folder: str, unlock_file: str | None, json_: bool) -> None:
    """从备份恢复，默认最新一份；下次同步自动换新批次，未上报的都保留。

    Put a copy back, the newest unless named. The next exchange begins a new life of the database: what the hub had
    received since comes back, what was unsent in the copy is sent, receipt numbers go on in a fresh block.

    \b
    先停下 township-node run。原来的数据库改名留着。 / Stop the program first. The present database is kept aside.
      township-node restore --dir STATION
      township-node sync --dir STATION
    """
    home = StationHome(folder)
    config = home.config()
    require_stopped(HOST, config.port)
    crsqlite.use_library(home.path)
    secrets = home.unlock(passphrase(unlock_file))
    chosen = copies.chosen(home.backups, copy)
    aside = copies.put_back(chosen, home.database, secrets.db_key, SystemClock())
    store = Store(home.database, secrets.db_key, side="node")
    try:
        with store.write() as db:
            rebase.want(db, "restored")
    finally:
        store.close()
    if json_:
        as_json({"restored": chosen.path.name, "kept": aside.name})
    else:
        _out.print(f"已恢复 restored {chosen.path.name}；原数据库 the former is {aside.name}", soft_wrap=True)
        _out.print("请现在同步一次 exchange once now: township-node sync", soft_wrap=True)


def _kiosk(station: Station, cards: Cards) -> KioskServer | None:
    """The self-service page's server, where the settings give it a port."""
    port = station.config.kiosk_port
    if not port:
        return None
    _out.print(f"自助页 self-service  http://{HOST}:{port}/", soft_wrap=True)
    return KioskServer(create_kiosk(station, cards, TEXTS), _door(port))


def _door(port: int) -> socket.socket:
    """A socket on this machine only. Raises ConfigError when somebody else has the port."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would let two programs share the port
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((HOST, port))
    except OSError as error:
        door.close()
        raise ConfigError(
            f"端口 {port} 已被占用，用 --port 换一个", f"port {port} is in use: choose another with --port"
        ) from error
    return door


def _stage(stage: str, done: int) -> str:
    shown = f"{done // 1024} KB" if stage in ("snapshot", "blob") else done or ""
    return f"{_STAGES.get(stage, stage)} {shown}"


def _proof(report: Any) -> str:
    words = {True: "与中心核对一致 proven equal", False: "与中心有不同，正在对齐 differs, realigning"}
    return words.get(report.equal, "还没有核对 not compared")


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
