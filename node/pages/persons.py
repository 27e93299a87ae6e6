# SPDX-License-Identifier: Apache-2.0
"""A person's page: who, what they have, what happened, what can be done; phone and address changed in place."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import contacts, forms, lost, opened, person_blocks, persons, status
from node.pages import common
from node.station import current
from schema import field_types, ids
from schema.field_types import Context
from schema.findings import Finding
from schema.service_parts import Field
from schema.tables import TABLES
from schema.web.auth import current_officer
from schema.web.frame import lang, t

page = Blueprint("persons", __name__, url_prefix="/persons")

EDITED = ("phone", "address", "address_village")
# Words that no form offers: the hub's effects write them.
CODES = ("lost", "active", "applied", "making", "handed_over", "replaced", "cancelled", "enrolled", "waiting")
_TYPES = {"phone": "phone", "address": "text", "address_village": "village"}


@page.get("/<id:person_id>")
def show(person_id: bytes) -> str:
    """The whole page. `?via=` says where from (`opened.VIA`), `?year=` turns the monthly lines."""
    shown = _page(person_id, _again(person_id))
    station = current()
    with station.store.write() as db:
        opened.note(db, person_id, current_officer().operator_no, request.args.get("via", ""), station.clock)
    return shown


def _again(person_id: bytes) -> dict[str, str] | None:
    """A lost edit to be made again: what was typed then, beside what stands in the other fields."""
    named = request.args.get("again", "")
    if not ids.is_text(named):
        return None
    with current().store.read() as db:
        typed = lost.typed(db, current().config.id, ids.from_text(named))
        return {c: v or "" for c, v in contacts.of(db, person_id).items()} | typed if typed else None


@page.post("/<id:person_id>/contact")
def contact(person_id: bytes) -> Response:
    """Write the contact cells that changed; with findings the form comes back with what was typed."""
    station, officer = current(), current_officer()
    typed = {name: request.form.get(name, "") for name in EDITED if name in request.form}
    values, findings = _read(typed)
    if findings:
        return make_response(_page(person_id, typed, findings), 422)
    with station.store.write() as db:
        changed = contacts.change(db, person_id, values, officer.operator_no, station.clock)
    flash(t("person.saved") if changed else t("person.unchanged"), "done")
    return redirect(url_for(".show", person_id=person_id))


def _read(typed: dict[str, str]) -> tuple[dict[str, str | None], list[Finding]]:
    """Values of the contact fields, judged as a form's fields are."""
    context = Context(current().clock.today(), current().desk.parameters)
    values: dict[str, str | None] = {}
    findings: list[Finding] = []
    for name, text in typed.items():
        column = TABLES[contacts.TABLE].column(name)
        field = Field(name, _TYPES[name], {"zh": name, "en": name}, "", limit=column.limit if column else 0)
        values[name], found = field_types.parse(field, text, context)
        findings += found
    return values, findings


def _page(person_id: bytes, typed: dict[str, str] | None = None, findings: list[Finding] | None = None) -> str:
    station = current()
    desk = station.desk
    with station.store.read() as db:
        person = persons.read(db, person_id, station.clock.today())
        return render_template(
            "persons/show.html",
            page=person,
            blocks=person_blocks.read(db, person.view, request.args.get("year", "")),
            left=person_blocks.LEFT,
            middle=person_blocks.MIDDLE,
            label=lambda field, code: _label(desk, field, code),
            person=person.view.person,
            age=person.view.age,
            contact=typed or person.view.contact,
            findings=findings or [],
            edit=bool(findings) or request.args.get("edit") == "contact",
            villages=_villages(db, person.view.contact.get("address_village")),
            actions=_actions(desk, person.view),
            as_of=status.as_of(db),
            names=common.officer_names(db),
            short_title=common.short_title,
        )


def _villages(db: Any, chosen: str | None) -> list[tuple[str, str]]:
    rows = db.execute(
        "SELECT code, name, name_en FROM division WHERE (parent = ? AND valid_to IS NULL) OR code = ? ORDER BY code",
        (current().config.township, chosen),
    )
    return [(row["code"], row["name"] if lang() == "zh" else row["name_en"] or row["name"]) for row in rows]


def _actions(desk: Any, person: Any) -> list[dict[str, Any]]:
    """Items for a person: those that can be begun, under their usual digits, then those that cannot, and why."""
    home = person.person.get("household_id")
    able: list[dict[str, Any]] = []
    unable: list[dict[str, Any]] = []
    for item in common.in_key_order(desk.services.values()):
        if item.subject not in ("person", "household") or (item.subject == "household" and not home):
            continue
        why = forms.obstacles(desk, item, person) if item.subject == "person" else []
        url = url_for("items.new", service=item.id, person=person.person_id.hex())
        action = {"title": item.title, "url": url, "why": why[:1], "digit": item.common_key}
        (unable if why else able).append(action)
    return able + unable


def _label(desk: Any, field: str, code: str | None) -> str:
    """A code in words, as the form that writes it calls it, or the catalogue; the code itself when neither does."""
    choices = (c for item in desk.services.values() for f in item.fields if f.name == field for c in f.choices)
    text = next((c.text for c in choices if c.value == code), None)
    if text:
        return str(text["zh" if lang() == "zh" else "en"])
    return t(f"code.{code}") if code in CODES else code or "--"
