# SPDX-License-Identifier: Apache-2.0
"""迟到的修改: what a station wrote before it knew that the person had moved away; take it over, or not."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub import late
from hub.context import current
from hub.officers import CASE_ROLES
from hub.sections import Section
from schema.web.auth import current_officer, require_role
from schema.web.frame import t

page = Blueprint("late", __name__)
SECTION = Section("late.index", (*CASE_ROLES, "inspect"), count=lambda db, officer: late.count(db))
DECIDED = "decided"


@page.get("/late")
@require_role(*CASE_ROLES, "inspect")
def index() -> str:
    """Those that wait, or those decided."""
    show = DECIDED if request.args.get("show") == DECIDED else ""
    with current().store.read() as db:
        edits, waiting = late.listing(db, waiting=not show), late.count(db)
    return render_template("hub/late.html", edits=edits, waiting=waiting, show=show, roles=CASE_ROLES)


@page.post("/late/<id:late_id>/<any(accepted, refused):state>")
@require_role(*CASE_ROLES)
def decide(late_id: bytes, state: str) -> Response:
    """Take the edit over or refuse it."""
    hub = current()
    late.decide(hub.store, late_id, state, current_officer().operator_no, hub.clock)
    flash(t(f"late.done_{state}"), "done")
    return redirect(url_for("late.index"), 303)


@page.post("/late/<id:late_id>/undo")
@require_role(*CASE_ROLES)
def undo(late_id: bytes) -> Response:
    """Back among those that wait."""
    late.undo(current().store, late_id, current().clock)
    flash(t("late.undone"), "done")
    return redirect(url_for("late.index"), 303)
