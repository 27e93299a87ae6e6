# SPDX-License-Identifier: Apache-2.0
"""A service item as a form: fields with values, entries to choose from and notes; and answers as people read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from node import employers
from node.cases import Desk
from node.community import picks
from schema import checks, field_types, ids, prefill
from schema.field_types import Context
from schema.findings import Finding
from schema.service_parts import Field, Section, Service, is_ticked
from schema.view import PersonView
from schema.web import formats

PRIVATE = ("resident_id", "phone", "bank_account", "money")
Text = dict[str, str]


@dataclass(frozen=True)
class FormField:
    """One field as the page shows it. `now`: what the register says today, where the field may change it.

    `search`: the page that answers hits for a field that picks a person or a unit; `picked`: the name of the chosen.
    """

    name: str
    kind: str
    label: Text
    value: str
    required: bool
    readonly: bool
    hint: Text | None
    now: Text | None
    choices: tuple[tuple[str, Text], ...]
    search: str = ""
    picked: str = ""


@dataclass(frozen=True)
class Answer:
    """One answered field as people read it. `kind`: the field's type."""

    label: Text
    text: Text
    kind: str

    @property
    def private(self) -> bool:
        """Whether a bystander must not read it."""
        return self.kind in PRIVATE


def opening(desk: Desk, item: Service, person: PersonView) -> dict[str, str]:
    """The answers a new form opens with."""
    filled = prefill.answers(item, person, desk.clock.today(), desk.parameters)
    return {name: text for name, text in filled.items() if text}


def sections(
    desk: Desk, db: Any, item: Service, answers: dict[str, str], values: dict[str, Any], person: PersonView
) -> list[tuple[Section, list[FormField]]]:
    """The form, heading by heading. `values` are the parsed answers: what is derived stands there."""
    context = Context(desk.clock.today(), desk.parameters)
    villages = _villages(db, desk.township, answers)
    today = prefill.current(item, person, desk.clock.today(), desk.parameters)

    def entries(field: Field) -> tuple[tuple[str, Text], ...]:
        if field.type == "members":
            return _members(person)
        if field.type in picks.PICKS:
            return picks.PICKS[field.type](db, person)
        if field.type in _VILLAGES:
            return _VILLAGES[field.type](db, desk.township, answers)
        return tuple((choice.value, choice.text) for choice in field_types.options(field, context))

    def shown(field: Field) -> FormField:
        kind = field_types.widget(field)
        value = field_types.raw_text(field, values.get(field.name)) if field.derived else answers.get(field.name, "")
        if kind == "checkbox":
            value = "1" if is_ticked(value) else ""
        needed = field.required or bool(field.required_when and field.required_when.holds(answers))
        now = today.get(field.name) if field.current else None
        return FormField(
            name=field.name,
            kind="text" if kind == "name" else kind,
            label=field.label,
            value=value,
            required=needed,
            readonly=field.readonly,
            hint=field.hint,
            now=_masked(field, now, _readable(field, now, context, dict(villages))) if now else None,
            choices=entries(field),
            search=_SEARCHES.get(field.type, ""),
            picked=_picked(db, field, value) if field.type in _SEARCHES else "",
        )

    return [(section, [shown(f) for f in item.fields_in(section.id)]) for section in item.sections]


def answers(desk: Desk, db: Any, item: Service, raw: dict[str, str], *, on_slip: bool = False) -> list[Answer]:
    """Every answered field; for a slip, masked and only those it shows."""
    context = Context(desk.clock.today(), desk.parameters)
    villages = dict(_villages(db, desk.township, raw))
    out = []
    for field in item.fields:
        if not raw.get(field.name) or (on_slip and not field.on_slip):
            continue
        value, _ = field_types.parse(field, raw[field.name], context)
        text = _readable(field, value, context, villages)
        if field.type in _SEARCHES:
            text = dict.fromkeys(("zh", "en"), _picked(db, field, raw[field.name]) or "--")
        if field.type in picks.PICKS:
            text = picks.name(db, field.type, raw[field.name])
        if field.type == "members" and value:
            text = {"zh": "、".join(names := _names(db, value)), "en": ", ".join(names)}
        out.append(Answer(field.label, _masked(field, value, text) if on_slip else text, field.type))
    return out


