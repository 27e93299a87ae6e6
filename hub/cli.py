# SPDX-License-Identifier: Apache-2.0
"""`township-hub`: run the hub, and everything about it that is done from a command line."""

from __future__ import annotations

import logging
import signal
import sys
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from types import FrameType

import click
from rich.console import Console
from rich.table import Table

from hub import cli_restore, pack, queue, stations
from hub import doctor as health
from hub.app import create_app
from hub.cli_officer import officer
from hub.cli_pack import pack_group
from hub.cli_usb import usb
from hub.cli_verify import verify_sync
from hub.context import Hub, with_hub
from hub.server import listen, make_server
from hub.settlement.county import jobs
from hub.tasks import Tasks
from schema import backup as copies
from schema import logs, self_test
from schema.programs import Commands, as_json, calm_collector, said

# Parts with commands of their own: each has `cli.COMMANDS`, a tuple of click commands.
PARTS = ("hub.settlement", "hub.importing")

_out = Console(highlight=False)
_LEVELS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}
_JSON = click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="township-network")
def main() -> None:
    """中心端：网页、站点接口、工号、月结、名册导入。

    The county hub: pages, stations' API, officers, settlement, import of registers.

    \b
    第一次 / the first time:
      township-provision init-hub HUB --name 嵊州市劳动保障中心 --unlock-file PASSPHRASE
      township-hub officer add --dir HUB --number 2001 --name 林小满 --roles accept
    每天 / every day:
      township-hub run --dir HUB --unlock-file PASSPHRASE
    不放心的时候 / when in doubt:
      township-hub doctor --dir HUB
    """


@main.command()
@click.option("--host", help="监听的地址，默认用 hub.toml 里的 / address to listen on, else that of hub.toml")
@click.option("--port", type=click.IntRange(1, 65535), help="端口，默认用 hub.toml 里的 / port, else that of hub.toml")
@with_hub
def run(hub: Hub, host: str | None, port: int | None) -> None:
    """开中心：网页、站点接口（TLS）和后台任务在一个进程里。

    Open the hub: pages, stations' API (TLS) and background work in one process.

    Ctrl-C 停下；正在做的先做完。 / Ctrl-C stops after what is being done.
    """
    logs.begin(logging.INFO)
    logging.getLogger("huey").setLevel(logging.WARNING)
    pack.current()
    app = create_app(hub)
    tasks = Tasks(hub, app)
    server = make_server(hub, app, host, port)
    address = listen(server)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    calm_collector()
    tasks.start()
    _out.print(f"{hub.config.name}  {address}", soft_wrap=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        _out.print("正在停下 stopping")
    finally:
        server.stop()
        jobs.of(app, hub.store, hub.clock).wait()
        tasks.stop()


@main.command("stations")
@_JSON
@with_hub
def list_stations(hub: Hub, json_: bool) -> None:
    """每个站点最后联系、未上报、核对、证书。 / Last contact, unsent, equality and certificate of each station."""
    with hub.store.read() as db:
        listed = stations.everyone(db, hub.clock.now(), hub.clock.today())
    if json_:
        as_json([asdict(station) for station in listed])
        return
    table = Table(
        "站点 station", "最后联系 last seen", "未上报 unsent", "核对一致 equal", "证书 certificate", "情况 state"
    )
    for s in listed:
        table.add_row(
            f"{s.name} {s.id}",
            s.last_seen_at or "--",
            str(s.unsent),
            s.last_equal_at or "--",
            s.not_after or "--",
            s.age,
        )
    _out.print(table)


@main.command()
@_JSON
@with_hub
def status(hub: Hub, json_: bool) -> None:
    """站点、待办案件、拒收，与网页底栏相同。 / Stations, waiting cases, refusals: what the bar of the pages says."""
    with hub.store.read() as db:
        found = asdict(stations.summary(db, hub.clock.now())) | {"cases": queue.by_state(db)}
    if json_:
        as_json(found)
        return
    table = Table(show_header=False, box=None)
    for name, value in found.items():
        words = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        table.add_row(name, str("--" if words in (None, "") else words))
    _out.print(table)


@main.command()
@_JSON
@with_hub
def doctor(hub: Hub, json_: bool) -> None:
    """自检：扩展、数据库、规则包、TLS、岗位、站点、磁盘。 / Self-test; exit code 1 when something fails."""
    checks = health.examine(hub)
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
@_JSON
@with_hub
def backup(hub: Hub, json_: bool) -> None:
    """现在备份一次：加密复制，打开核对，再算数。 / Back up now: an encrypted copy, proven by opening it."""
    made = copies.make(hub.store, hub.secrets.db_key, hub.home.backups, hub.clock)
    if json_:
        as_json({"path": str(made.path), "size_bytes": made.size_bytes, "facts": made.facts})
    else:
        _out.print(f"{made.path}  {made.size_bytes:,} B  facts {made.facts:,}", soft_wrap=True)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


main.add_command(officer)
main.add_command(pack_group)
for _command in cli_restore.COMMANDS:
    main.add_command(_command)
main.add_command(usb)
main.add_command(verify_sync)
for _part in PARTS:
    if find_spec(f"{_part}.cli"):
        for _command in import_module(f"{_part}.cli").COMMANDS:
            main.add_command(_command)


if __name__ == "__main__":
    main()
