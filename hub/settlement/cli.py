# SPDX-License-Identifier: Apache-2.0
"""`township-hub receipts | match | settle`: the month from the command line, signed like on the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from hub.context import Hub, with_hub
from hub.importing import refused as refused_file
from hub.settlement import computing, explain, matching, month, receipts, signing, views
from hub.settlement.county import cli as county
from hub.settlement.county import cli_late
from hub.settlement.county.cli_explain import explain_command as explain_month
from hub.signer import Signer, with_signer
from schema import ids, money, view
from schema.errors import UnknownSubject
from schema.programs import Commands, as_json
from schema.sheets import COMMAND_LINE

_JSON = click.option("--json", "json_out", is_flag=True, help="一行 JSON / one line of JSON")
_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command("receipts")
@_FILE
@with_hub
@with_signer
@click.option("--preview", is_flag=True, help="只看，不登记 / show only, write nothing")
@click.option(
    "--refused", type=click.Path(dir_okay=False, path_type=Path), help="拒收的行写到这个文件 / refused lines go here"
)
@_JSON
def receipts_command(hub: Hub, signer: Signer, file: Path, preview: bool, refused: Path | None, json_out: bool) -> None:
    """登记到账文件 / Take in a file of receipts (Excel or CSV)."""
    if preview:
        summary = receipts.preview(hub.store, file, COMMAND_LINE, hub.clock)
    else:
        summary = receipts.take_in(hub.store, file, COMMAND_LINE, signer.operator_no, signer.key, hub.clock)
    if refused and summary.refused:
        refused_file.write(refused, summary.header, summary.refused)
    if json_out:
        as_json(summary.to_json())
        return
    for kind, words in (("matched", "认领 / matched"), ("suspense", "暂收 / suspense"), ("known", "已登记过 / known")):
        click.echo(f"{words}: {summary.counts[kind]:,}  {money.yuan(summary.fen[kind])}")
    click.echo(f"拒收 / refused: {len(summary.refused):,}")
    for one in summary.refused[:20]:
        click.echo(f"  {one.line.number}: {'；'.join(f.zh for f in one.findings)}")


@click.command("match")
@with_hub
@with_signer
@_JSON
def match_command(hub: Hub, signer: Signer, json_out: bool) -> None:
    """给暂收的到账重新找人 / Try again to match receipts in suspense."""
    count, amount_fen = matching.match_all(hub.store, signer.operator_no, signer.key, hub.clock)
    if json_out:
        as_json({"matched": count, "matched_fen": amount_fen})
    else:
        click.echo(f"认领 / matched: {count:,}  {money.yuan(amount_fen)}")


@click.group("settle", cls=Commands)
def settle() -> None:
    """月结：计算、审批、发放、结账由四个人办 / The month: compute, approve, pay, close, by four officers."""


_MONTH = click.argument("settled", metavar="MONTH")


@settle.command("run")
@_MONTH
@with_hub
@with_signer
@_JSON
def run_command(hub: Hub, signer: Signer, settled: str, json_out: bool) -> None:
    """计算 / Compute the month; can be repeated until it is approved."""
    computing.run(hub.store, settled, signer.operator_no, signer.key, hub.clock)
    _show(hub, settled, json_out)


@settle.command("approve")
@_MONTH
@with_hub
@with_signer
@_JSON
def approve_command(hub: Hub, signer: Signer, settled: str, json_out: bool) -> None:
    """审批 / Approve what was computed."""
    signing.approve(hub.store, settled, signer.operator_no, signer.key, hub.clock)
    _show(hub, settled, json_out)


@settle.command("pay")
@_MONTH
@with_hub
@with_signer
@_JSON
def pay_command(hub: Hub, signer: Signer, settled: str, json_out: bool) -> None:
    """发放 / Send the batches to the bank, post accounts, tell the stations."""
    signing.pay(hub.store, settled, signer.operator_no, signer.key, hub.clock)
    _show(hub, settled, json_out)


@settle.command("close")
@_MONTH
@with_hub
@with_signer
@click.option(
    "--typed", default="", help="确认的话，如「结账 2026-11」；没有就当场询问 / the confirmation; else a prompt"
)
@_JSON
def close_command(hub: Hub, signer: Signer, settled: str, typed: str, json_out: bool) -> None:
    """结账，不能重开 / Close the month for good."""
    word = signing.word("close", settled)
    typed = typed or click.prompt(f"请输入「{word}」/ type 「{word}」", default="", show_default=False)
    signing.close(hub.store, settled, signer.operator_no, signer.key, hub.clock, typed)
    _show(hub, settled, json_out)


@settle.command("show")
@click.argument("settled", metavar="[MONTH]", required=False)
@with_hub
@_JSON
def show_command(hub: Hub, settled: str | None, json_out: bool) -> None:
    """看一个月，缺省是该结的月 / Show a month, the open one unless named."""
    _show(hub, settled, json_out)


@settle.command("explain")
@_MONTH
@click.option("--person", help="人员内部编号；没有就询问身份证号 / the person's id; else asks for the ID number")
@with_hub
def explain_command(hub: Hub, settled: str, person: str | None) -> None:
    """一个人一个月怎么算的 / How one person's month was reckoned."""
    asked = "" if person else click.prompt("身份证号 / ID number")
    with hub.store.read() as db:
        person_id = _person(person) if person else view.find_by_id_number(db, asked)
        if person_id is None:
            raise UnknownSubject("名册里没有这个身份证号", "the register has no such ID number")
        found = explain.explain(db, settled, person_id)
    for part in found.parts:
        click.echo(f"{part.title['zh']}  {money.yuan(part.amount_fen)}\n    {part.words['zh']}")
        for rule in part.rules:
            click.echo(f"    {rule['formula']['zh']}（{rule['law']}）")
            for value in rule["parameters"]:
                click.echo(f"      {value['name']} {value['value'] or ''} {value['from']} {value['source']}")
    if found.held:
        click.echo(f"没有发放：{found.held['zh']}（{money.yuan(found.due_fen)}）")
    click.echo(f"本月发放 / paid this month: {money.yuan(found.total_fen)}")


