# SPDX-License-Identifier: Apache-2.0
"""冲突: persons whose data two people changed unknowingly; every value side by side, picked field by field."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub import conflict_decision, conflict_row, conflicts
from hub.conflict_decision import Moved
from hub.conflict_row import Desk
from hub.conflicts import Wanted
from hub.context import current
from hub.officers import CASE_ROLES
from hub.sections import Section
from schema.findings import Finding
from schema.view import person_view
from schema.web.auth import current_officer, require_role
from schema.web.frame import lang, t

page = Blueprint("conflicts", __name__)
READERS = (*CASE_ROLES, "inspect")
SECTION = Section("conflicts.index", READERS, count=lambda db, officer: conflicts.waiting(db))
OTHER = "other"


@page.get("/conflicts")
@page.get("/conflicts/<id:row_id>")
@require_role(*READERS)
def index(row_id: bytes | None = None) -> str:
    """The queue, and the person chosen or the one who waits longest."""
    return _page(row_id)


@page.post("/conflicts/<id:row_id>")
@require_role(*CASE_ROLES)
def choose(row_id: bytes) -> Response:
    """Save what was chosen for each field that waits; with findings, or a value that moved, the page comes back."""
    hub = current()
    with hub.store.read() as db:
        desk = conflict_row.read(db, row_id)
    typed = {"reason": request.form.get("reason", ""), **_others(desk)}
    if desk and desk.stand == request.form.get("stand"):
        values = _values(desk)
        findings = conflict_decision.judge(desk.table, values, _new(desk, values), typed["reason"])
        if findings:
            return make_response(_page(row_id, typed, findings), 422)
    else:
        values = {}
    officer = current_officer().operator_no
    try:
        changed = conflict_decision.decide(
            hub.store, row_id, request.form.get("stand", ""), values, typed["reason"], officer, hub.clock
        )
    except Moved as error:
        return make_response(_page(row_id, typed, moved=error.text(lang())), 409)
    flash(t("conflicts.saved", n=changed) if changed else t("conflicts.kept_all"), "done")
    return redirect(url_for(".index", row_id=row_id), 303)


@page.post("/conflicts/<id:row_id>/take-back/<id:batch>")
@require_role(*CASE_ROLES)
def take_back(row_id: bytes, batch: bytes) -> Response:
    """Undo a decision, one's own or another officer's: a further line in the record, the former values again."""
    hub = current()
    conflict_decision.take_back(hub.store, row_id, batch, current_officer().operator_no, hub.clock)
    flash(t("conflicts.taken_back"), "done")
    return redirect(url_for(".index", row_id=row_id), 303)


def _page(
    row_id: bytes | None, typed: dict[str, str] | None = None, findings: list[Finding] | None = None, moved: str = ""
) -> str:
    hub = current()
    wanted = Wanted.of(request.args)
    with hub.store.read() as db:
        entries = conflicts.queue(db, wanted)
        chosen = row_id or (entries[0].row_id if entries else None)
        view = person_view(db, chosen, hub.clock.today()) if chosen else None
        return render_template(
            "hub/conflicts.html",
            entries=entries,
            counts=conflicts.counts(db, wanted),
            wanted=wanted,
            kinds=conflicts.KINDS,
            townships=_places(db, "SELECT code, name FROM division WHERE level = 'township' ORDER BY code"),
            stations=_places(db, "SELECT id AS code, name FROM station ORDER BY id"),
            villages=_places(db, _VILLAGES, view.person["village"][:9]) if view else [],
            chosen=chosen,
            view=view,
            desk=conflict_row.read(db, chosen) if chosen else None,
            decisions=conflict_decision.history(db, chosen) if chosen else [],
            shown=lambda column, value: conflict_row.in_words(db, column, value),
            typed=typed or {},
            findings=findings or [],
            moved=moved,
        )


_VILLAGES = "SELECT code, name FROM division WHERE parent = ? AND valid_to IS NULL ORDER BY code"


def _places(db: Any, sql: str, *values: str) -> list[Any]:
    return list(db.execute(sql, values).fetchall())


def _others(desk: Desk | None) -> dict[str, str]:
    """What was typed as a value of one's own."""
    return {f"other-{f.column}": request.form.get(f"other-{f.column}", "") for f in (desk.fields if desk else ())}


def _values(desk: Desk) -> dict[str, str | None]:
    """The value chosen for each field that waits: one of those shown, by its place, or the one typed."""
    out: dict[str, str | None] = {}
    for field in desk.fields:
        use = request.form.get(f"use-{field.column}", "")
        if field.waits and use == OTHER:
            out[field.column] = _tidy(field.column, request.form.get(f"other-{field.column}", ""))
        elif field.waits and use.isdecimal() and int(use) < len(field.choices):
            out[field.column] = field.choices[int(use)].value
    return out


def _tidy(column: str, text: str) -> str | None:
    """Typed text as it is stored: numbers without the blanks that make them readable; nothing is no value."""
    text = text.strip()
    return (text.replace(" ", "") if column != "address" and column != "note" else text) or None


def _new(desk: Desk, values: dict[str, str | None]) -> set[str]:
    """Columns that get a value nobody had written."""
    return {c for c, v in values.items() if all(v != choice.value for choice in desk.field(c).choices)}