def obstacles(desk: Desk, item: Service, person: PersonView) -> list[Finding]:
    """Why this item is not for this person: what its checks say before anything is typed."""
    answers = opening(desk, item, person)
    rules = {use.rule for use in item.checks if use.severity == "block" and not use.field}
    papers = [m.id for m in item.materials]
    found = checks.examine(item, answers, papers, person, desk.clock.today(), desk.parameters).findings
    return [f for f in found if f.code in rules and f.severity == "block"]


def _readable(field: Field, value: Any, context: Context, villages: dict[str, Text]) -> Text:
    if field.type in _VILLAGES and value in villages:
        return villages[value]
    if field.type == "phone":
        return dict.fromkeys(("zh", "en"), formats.phone(value))
    return field_types.shown(field, value, context)


def _masked(field: Field, value: Any, text: Text) -> Text:
    mask = _MASKS.get(field.type)
    return dict.fromkeys(("zh", "en"), mask(value)) if mask else text


def _members(person: PersonView) -> tuple[tuple[str, Text], ...]:
    """The living members of the household, each with age and what they have of resident medical insurance."""
    home = person.household
    if home is None:
        return ()
    out = []
    for member in home.members:
        insured = bool(home.enrolled(member["id"], "resident_medical"))
        age, name = home.age(member), member["name"]
        zh = f"{name}　{age} 岁　{formats.id_masked(member['id_number'])}{'　已参保' if insured else ''}"
        en = f"{name}, {age}, {formats.id_masked(member['id_number'])}{', insured' if insured else ''}"
        out.append((member["id"].hex(), {"zh": zh, "en": en}))
    return tuple(out)


def _picked(db: Any, field: Field, value: str) -> str:
    """The name of the unit or person that a field holds."""
    if not ids.is_text(value):
        return ""
    if field.type == "unit":
        return employers.name(db, ids.from_text(value))
    return "".join(_names(db, [value]))


def _names(db: Any, hex_ids: list[str]) -> list[str]:
    found = (db.execute("SELECT name FROM person WHERE id = ?", (ids.from_text(one),)).fetchone() for one in hex_ids)
    return [row["name"] if row else "--" for row in found]


def _villages(db: Any, township: str, answers: dict[str, str]) -> tuple[tuple[str, Text], ...]:
    """Villages and communities of this township, and the one already named, wherever it is."""
    named = [a for a in answers.values() if a.isascii() and a.isdigit() and len(a) in (9, 12)]
    marks = ", ".join("?" * len(named))
    rows = db.execute(
        f"SELECT code, name, name_en FROM division WHERE (parent = ? AND valid_to IS NULL) OR code IN ({marks}) "
        "ORDER BY code",
        (township, *named),
    )
    return tuple((row["code"], {"zh": row["name"], "en": row["name_en"] or row["name"]}) for row in rows)


def _county_villages(db: Any, township: str, answers: dict[str, str]) -> tuple[tuple[str, Text], ...]:
    """Villages and communities of the whole county, by township: somebody moves away."""
    rows = db.execute(
        "SELECT d.code, d.name, coalesce(d.name_en, d.name) AS name_en, t.name AS town, "
        "coalesce(t.name_en, t.name) AS town_en FROM division d JOIN division t ON t.code = d.parent "
        "WHERE t.level = 'township' AND d.valid_to IS NULL ORDER BY d.code"
    )
    return tuple(
        (row["code"], {"zh": f"{row['town']} {row['name']}", "en": f"{row['town_en']} {row['name_en']}"})
        for row in rows
    )


_SEARCHES = {"person": "counter.search", "unit": "unit_search.search"}
_VILLAGES = {"village": _villages, "county_village": _county_villages}
_MASKS: dict[str, Callable[[str], str]] = {
    "bank_account": lambda number: "…" + formats.tail(number),
    "phone": formats.phone_masked,
    "resident_id": formats.id_masked,
}
