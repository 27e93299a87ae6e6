# SPDX-License-Identifier: Apache-2.0
"""异常: what should never happen between the hub and its stations, since when, whether it is over, what to do."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.context import current
from hub.sections import Section
from schema.clock import stamp
from schema.errors import WrongState
from schema.events import HUB
from schema.web.auth import require_role
from schema.web.frame import t
from sync.equality import incidents

page = Blueprint("incidents", __name__)
ALL = "all"
VIEWERS = ("admin", "inspect")
SECTION = Section("incidents.index", VIEWERS, count=lambda db, officer: incidents.open_count(db))


@page.get("/incidents")
@require_role(*VIEWERS)
def index() -> str:
    """Those not over, or all."""
    show = ALL if request.args.get("show") == ALL else ""
    with current().store.read() as db:
        listed = incidents.listing(db, closed=show == ALL)
        names = dict(db.execute("SELECT id, name FROM station").fetchall())
        waiting = incidents.open_count(db)
    return render_template("hub/incidents.html", listed=listed, names=names, waiting=waiting, show=show, hub=HUB)


@page.post("/incidents/<id:incident_id>/closed")
@require_role("admin")
def close(incident_id: bytes) -> Response:
    """A person has made sure that it is over."""
    hub = current()
    with hub.store.write() as db:
        if not incidents.close(db, incident_id, stamp(hub.clock.now())):
            raise WrongState("这一条已经了结，或不存在", "This one is over already, or does not exist")
    flash(t("incidents.closed"), "done")
    return redirect(url_for("incidents.index"), 303)
