# SPDX-License-Identifier: Apache-2.0
"""`township-hub usb`: what stations bring on sticks, and what goes back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from hub.context import Hub, with_hub
from hub.courier import answer_to, make_server
from schema.errors import TownshipError
from schema.programs import as_json, said, stages
from sync.courier import file as courier_file
from sync.courier.hub import Came, Courier, Written
from sync.wire.words import words

MIB = 1024 * 1024
_out = Console(highlight=False)
_STAGES = {"push": "收进 taking in", "pull": "写入 writing"}
_LIMIT = click.option(
    "--max-mb", type=click.IntRange(1, 1024), default=512, show_default=True,
    help="一个回执文件最大多少 MB，其余的下次再取 / largest answer; the rest comes next time",
)  # fmt: skip


@click.group()
def usb() -> None:
    """站点带来的 U 盘：收进、写回执。 / Sticks from stations: take them in, write answers.

    \b
    township-hub usb import /media/stick/*-to-hub-*.s1b --answer /media/stick --dir HUB
    township-hub usb export 0100-1 /media/stick --dir HUB      # 再写一次 once more

    收进的每一包和网络上来的走同一条路：同样的检查、回执和拒收。 / Same checks, receipts and refusals as over the line.
    """


@usb.command("import")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--answer", type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="把回执直接写到这个文件夹 / write the answers into this folder",
)  # fmt: skip
@_LIMIT
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_hub
def import_(hub: Hub, files: tuple[Path, ...], answer: Path | None, max_mb: int, json_: bool) -> None:
    """收进站点的文件；缺了中间的包就收到缺的那里，说出缺第几包；一个文件不对，其余照收。

    Take stations' files in. Up to a missing frame, which is named; a bad file does not stop the others.

    退出码 exit code：0 都收进了 all taken in；1 有没收的 something was not.
    """
    courier = make_server(hub).courier
    results = [_take(courier, path, json_) for path in files]
    known = dict.fromkeys(result["node"] for result in results if result.get("node"))
    answers = [_answer(courier, node, answer, max_mb, json_) for node in known] if answer else []
    if json_:
        as_json({"files": results, "answers": answers})
    if not all(result["ok"] for result in (*results, *answers)):
        sys.exit(1)


@usb.command("export")
@click.argument("station")
@click.argument("target", type=click.Path(path_type=Path))
@_LIMIT
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_hub
def export(hub: Hub, station: str, target: Path, max_mb: int, json_: bool) -> None:
    """为站点写回执文件：TARGET 是文件夹（自动取名）或新文件名。

    Write the answer to a station's newest bundle: receipts, what is new, proof. TARGET: a folder or a new file.
    """
    with stages(_STAGES, silent=json_) as tell:
        path, written = answer_to(make_server(hub).courier, station, target, max_mb * MIB, tell)
    if json_:
        as_json({"path": str(path), **asdict(written)})
    else:
        _out.print(_written(path, written), soft_wrap=True)


def _take(courier: Courier, path: Path, json_: bool) -> dict[str, Any]:
    try:
        with courier_file.opened(path) as source, stages(_STAGES, silent=json_) as tell:
            came = courier.take(source, tell)
    except TownshipError as error:
        if not json_:
            click.echo(f"{path.name}: {said(error.zh, error.en)}", err=True)
        return {"file": str(path), "ok": False, "code": error.code, "zh": error.zh, "en": error.en}
    if not json_:
        for line in _came(path, came):
            _out.print(line, soft_wrap=True)
    return {"file": str(path), "ok": not (came.code or came.missing or came.refused), **asdict(came)}


def _answer(courier: Courier, node: str, folder: Path, max_mb: int, json_: bool) -> dict[str, Any]:
    try:
        with stages(_STAGES, silent=json_) as tell:
            path, written = answer_to(courier, node, folder, max_mb * MIB, tell)
    except TownshipError as error:
        if not json_:
            click.echo(f"{node}: {said(error.zh, error.en)}", err=True)
        return {"node": node, "ok": False, "code": error.code, "zh": error.zh, "en": error.en}
    if not json_:
        _out.print(_written(path, written), soft_wrap=True)
    return {"ok": True, "path": str(path), **asdict(written)}


def _came(path: Path, came: Came) -> Iterator[str]:
    if came.code:
        yield f"{path.name}: {came.node}: {' / '.join(words(came.code))}"
        return
    yield (
        f"{path.name}: {came.node}: 新收 taken {came.taken} (事项 facts {came.facts}, 改动 edits {came.rows}), "
        f"早已收过 known {came.again}, 拒收 refused {came.refused_items}"
    )
    for channel, n in came.missing.items():
        yield f"  {channel}: 缺第 {n} 包，先收下前 {n - 1} 个。 / Frame {n} is missing; those before it were taken in."
    for item, code in came.refused:
        yield f"  {item}: {' / '.join(words(code))}"
    if came.more:
        yield "  站点还有没写下的：请它再导出一次。 / The station has more: let it export once more."


def _written(path: Path, written: Written) -> str:
    why = f", {' / '.join(words(written.code))}" if written.code else ""
    more = ", 还有下一批 more to come" if written.more else ""
    return f"{path}  {written.size_bytes:,} B  回执 receipts {written.receipts}, 数据 pages {written.pages}{more}{why}"
