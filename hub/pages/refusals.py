# SPDX-License-Identifier: Apache-2.0
"""拒收: what was not taken in and why, both ways; whose turn it is, and what has been dealt with."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.context import current
from hub.sections import Section
from schema import database
from schema.clock import stamp
from schema.errors import WrongState
from schema.web.auth import require_role
from schema.web.frame import t

page = Blueprint("refusals", __name__)
SHOWN = 200
HANDLERS = ("accept", "review", "admin")
OPEN, ALL = "open", "all"


def _waiting(db: Any, officer: object) -> int:
    return int(db.execute("SELECT count(*) FROM refusal WHERE handled_at IS NULL").fetchone()[0])


SECTION = Section("refusals.index", count=_waiting)

# Whose turn it is, by code; everything else is the station's own clerk.
_OWNERS = {
    "frozen": "technician",
    "chain": "technician",
    "origin": "technician",
    "fact_form": "technician",
    "kind": "technician",
    "body": "technician",
    "id_reused": "technician",
    "intake_failed": "technician",
    "receipt_block": "technician",
    "receipt_no": "technician",
    "slice": "technician",
    "officer_unknown": "admin",
    "officer_disabled": "admin",
    "officer_station": "admin",
    "officer_signature": "admin",
    "role": "admin",
}


@page.get("/refusals")
def index() -> str:
    """Those still open, or all."""
    show = ALL if request.args.get("show") == ALL else OPEN
    with current().store.read() as db:
        rows = db.execute(
            "SELECT r.id, r.direction, r.peer, r.channel, r.frame_n, r.item, r.code, r.reason, r.at, r.handled_at, "
            "s.name AS station_name FROM refusal r LEFT JOIN station s ON s.id = r.peer "
            "WHERE ? OR r.handled_at IS NULL ORDER BY r.at DESC LIMIT ?",
            (show == ALL, SHOWN),
        ).fetchall()
        waiting = _waiting(db, None)
    listed = [{"row": row, "owner": _OWNERS.get(row["code"], "clerk")} for row in rows]
    return render_template("hub/refusals.html", listed=listed, show=show, waiting=waiting, handlers=HANDLERS)


@page.post("/refusals/<id:refusal_id>/handled")
@require_role(*HANDLERS)
def handled(refusal_id: bytes) -> Response:
    """Somebody has dealt with it. For a frozen station this lets it in again."""
    hub = current()
    with hub.store.write() as db:
        at = stamp(hub.clock.now())
        key = {"id": refusal_id}
        open_ = db.execute("SELECT 1 FROM refusal WHERE id = ? AND handled_at IS NULL", (refusal_id,)).fetchone()
        if not open_:
            raise WrongState("这一条已经处理过，或不存在", "This one was dealt with before, or does not exist")
        database.update(db, "refusal", key, {"handled_at": at})
    flash(t("refusals.done"), "done")
    return redirect(url_for("refusals.index"), 303)
