# SPDX-License-Identifier: Apache-2.0
"""One case to read: everything the desk shows, for whoever may see it, without a decision."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from hub import case_view, cases
from hub.context import current
from hub.officers import CASE_ROLES, MONEY_ROLES
from schema import ids
from schema.web.auth import current_officer, require_role
from sync.station import blob

page = Blueprint("case", __name__)
READERS = (*CASE_ROLES, *MONEY_ROLES, "inspect")


@page.get("/cases/<id:case_id>")
@require_role(*READERS)
def show(case_id: bytes) -> str:
    """The case page. Opening one is logged: who looked at which case."""
    hub, officer = current(), current_officer()
    with hub.store.read() as db:
        case = cases.load(db, case_id)
        everything = bool(request.args.get("all"))
        view = case_view.build(db, case, hub.clock.today(), me=officer.operator_no, everything=everything)
    current_app.logger.info("case %s opened by %s", ids.to_text(case_id), officer.operator_no)
    return render_template("hub/case.html", view=view, today=hub.clock.today())


@page.get("/cases/<id:case_id>/scans/<sha256>")
@require_role(*READERS)
def scan(case_id: bytes, sha256: str) -> Response:
    """One picture of a paper. What it is was found by its bytes; a browser must not guess anything else into it."""
    with current().store.read() as db:
        cases.load(db, case_id)
        found = blob.read(db, case_id, _hash(sha256))
    if found is None:
        abort(404)
    answer = make_response(found[1])
    answer.headers["Content-Type"] = found[0]
    answer.headers["Content-Disposition"] = "inline"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        abort(404)
