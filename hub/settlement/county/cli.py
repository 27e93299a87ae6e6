# SPDX-License-Identifier: Apache-2.0
"""`township-hub settle money | all | sign | verify`: the month of all schemes from the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from hub.context import Hub, with_hub
from hub.settlement import month
from hub.settlement.county import money_in, overview, signing, summary
from hub.settlement.county.controls import Control
from hub.settlement.county.runs import County
from hub.settlement.signing import word as word_of
from hub.signer import Signer, with_signer
from schema import money
from schema.programs import as_json
from schema.sheets import COMMAND_LINE

_JSON = click.option("--json", "json_out", is_flag=True, help="一行 JSON / one line of JSON")
_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_MONTH = click.argument("settled", metavar="MONTH")


@click.command("money")
@_FILE
@click.option("--month", "settled", required=True, help="归入哪个月的结算，如 2026-11 / the month it is settled with")
@with_hub
@with_signer
@click.option("--preview", is_flag=True, help="只看，不登记 / show only, write nothing")
@_JSON
def money_command(hub: Hub, signer: Signer, file: Path, settled: str, preview: bool, json_out: bool) -> None:
    """登记单位、灵活就业人员的到账文件 / Take in employers' payments (Excel or CSV)."""
    if preview:
        summary = money_in.preview(hub.store, file, COMMAND_LINE, settled, hub.clock)
    else:
        summary = money_in.take_in(
            hub.store, file, COMMAND_LINE, settled, signer.operator_no, signer.key, hub.clock
        )  # fmt: skip
    if json_out:
        as_json(summary.to_json())
        return
    for kind, words in (("matched", "认领 / matched"), ("waiting", "暂收 / waiting"), ("known", "已登记过 / known")):
        click.echo(f"{words}: {summary.counts[kind]:,}  {money.yuan(summary.fen[kind])}")
    click.echo(f"拒收 / refused: {len(summary.refused):,}")
    for one in summary.refused[:20]:
        click.echo(f"  {one.line.number}: {'；'.join(f.zh for f in one.findings)}")


@click.command("all")
@_MONTH
@with_hub
@with_signer
@_JSON
def all_command(hub: Hub, signer: Signer, settled: str, json_out: bool) -> None:
    """全县各险一次结清，写成一个不可改的月结文件 / The whole county, all schemes, into one month file."""
    with progress(json_out) as tell:
        done = _county(hub).run(settled, signer.operator_no, signer.key, tell)
        tell("summary")
        summary.of(_county(hub), settled)
    if json_out:
        as_json({"month": done.month, "run_id": done.run_id, "root": done.root, "elapsed_ms": done.elapsed_ms,
                 "again": done.again})  # fmt: skip
        return
    if done.again:
        click.echo("数据、参数、程序都没有变，这次运行已经有了 / nothing has changed: this run is there already")
    table = Table("核对 / control", "一边", "另一边")
    for control in done.controls:
        table.add_row(control.zh, *(_amount(control, side) for side in (control.left, control.right)))
    Console().print(table)
    click.echo(f"{done.month}  {done.root}  {done.elapsed_ms} ms")


@click.command("sign")
@click.argument("action", type=click.Choice(list(signing.ACTS)))
@_MONTH
@with_hub
@with_signer
@click.option(
    "--typed", default="", help="确认的话，如「审批 2026-11」；没有就当场询问 / the confirmation; else a prompt"
)
@_JSON
def sign_command(hub: Hub, signer: Signer, action: str, settled: str, typed: str, json_out: bool) -> None:
    """审批、发放、结账全县月结，由计算以外的三个人办 / Approve, pay or close it: three more officers."""
    word = word_of(action, settled)
    typed = typed or click.prompt(f"请输入「{word}」/ type 「{word}」", default="", show_default=False)
    paid = signing.ACTS[action](_county(hub), settled, signer.operator_no, signer.key, typed)
    with hub.store.read() as db:
        state = month.get(db, settled, month.COUNTY)["state"]
    if json_out:
        as_json({"month": settled, "state": state} | (vars(paid) if paid else {}))
        return
    click.echo(f"{settled}  {month.STATES[state]['zh']} / {month.STATES[state]['en']}")
    if paid:
        click.echo(f"发放 / paid: {paid.payments:,}  {money.yuan(paid.amount_fen)}")
        click.echo(f"临时拦下 / held back now: {paid.held:,}  {money.yuan(paid.held_fen)}")


@click.command("verify")
@_MONTH
@with_hub
@click.option(
    "--engine", default="sqlite", show_default=True, help="sqlite、duckdb、postgres://用户@主机/库 / the database"
)
@_JSON
def verify_command(hub: Hub, settled: str, engine: str, json_out: bool) -> None:
    """用另一套算法（SQL）重算一遍，根必须相同 / The month once more by plain SQL; the root must be the same."""
    began = time.monotonic()
    with progress(json_out) as tell:
        found = _county(hub).verify(settled, engine, tell)
    overview.record(_county(hub), settled, engine, None, found, round((time.monotonic() - began) * 1000))
    if json_out:
        as_json(vars(found))
    elif found.agrees:
        click.echo(f"一致 / the same: {found.root}")
    else:
        click.echo(f"不一致 / different: {', '.join(found.differing)}")
    if not found.agrees:
        raise SystemExit(1)


def _county(hub: Hub) -> County:
    return County(hub.store, hub.home.path, hub.secrets.db_key, hub.clock)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """The step that is running, for whoever watches."""
    if quiet:
        yield lambda step: None
        return
    with Console(stderr=True).status("…") as status:
        yield lambda step: status.update(step)


def _amount(control: Control, side: int) -> str:
    return f"{side:,}" if control.name == "payees" else money.yuan(side)


COMMANDS = (money_command, all_command, sign_command, verify_command)
