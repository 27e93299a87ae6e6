# SPDX-License-Identifier: Apache-2.0
"""`township-node usb`: the exchange without a line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from node.courier import Courier
from node.exchange import Exchange
from node.station import Station, with_station
from schema.errors import TownshipError
from schema.programs import as_json, said, stages
from sync.courier import file as courier_file
from sync.courier.node import Exported, Taken
from sync.wire.words import words

WAIT_S = 120.0  # for an exchange that the running station has just begun
_out = Console(highlight=False)
_EQUAL = {True: "与中心核对一致 proven equal", False: "与中心有不同 differs", None: "没有核对 not compared"}
_STAGES = {"push": "写入 writing", "receipt": "回执 receipts", "pull": "取回 taking in", "verify": "核对 comparing"}


@click.group()
def usb() -> None:
    """没有网络时，用 U 盘与中心交换。 / Exchange with the hub by stick when there is no line.

    \b
    站点 station:  township-node usb export E:\\ --dir STATION
    中心 hub:      township-hub usb import E:\\0100-1-to-hub-*.s1b --answer E:\\ --dir HUB
    站点 station:  township-node usb import E:\\hub-to-0100-1-*.s1b --dir STATION

    U 盘上的文件是加密的，只有收件的一方能打开。U 盘丢了也不要紧：中心回执带回之前，本站什么都不会丢，再导出一次就行。

    The files are encrypted for their reader. A lost stick costs nothing: all is kept here until the hub's receipt is
    back; just export again. Line and stick may be mixed freely.
    """


@usb.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_station
def export(station: Station, target: Path, json_: bool) -> None:
    """把未上报的写到 U 盘：TARGET 是文件夹（自动取名）或新文件名。

    Write what is unsent to a stick. TARGET: a folder (a name is chosen) or a new file. Nothing is overwritten.

    没有未上报的也可以导出：回来的文件带着中心的新数据。 / With nothing unsent it asks for the hub's news.
    """
    courier = Courier(station, Exchange(station, wait_s=WAIT_S))
    with stages(_STAGES, silent=json_) as tell:
        path, made = courier.export_to(target, tell)
    if json_:
        as_json({"path": str(path), **asdict(made)})
        return
    for line in _exported(path, made):
        _out.print(line, soft_wrap=True)


@usb.command("import")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_station
def import_(station: Station, files: tuple[Path, ...], json_: bool) -> None:
    """收进中心带回的文件：回执、中心的新数据、核对。 / Take the hub's answers in: receipts, news, proof.

    同一个文件收两次、旧文件、和网络混着用都没有关系。 / Twice, late or mixed with the line does no harm.

    退出码 exit code：0 都收进了 all taken in；1 有文件没收或没收完 a file was refused or not taken in whole。
    """
    courier = Courier(station, Exchange(station, wait_s=WAIT_S))
    results = [_take(courier, path, json_) for path in files]
    if json_:
        as_json(results)
    if not all(result["ok"] for result in results):
        sys.exit(1)


def _take(courier: Courier, path: Path, json_: bool) -> dict[str, Any]:
    try:
        with courier_file.opened(path) as source, stages(_STAGES, silent=json_) as tell:
            taken = courier.take(source, tell)
    except TownshipError as error:
        if not json_:
            click.echo(f"{path.name}: {said(error.zh, error.en)}", err=True)
        return {"file": str(path), "ok": False, "code": error.code, "zh": error.zh, "en": error.en}
    if not json_:
        for line in _taken(path, taken):
            _out.print(line, soft_wrap=True)
    whole = not (taken.gaps or taken.bad_pages or taken.not_taken)
    return {"file": str(path), "ok": whole, "code": "", **asdict(taken)}


def _exported(path: Path, made: Exported) -> Iterator[str]:
    yield f"{path}  {made.size_bytes:,} B"
    yield f"事项 facts {made.facts}, 改动 edits {made.rows}, 最早 oldest {made.oldest_at or '--'}"
    for channel, (first, last, count) in made.frames.items():
        yield f"  {channel}: 第 {first} 到 {last} 包 frames {first} to {last}, {count}"
    yield "中心回执带回之前，本站仍保留。 / All is kept here until the hub's receipt returns."


def _taken(path: Path, taken: Taken) -> Iterator[str]:
    equal = _EQUAL[taken.equal]
    yield (
        f"{path.name}: 回执 receipts {taken.receipts}, 取回 fetched {taken.items}, "
        f"中心拒收 refused {taken.refused}, {equal}"
    )
    if taken.passed and not taken.pages:
        yield "  里面的数据本站都有了。 / Nothing in it is new."
    for place in taken.gaps:
        yield f"  {place}: 前面的数据还没有到，没有收。请再导出一次。 / Something before it is missing: export again."
    for item, code in (*taken.bad_pages, *taken.not_taken):
        yield f"  {item}: {' / '.join(words(code))}"
    if taken.more:
        yield "  中心还有数据：请再导出一次，去中心取。 / The hub has more: export once more."
