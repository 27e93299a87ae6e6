# SPDX-License-Identifier: Apache-2.0
"""`township-node verify`: everything that is kept about equality, computed anew from all rows."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from node.station import Station, with_station
from schema.programs import as_json, stages
from sync.equality import audit
from sync.wire import certificate

_out = Console(highlight=False)
_FAMILIES = {
    "county": "全县 county", "node": "本站 station", "township": "乡镇 township", "elsewhere": "查重摘要 elsewhere",
}  # fmt: skip


@click.command()
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_station
def verify(station: Station, json_: bool) -> None:
    """从全部数据重新计算核对值，查有没有漏记的行；不连网，不改数据。

    Compute the digests anew from all rows and look for rows nobody tracks. Needs no line and changes no data.

    退出码：0 都对；1 有不对的（已重新算过，下次上报时与中心核对）。 / Exit code: 0 all right, 1 something was not.
    """
    held = certificate.read(station.certificate).slices
    with stages(_FAMILIES, silent=json_) as tell:
        found = audit.verify_node(station.store, held, station.clock.now(), tell)
    audit.nightly(station.store, station.clock)
    with station.store.read() as db:
        untracked = audit.untracked(db)
    if json_:
        as_json({"digests": found, "untracked": untracked})
    else:
        for family, right in found.items():
            _out.print(f"{'[green]✓[/]' if right else '[red]✗[/]'} {_FAMILIES[family]}")
        for table, count in untracked.items():
            _out.print(f"[red]✗[/] {table}: {count} 行没有版本记录 rows without clocks")
    if untracked or not all(found.values()):
        sys.exit(1)
