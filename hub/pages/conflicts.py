# SPDX-License-Identifier: Apache-2.0
"""冲突: the queue of persons whose data two people changed at once; both values side by side, and which is in use."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub import conflicts
from hub.context import current
from hub.officers import CASE_ROLES
from hub.sections import Section
from schema import ids
from schema.view import person_view
from schema.web.auth import require_role
from schema.web.frame import t

page = Blueprint("conflicts", __name__)
SECTION = Section("conflicts.index", (*CASE_ROLES, "inspect"), count=lambda db, officer: conflicts.count(db))


@page.get("/conflicts")
@page.get("/conflicts/<id:row_id>")
@require_role(*CASE_ROLES, "inspect")
def index(row_id: bytes | None = None) -> str:
    """The queue, and the person chosen or the newest."""
    hub = current()
    with hub.store.read() as db:
        rows = conflicts.recent(db)
        chosen = row_id or (rows[0].row_id if rows else None)
        return render_template(
            "hub/conflicts.html",
            people=_by_person(rows),
            total=len(rows),
            chosen=chosen,
            view=person_view(db, chosen, hub.clock.today()) if chosen else None,
            versions=conflicts.of_row(db, chosen) if chosen else [],
        )


@page.post("/conflicts/<id:row_id>")
@require_role(*CASE_ROLES)
def choose(row_id: bytes) -> Response:
    """Save what was chosen for each cell; a value not chosen stays and can be chosen again."""
    hub = current()
    with hub.store.read() as db:
        known = [c.id for c in conflicts.of_row(db, row_id)]
    chosen = {c: request.form.get(f"use-{ids.to_text(c)}", "") for c in known}
    changed = [conflicts.use(hub.store, c, which) for c, which in chosen.items() if which]
    flash(t("conflicts.saved", n=sum(changed)) if any(changed) else t("conflicts.same"), "done")
    return redirect(url_for("conflicts.index", row_id=row_id), 303)


def _by_person(rows: list[conflicts.Conflict]) -> list[dict[str, Any]]:
    """One entry of the queue per person, the newest conflict first."""
    order = list(dict.fromkeys(c.row_id for c in rows))
    ordered = sorted(rows, key=lambda c: order.index(c.row_id))
    return [{"row_id": row_id, "rows": list(mine)} for row_id, mine in groupby(ordered, key=lambda c: c.row_id)]
