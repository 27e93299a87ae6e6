# SPDX-License-Identifier: Apache-2.0
"""人员: find anyone in the county's register, and what is known of one person."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub import case_view, conflicts, search
from hub.context import current
from hub.officers import CASE_ROLES, MONEY_ROLES
from hub.sections import Section
from hub.settlement import month
from schema import ids
from schema.errors import UnknownSubject
from schema.view import person_view
from schema.web.auth import current_officer, has_role, require_role

page = Blueprint("registry", __name__)
READERS = (*CASE_ROLES, *MONEY_ROLES, "inspect", "import")
SECTION = Section("registry.index", READERS)


@page.get("/registry")
@require_role(*READERS)
def index() -> str:
    """The search box with the focus in it."""
    with current().store.read() as db:
        persons = db.execute("SELECT count(*) FROM person").fetchone()[0]
    return render_template("hub/registry.html", persons=persons)


@page.post("/search")
@require_role(*READERS)
def search_hits() -> Response:
    """Hits for the box; without script, the one hit or a page of them. Posted, for it may be an ID number."""
    with current().store.read() as db:
        hits = search.find(db, request.form.get("q", ""))
    if request.headers.get("HX-Request") == "true":
        return make_response(render_template("hub/hits.html", hits=hits))
    if len(hits.persons) + len(hits.cases) == 1:
        return redirect(_address(hits), 303)
    return make_response(render_template("hub/found.html", hits=hits))


@page.get("/persons/<id:person_id>")
@require_role(*READERS)
def person(person_id: bytes) -> str:
    """Everything about one person. Opening it is logged."""
    hub = current()
    with hub.store.read() as db:
        view = person_view(db, person_id, hub.clock.today())
        if view is None:
            raise UnknownSubject("名册里没有这个人", "the register has no such person")
        values: dict[str, Any] = {
            "view": view,
            "village": case_view.place_name(db, view.person["village"]),
            "accounts": _rows(db, "SELECT * FROM account WHERE person_id = ? ORDER BY insurance", person_id),
            "statements": _rows(
                db, "SELECT * FROM statement WHERE person_id = ? ORDER BY month DESC, insurance LIMIT 12", person_id
            ),
            "cases": _rows(
                db, "SELECT * FROM hub_case WHERE person_id = ? ORDER BY received_at DESC LIMIT 20", person_id
            ),
            "slices": [
                case_view.place_name(db, row["slice"])
                for row in _rows(db, "SELECT slice FROM slice_member WHERE person_id = ? ORDER BY slice", person_id)
            ],
            "same_number": search.same_number(db, view.person),
            "conflicts": conflicts.of_person(db, person_id),
            "settled": month.settled(db, month.COUNTY)[:12] if has_role(*MONEY_ROLES, "inspect") else [],
        }
    current_app.logger.info("person %s opened by %s", ids.to_text(person_id), current_officer().operator_no)
    return render_template("hub/person.html", **values)


def _address(hits: search.Hits) -> str:
    if hits.persons:
        return url_for("registry.person", person_id=hits.persons[0]["id"])
    return url_for("case.show", case_id=hits.cases[0]["id"])


def _rows(db: Any, sql: str, person_id: bytes) -> list[Any]:
    return list(db.execute(sql, (person_id,)))
