# SPDX-License-Identifier: Apache-2.0
"""权限: who works where in which posts; made, changed and disabled by the administrator."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub import officers
from hub.context import current
from hub.officers import NewOfficer
from hub.sections import Section
from schema.errors import Refusal
from schema.findings import Finding
from schema.web.auth import current_officer, require_role
from schema.web.frame import t

page = Blueprint("officers", __name__, url_prefix="/officers")
READERS = ("admin", "inspect")
SECTION = Section("officers.index", READERS)


@page.get("")
@require_role(*READERS)
def index() -> str:
    """All officers; for the administrator, what can be done."""
    return _show()


@page.post("")
@require_role("admin")
def add() -> Response:
    """A new officer; the one-time password is shown on the answer and nowhere else."""
    hub = current()
    new = NewOfficer(
        request.form.get("operator_no", "").strip(),
        request.form.get("name", "").strip(),
        tuple(request.form.getlist("roles")),
        request.form.get("station", ""),
    )
    password = officers.one_time_password()
    try:
        officers.add(hub.store, new, password, hub.clock)
    except Refusal as refusal:
        finding = Finding(refusal.code, "block", _field(refusal.code), refusal.zh, refusal.en)
        return make_response(_show([finding]), 422)
    _log("added", new.operator_no)
    return make_response(_show(once=(new.operator_no, password)))


@page.post("/<operator_no>/roles")
@require_role("admin")
def set_roles(operator_no: str) -> Response:
    """Other posts, from now on."""
    try:
        officers.set_roles(current().store, operator_no, tuple(request.form.getlist("posts")))
    except Refusal as refusal:
        return make_response(_show([Finding(refusal.code, "block", "", refusal.zh, refusal.en)]), 422)
    _log("roles changed", operator_no)
    flash(t("officers.roles_set", no=operator_no), "done")
    return redirect(url_for("officers.index"), 303)


@page.post("/<operator_no>/reset")
@require_role("admin")
def reset(operator_no: str) -> Response:
    """A new key under a one-time password. The old key ends when its password may be known to somebody else."""
    hub = current()
    password = officers.one_time_password()
    end_old_key = request.form.get("end_old_key") == "1"
    officers.reset_password(hub.store, operator_no, password, hub.clock, end_old_key=end_old_key)
    current_app.extensions["auth"].ring.drop_officer(operator_no)
    _log("reset", operator_no)
    return make_response(_show(once=(operator_no, password)))


@page.post("/<operator_no>/disable")
@require_role("admin")
def disable(operator_no: str) -> Response:
    """Take a number out of use for good; the number is typed once more, since nothing undoes it."""
    hub = current()
    if request.form.get("again", "").strip() != operator_no:
        zh, en = f"停用不能撤销。请再输入工号 {operator_no}", f"This cannot be undone. Type {operator_no} again"
        return make_response(_show([Finding("again", "block", "", zh, en)]), 422)
    officers.disable(hub.store, operator_no, hub.clock)
    current_app.extensions["auth"].ring.drop_officer(operator_no)
    _log("disabled", operator_no)
    flash(t("officers.disabled", no=operator_no), "done")
    return redirect(url_for("officers.index"), 303)


def _show(findings: list[Finding] | None = None, once: tuple[str, str] | None = None) -> str:
    hub = current()
    with hub.store.read() as db:
        listed = officers.everyone(db)
        stations = list(db.execute("SELECT id, name FROM station ORDER BY id"))
    return render_template(
        "hub/officers.html",
        listed=listed,
        stations=stations,
        hub_roles=officers.HUB_ROLES,
        station_roles=officers.STATION_ROLES,
        findings=findings or [],
        once=once,
        typed=request.form,
    )


def _field(code: str) -> str:
    return {"operator_no": "operator_no", "taken": "operator_no", "name": "name", "roles": "roles"}.get(code, "station")


def _log(what: str, operator_no: str) -> None:
    current_app.logger.info("officer %s %s by %s", operator_no, what, current_officer().operator_no)
