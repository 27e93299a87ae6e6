# SPDX-License-Identifier: Apache-2.0
"""What would it come to, if: trial calculations without a case, by the rules that decide cases and settle months.

A topic has fields and gives a table: pension by month of retirement, resident pension by grade, unemployment benefit,
contributions by base. Nothing is stored and nobody is named; pages mark the result as provisional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schema import discovery, field_types, money, period
from schema.errors import ParameterNotFound
from schema.field_types import Context
from schema.findings import Finding
from schema.parameter import Parameters, Value
from schema.rules.trace import Trace
from schema.service_parts import Field
from schema.toml_reader import Text
from schema.view import PersonView

Values = dict[str, Any]
Cell = int | str | Text
"""Whole fen as int, everything else as text, in both languages where it has words."""


@dataclass(frozen=True)
class Column:
    """A heading; `money` columns hold fen."""

    title: Text
    money: bool = False


@dataclass(frozen=True)
class Outcome:
    """The table, which row is the plain case (-1: none), what it leaves out, and how the amounts were computed."""

    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    plain_row: int = -1
    leaves_out: tuple[Text, ...] = ()
    trace: Trace = field(default_factory=Trace)


@dataclass(frozen=True)
class Topic:
    """One trial calculation. `known` gives the first values out of a person's view, as typed into the form."""

    id: str
    title: Text
    fields: tuple[Field, ...]
    run: Callable[[Values, date, Parameters], Outcome]
    known: Callable[[PersonView, date], Values]


TOPICS: dict[str, Topic] = {}


def opening(topic: Topic, view: PersonView | None, today: date) -> dict[str, str]:
    """The raw answers that the form opens with."""
    if view is None:
        return {}
    values = topic.known(view, today)
    return {f.name: field_types.raw_text(f, values[f.name]) for f in topic.fields if values.get(f.name) is not None}


def work_out(
    topic: Topic, answers: dict[str, str], today: date, parameters: Parameters
) -> tuple[Outcome | None, list[Finding]]:
    """The outcome, or what must be mended first; both told at once for all fields."""
    context, values, findings = Context(today, parameters), {}, []
    for f in topic.fields:
        values[f.name], found = field_types.parse(f, answers.get(f.name, ""), context)
        findings += found
        if f.required and not found and values[f.name] is None:
            findings.append(_missing(f))
    if findings:
        return None, findings
    try:
        return topic.run(values, today, parameters), []
    except ParameterNotFound as error:
        return None, [Finding("not_recorded", "block", "", error.zh, error.en)]


def documents(trace: Trace, parameters: Parameters) -> list[dict[str, Any]]:
    """Every parameter behind the amounts once: its title, value in words, since when, document, verified or not."""
    titles = {p.name: p.title for p in parameters}
    seen = {(v.name, v.from_): v for line in trace.lines for v in line.values}
    return [
        {
            "title": titles[v.name], "value": _in_words(v), "from": v.from_.isoformat(), "source": v.source,
            "verified": v.verified,
        }
        for _, v in sorted(seen.items())
    ]  # fmt: skip


_UNITS = {"months": ("个月", "months"), "years": ("年", "years"), "days": ("天", "days")}


def _in_words(value: Value) -> Text:
    content = value.value
    if not isinstance(content, int):
        return {"zh": "见文件", "en": "see the document"}
    if value.unit in _UNITS:
        zh, en = _UNITS[value.unit]
        return {"zh": f"{content} {zh}", "en": f"{content} {en}"}
    if value.unit == "fen":
        return {"zh": f"{money.yuan(content)} 元", "en": f"{money.yuan(content)} yuan"}
    if value.unit == "basis points":
        return dict.fromkeys(("zh", "en"), f"{money.yuan(content).removesuffix('.00')}%")
    return dict.fromkeys(("zh", "en"), f"{content}%" if value.unit == "percent" else str(content))


def age_text(birth: date, month: str) -> str:
    """Age in a month: 61-05 is sixty-one years and five months."""
    months = period.months_between(period.month_of(birth), month)
    return f"{months // 12}-{months % 12:02d}"


def form_field(name: str, kind: str, zh: str, en: str, **more: Any) -> Field:
    """A field of a topic: required unless it says otherwise."""
    return Field(name=name, type=kind, label={"zh": zh, "en": en}, section="", **{"required": True, **more})


def _missing(f: Field) -> Finding:
    return Finding("required", "block", f.name, f"「{f.label['zh']}」没有填", f"'{f.label['en']}' is not filled in")


def account_of(view: PersonView, insurance: str) -> dict[str, Any]:
    """The person's account of one insurance, {} when there is none here."""
    return next((row for row in view.rows_of("account") if row["insurance"] == insurance), {})


def employer_class(view: PersonView) -> str:
    """The risk class of the unit where the person works, '' when unknown."""
    job = next((job for job in reversed(view.employments) if not job["ended_month"]), None)
    unit = view.row("unit", job["unit_id"]) if job else {}
    return str(unit.get("injury_class") or "")


discovery.load_beside(__file__, "what_if_")
