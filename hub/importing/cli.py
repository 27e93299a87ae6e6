# SPDX-License-Identifier: Apache-2.0
"""`township-hub import FILE`: a register file, looked at first, then taken in, signed like on the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hub.context import Hub, with_hub
from hub.importing import headings, refused, register
from hub.importing.comparing import Outcome
from hub.importing.register import Summary
from hub.signer import Signer, with_signer
from schema.programs import as_json
from schema.sheets import COMMAND_LINE

SHOWN = 10


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_hub
@with_signer
@click.option(
    "--apply", "write", is_flag=True, help="写入名册；没有就只看 / write to the register; without it, look only"
)
@click.option(
    "--refused",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="拒收的行写到这个文件，改好再导入 / refused lines go to this file, to be mended and fed again",
)
@click.option("--json", "json_out", is_flag=True, help="一行 JSON / one line of JSON")
def import_command(
    hub: Hub, signer: Signer, file: Path, write: bool, out: Path | None, json_out: bool
) -> None:  # fmt: skip
    """导入名册文件 / Take in a register file (Excel or CSV, Chinese headings or AAC/AAB names)."""
    with _bar(quiet=json_out) as progress:
        if write:
            summary = register.apply(
                hub.store, file, COMMAND_LINE, signer.operator_no, signer.key, hub.clock, progress=progress
            )
        else:
            summary = register.preview(hub.store, file, COMMAND_LINE, hub.clock, progress)
    if out and summary.refused:
        refused.write(out, summary.header, summary.refused)
    if json_out:
        as_json(summary.to_json())
    else:
        _tell(summary, applied=write)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[register.Progress | None]:
    """A bar on the terminal; nothing when a script reads the output."""
    if quiet:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("比对 / comparing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(summary: Summary, *, applied: bool) -> None:
    console = Console()
    columns = summary.columns
    if columns and columns.unknown:
        console.print(f"不认识的列，没有用：{'、'.join(columns.unknown)} / unknown columns, not used", markup=False)
    if columns and columns.repeated:
        console.print(f"重复的列，没有用：{'、'.join(columns.repeated)} / repeated columns, not used", markup=False)
    for kind, words in (("new", "新增 / new"), ("changed", "变动 / changed"), ("unchanged", "未变 / unchanged"),
                        ("refused", "拒收 / refused")):  # fmt: skip
        console.print(f"{words}: {summary.counts[kind]:,}", markup=False)
    for outcome in summary.samples.get("changed", [])[:SHOWN]:
        console.print(f"  {outcome.parsed.line.number}: {_changes(outcome)}", markup=False)
    for one in summary.refused[:SHOWN]:
        console.print(f"  {one.line.number}: {'；'.join(f.zh for f in one.findings)}", markup=False)
    done = "已写入名册 / written to the register" if applied else "只看了，没有写入；写入请加 --apply / nothing written"
    console.print(done, markup=False)


def _changes(outcome: Outcome) -> str:
    known = headings.register().columns
    return "；".join(f"{known[c.column].label['zh']} {c.before or '--'} → {c.after}" for c in outcome.changes)


COMMANDS = (import_command,)
