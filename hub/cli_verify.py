# SPDX-License-Identifier: Apache-2.0
"""`township-hub verify-sync`: the digests that the hub keeps, computed anew from all rows."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from hub.context import Hub, with_hub
from schema.programs import as_json, stages
from sync.equality import audit

_out = Console(highlight=False)


@click.command("verify-sync")
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_hub
def verify_sync(hub: Hub, json_: bool) -> None:
    """从全部数据重新计算各站点的核对值，查有没有漏记的行；不改数据。

    Compute the digests kept for the stations anew from all rows and look for rows nobody tracks. Changes no data.

    退出码：0 都对；1 有不对的（已换成重新算出的）。 / Exit code: 0 all right, 1 something was not and was replaced.
    """
    with stages({}, silent=json_) as tell:
        found = audit.verify_hub(hub.store, hub.clock.now(), tell)
    audit.nightly(hub.store, hub.clock)
    with hub.store.read() as db:
        untracked = audit.untracked(db)
    wrong = [name for name, right in found.items() if not right]
    if json_:
        as_json({"digests": len(found), "wrong": wrong, "untracked": untracked})
    else:
        _out.print(f"核对值 digests: {len(found)}, 不对 wrong: {len(wrong)}")
        for name in wrong:
            _out.print(f"[red]✗[/] {name}", soft_wrap=True)
        for table, count in untracked.items():
            _out.print(f"[red]✗[/] {table}: {count} 行没有版本记录 rows without clocks")
    if untracked or wrong:
        sys.exit(1)
