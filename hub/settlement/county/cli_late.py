# SPDX-License-Identifier: Apache-2.0
"""`township-hub settle adjustments | stations | rehearse`: late work, whose is missing, a month tried out."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from hub.context import Hub, with_hub
from hub.settlement.county import effect, rehearsal, watermarks
from hub.settlement.county.cli import progress
from hub.settlement.county.naming import FUND
from hub.settlement.county.runs import County
from schema import money
from schema.programs import as_json

_JSON = click.option("--json", "json_out", is_flag=True, help="一行 JSON / one line of JSON")
_MONTH = click.argument("settled", metavar="MONTH")
_SHOWN = 30


def _county(hub: Hub) -> County:
    return County(hub.store, hub.home.path, hub.secrets.db_key, hub.clock)


@click.command("adjustments")
@_MONTH
@with_hub
@_JSON
def adjustments_command(hub: Hub, settled: str, json_out: bool) -> None:
    """审批前看迟到业务的钱：谁、哪个单位、哪个月、为什么 / What late work does in a month, before it is approved."""
    found = effect.of(_county(hub), settled)
    if json_out:
        as_json(found.to_json())
        return
    table = Table("人 / person", "单位 / payer", "月 / month", "补 / more", "冲 / cancelled", "退 / back", "原因 / why")
    for row in found.contributions[:_SHOWN]:
        amounts = (money.yuan(fen) for fen in (row.more_fen, row.cancelled_fen, row.returned_fen))
        table.add_row(row.name, row.payer, row.month, *amounts, "；".join(text["zh"] for text in row.why))
    for one in found.benefits[:_SHOWN]:
        paid, back = money.yuan(max(one.fen, 0)), money.yuan(max(-one.fen, 0))
        table.add_row(one.name, FUND[one.fund]["zh"], one.month, paid, "", back, "；".join(w["zh"] for w in one.why))
    Console().print(table)
    for name, value in found.totals().items():
        click.echo(f"{name}: {money.yuan(value) if name.endswith('_fen') else value}")


@click.command("stations")
@with_hub
@_JSON
def stations_command(hub: Hub, json_out: bool) -> None:
    """结账前看哪些站点的业务还没到 / Whose work is not in yet: stations not heard of, or holding work back."""
    with hub.store.read() as db:
        marks = watermarks.now(db, hub.clock.now())
    if json_out:
        as_json({"stations": watermarks.to_json(marks)})
        return
    for mark in (mark for mark in marks if mark.missing):
        since = mark.last_seen_at or "从未 / never"
        click.echo(f"{mark.station} {mark.name}  最后联系 / heard {since}  已知未发 / unsent {mark.unsent}")
    click.echo(f"共 / of {len(marks)}")


@click.command("rehearse")
@_MONTH
@with_hub
@_JSON
def rehearse_command(hub: Hub, settled: str, json_out: bool) -> None:
    """试算一个月，什么也不写，与上一个已结的月对比 / A month tried out beside the last real one."""
    with progress(json_out) as tell:
        found = rehearsal.rehearse(_county(hub), settled, tell)
    if json_out:
        as_json(found.to_json())
        return
    table = Table("乡镇 / township", "基金 / fund", "应缴、发放", "变化 / reason", "人 / persons", "元 / yuan")
    for row in found.rows:
        table.add_row(
            row.township, FUND[row.fund]["zh"], row.side, row.reason, f"{row.persons:,}", money.yuan(row.change_fen)
        )
    Console().print(table)
    for one in found.outliers:
        click.echo(f"{one.kind}  {one.name}  {money.yuan(one.last_fen)} → {money.yuan(one.now_fen)}")
    broken = [control.zh for control in found.controls if not control.holds]
    said = "核对不平：" + "；".join(broken) if broken else "核对平 / balanced"
    click.echo(f"{found.month} / {found.last}  {said}")


COMMANDS = (adjustments_command, stations_command, rehearse_command)
