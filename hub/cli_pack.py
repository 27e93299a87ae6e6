# SPDX-License-Identifier: Apache-2.0
"""`township-hub pack`: rule packs from a folder to every station: build, show, publish, list."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table

from hub import pack, pack_publish
from hub.context import Hub, with_hub
from hub.signer import Signer, with_signer
from schema import pack_diff, packs
from schema.pack_diff import WHAT, Change
from schema.packs import RulePack
from schema.programs import Commands, as_json, stages

_out = Console(highlight=False)
_JSON = click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
_FOLDER = click.argument("rules", type=click.Path(exists=True, file_okay=False, path_type=Path))
_NAMED = click.argument("named", metavar="HASH")
_SIGNS = {"added": "[green]+[/]", "removed": "[red]-[/]", "changed": "[yellow]~[/]"}
_SHOWN_CHARS = 160


@click.group("pack", cls=Commands)
def pack_group() -> None:
    """规则包：事项、参数、选择项、用语，签名后发到各站点。

    Rule packs: items, parameters, choices and texts, signed and sent to every station.

    \b
    规则包是一个文件夹 / a pack is a folder:
      services/*.toml  choices.toml  words.toml  policies/*.toml  parameters/险种/*.toml
    怎样改规则 / how rules are changed:
      township-hub pack copy   --dir HUB RULES            取出现行的 / write out those in force
      (改文件 / edit the files)
      township-hub pack check  --dir HUB RULES            有没有错、改了什么 / faults, and what changes
      township-hub pack build  --dir HUB RULES --officer 2031 --note 2027年基础养老金
      township-hub pack publish --dir HUB HASH --officer 2032      另一个人 / somebody else
    站点下次同步时换上，不用重启；程序太旧读不懂的站点继续用旧的，并在站点页上写明。
    Stations switch with their next sync, without a restart. One whose program is too old keeps the old and says so.
    """


@pack_group.command()
@_FOLDER
@with_hub
def copy(hub: Hub, rules: Path) -> None:
    """把现行规则写到一个空文件夹里。 / Write the rules in force into an empty folder, to be edited."""
    if any(rules.iterdir()):
        raise click.UsageError(f"文件夹不是空的 / the folder is not empty: {rules}")
    for path, content in pack.current().files.items():
        (rules / path).parent.mkdir(parents=True, exist_ok=True)
        (rules / path).write_bytes(content)
    _out.print(f"{len(pack.current().files)} 个文件 files  {rules}", soft_wrap=True)


@pack_group.command()
@_FOLDER
@_JSON
@with_hub
def check(hub: Hub, rules: Path, json_: bool) -> None:
    """查一遍文件夹：列出全部错误；没有错就列出与现行的差别。 / All faults of the folder, else what would change."""
    with stages({"read": "读取 / reading"}, silent=json_) as tell:
        if tell:
            tell("read", 0)
        made = packs.load(packs.read_folder(rules))
    _tell(made, json_=json_)


@pack_group.command()
@_FOLDER
@click.option("--note", required=True, help="为什么改：文件号、摘要 / why: document and summary")
@_JSON
@with_hub
@with_signer
def build(hub: Hub, signer: Signer, rules: Path, note: str, json_: bool) -> None:
    """准备一个规则包，等另一个人发布。 / Prepare a pack; another officer publishes it.

    \b
    township-hub pack build RULES --dir HUB --officer 2031 --note "浙人社发〔2026〕88号：基础养老金"
    """
    draft = pack_publish.prepare(hub.store, rules, signer.operator_no, signer.key, note, hub.clock)
    _tell(draft.pack, json_=json_)
    if not json_:
        short = draft.pack.hash[:12]
        _out.print(f"已准备 prepared: {short}。发布（另一个人）/ to publish, somebody else:")
        _out.print(f"  township-hub pack publish {short} --dir {hub.home.path} --officer ...", soft_wrap=True)


@pack_group.command()
@_NAMED
@_JSON
@with_hub
def show(hub: Hub, named: str, json_: bool) -> None:
    """准备好的规则包与现行的差别。 / What a prepared pack would change."""
    with hub.store.read() as db:
        draft = pack_publish.find(db, named)
    _tell(draft.pack, json_=json_)
    if not json_:
        _out.print(f"{draft.prepared_by}  {draft.prepared_at}  {draft.note}", markup=False)


@pack_group.command()
@_NAMED
@_JSON
@with_hub
@with_signer
def publish(hub: Hub, signer: Signer, named: str, json_: bool) -> None:
    """发布：中心马上用，站点下次同步时用。准备的人不能发布。

    In force here at once, at each station with its next sync. Whoever prepared it may not publish it.
    """
    made = pack_publish.publish(hub.store, named, signer.operator_no, signer.key, hub.secrets.signing, hub.clock)
    if json_:
        as_json({"number": made.number, "hash": made.hash, "before": made.before, "published_at": made.published_at})
    else:
        _out.print(f"第 {made.number} 号规则包已发布 pack {made.number} is published: {made.hash[:12]}")


@pack_group.command()
@_NAMED
@with_hub
@with_signer
def discard(hub: Hub, signer: Signer, named: str) -> None:
    """不要准备好的规则包了。 / Throw a prepared pack away."""
    pack_publish.discard(hub.store, named, signer.operator_no, hub.clock)
    _out.print(f"{named} 已放弃 discarded")


@pack_group.command("list")
@_JSON
@with_hub
def list_packs(hub: Hub, json_: bool) -> None:
    """准备好的和发布过的规则包，各站点用到哪一个。 / Prepared and published packs, and who uses which."""
    with hub.store.read() as db:
        waiting, out = pack_publish.drafts(db), pack_publish.published(db)
        used = {row[0]: row[1] for row in db.execute("SELECT rules, count(*) FROM node_record GROUP BY rules")}
    in_force = pack.pack_hash()
    if json_:
        drafts = [{"hash": d.pack.hash, "by": d.prepared_by, "at": d.prepared_at, "note": d.note} for d in waiting]
        listed = [{k: v for k, v in asdict(m).items() if k != "files"} | {"stations": used.get(m.hash, 0)} for m in out]
        as_json({"in_force": in_force, "prepared": drafts, "published": listed})
        return
    name = Column("规则包 pack", no_wrap=True)
    table = Table("号 no.", name, "状态 state", "谁 who", "何时 when", "站点 stations", "为什么 why")
    for d in waiting:
        table.add_row("--", d.pack.hash[:10], "待发布 prepared", d.prepared_by, d.prepared_at[:10], "--", d.note)
    for m in out:
        state = "现行 now" if m.hash == in_force else "以前 former"
        who, n = f"{m.prepared_by} {m.published_by}", str(used.get(m.hash, 0))
        table.add_row(str(m.number), m.hash[:10], state, who, m.published_at[:10], n, m.note)
    state = "程序自带，现行 now" if packs.built_in().hash == in_force else "程序自带 built in"
    table.add_row("0", packs.built_in().hash[:10], state, "--", "--", str(used.get("", 0)), "--")
    _out.print(table)


def _tell(made: RulePack, *, json_: bool) -> None:
    """What would change, against the pack in force."""
    changes = pack_diff.between(pack.current(), made)
    if json_:
        as_json({"hash": made.hash, "files": len(made.files), "changes": [asdict(c) for c in changes]})
        return
    _out.print(f"{made.hash[:12]}  {len(made.services)} 个事项 items, {len(made.files)} 个文件 files")
    if not changes:
        _out.print("与现行的规则包没有差别 no difference from the pack in force")
    for change in changes:
        _out.print(_SIGNS[change.kind], end=" ")
        _out.print(_line(change), markup=False, soft_wrap=True)


def _line(change: Change) -> str:
    what = WHAT[change.what]
    place = " ".join(p for p in (what["zh"], what["en"], change.owner, change.part) if p)
    since = f"（{change.effective_on} 起 from）" if change.effective_on else ""
    values = [v[:_SHOWN_CHARS] for v in (change.before, change.after) if v]
    return f"{place}{since}: {' → '.join(values)}"