def _person(text: str) -> bytes:
    try:
        return ids.from_text(text)
    except ValueError as error:
        raise UnknownSubject("内部编号是 32 位十六进制", "a person's id is 32 hex digits") from error


def _show(hub: Hub, settled: str | None, json_out: bool) -> None:
    with hub.store.read() as db:
        if settled:
            month.get(db, settled)
        found = views.overview(db, hub.clock.today(), settled)
    if json_out:
        as_json(found.to_json())
        return
    state = month.STATES[found.state]["zh"] if found.state else "未计算 / not computed"
    console = Console()
    console.print(f"{found.month}  {state}  {(found.row.get('run_id') or '')[:16]}", markup=False)
    table = Table("步", "控制数 / control", "一边", "另一边", "差")
    for control in found.controls:
        table.add_row(str(control["step"]), control["zh"], *(_amount(control, side) for side in ("left", "right", "")))
    console.print(table)
    totals: dict[str, Any] = found.totals
    if totals:
        sums = {name: money.yuan(totals[f"{name}_fen"]) for name in ("benefit", "contribution", "subsidy")}
        console.print(f"发放 / paid: {totals['payees']:,}  {sums['benefit']}")
        console.print(f"记账 / credited: {totals['credited']:,}  {sums['contribution']} + {sums['subsidy']}")
    for reason, persons, fen in totals.get("held", []):
        console.print(f"拦下 {persons:,} 人 {money.yuan(fen or 0)}：{explain.REASONS[reason]['zh']}", markup=False)


def _amount(control: dict[str, Any], side: str) -> str:
    value = control[side] if side else control["left"] - control["right"]
    return money.yuan(value) if control["unit"] == "fen" else f"{value:,}"


for _command in (*county.COMMANDS, *cli_late.COMMANDS):
    settle.add_command(_command)

COMMANDS = (receipts_command, match_command, settle, explain_month)
