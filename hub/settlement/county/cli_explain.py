# SPDX-License-Identifier: Apache-2.0
"""`township-hub explain PERSON MONTH`: one person's month of the county with every formula, law and document."""

from __future__ import annotations

from typing import Any

import click

from hub.context import Hub, with_hub
from hub.settlement.county import explaining, naming
from hub.settlement.county.reckoning import Explanation, Part
from hub.settlement.county.runs import County
from schema import ids, money, view
from schema.errors import UnknownSubject
from schema.programs import as_json

_WORDS = {
    "zh": {"ask": "身份证号", "paid": "本月发放", "due": "本月应缴", "table": "表", "unverified": "待核实"},
    "en": {"ask": "ID number", "paid": "paid this month", "due": "due this month", "table": "table",
           "unverified": "not verified"},
}  # fmt: skip


@click.command("explain")
@click.argument("person")
@click.argument("settled", metavar="MONTH")
@with_hub
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="语言 / language")
@click.option("--json", "json_out", is_flag=True, help="一行 JSON / one line of JSON")
def explain_command(hub: Hub, person: str, settled: str, lang: str, json_out: bool) -> None:
    """一个人一个月怎么算的：公式、法律、参数、文件、数。

    How one person's month was reckoned. PERSON is the internal id (32 hex digits), or - to be asked for the ID
    number: an ID number must not stand in a command line, where everybody on the machine can read it.

    \b
      township-hub explain - 2026-11 --dir HUB
    """
    asked = click.prompt(_WORDS[lang]["ask"]) if person == "-" else ""
    with hub.store.read() as db:
        person_id = view.find_by_id_number(db, asked) if asked else _id(person)
    if person_id is None:
        raise UnknownSubject("名册里没有这个身份证号", "the register has no such ID number")
    found = explaining.explain(County(hub.store, hub.home.path, hub.secrets.db_key, hub.clock), settled, person_id)
    if json_out:
        as_json(found.to_json())
    else:
        _tell(found, lang)


def _tell(found: Explanation, lang: str) -> None:
    words = _WORDS[lang]
    click.echo(f"{found.person['name']}  {found.month}  {found.root[:16]}")
    titles = explaining.titles()
    for part in found.parts:
        click.echo(f"\n{part.title[lang]}")
        for line in part.lines:
            amount = "" if line.fen is None else f" = {money.yuan(line.fen)}"
            click.echo(f"  {line.what[lang]}：{line.how[lang]}{amount}")
        if part.note:
            click.echo(f"  （{part.note[lang]}）")
        _tell_rules(part, lang, titles)
    click.echo(f"\n{words['due']}: {money.yuan(found.due_fen)}　{words['paid']}: {money.yuan(found.paid_fen)}")
    if found.unverified:
        click.echo(f"{words['unverified']}: {found.unverified}")


def _tell_rules(part: Part, lang: str, titles: dict[str, dict[str, str]]) -> None:
    for rule in part.rules:
        click.echo(f"    {rule['formula'][lang]}（{rule['law']}）")
        for value in rule["parameters"]:
            name = titles.get(value["name"], {}).get(lang, value["name"])
            mark = "" if value["verified"] else f"  [{_WORDS[lang]['unverified']}]"
            click.echo(f"      {name} {_value(value, lang)}  {value['from']}  {value['source']}{mark}")


def _value(value: dict[str, Any], lang: str) -> str:
    if value["value"] is None:
        return _WORDS[lang]["table"]
    if value["unit"] == "fen":
        return money.yuan(value["value"])
    return naming.percent(value["value"] * 100) if value["unit"] == "basis points" else str(value["value"])


def _id(text: str) -> bytes:
    try:
        return ids.from_text(text)
    except ValueError as error:
        raise UnknownSubject(
            "内部编号是 32 位十六进制；写 - 可以输身份证号", "a person's id is 32 hex digits; - asks for the ID number"
        ) from error
