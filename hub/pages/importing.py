# SPDX-License-Identifier: Apache-2.0
"""导入: a register file sent, looked at, taken in; the refused lines come back as a file."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.context import current
from hub.importing import form, headings, refused, register, uploads
from hub.importing.register import ROLE
from hub.sections import Section
from schema.errors import Refusal
from schema.findings import Finding
from schema.sheets import WEB
from schema.web.auth import current_key, current_officer, require_role
from schema.web.frame import lang, t

page = Blueprint("importing", __name__, url_prefix="/import")
SECTION = Section("importing.index", (ROLE,))
RUNS_SHOWN = 20
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


page.url_value_preprocessor(form.take_large_files)


@page.get("")
@require_role(ROLE)
def index() -> str:
    """The form, and what was taken in before."""
    return _show()


@page.post("")
@require_role(ROLE)
def upload() -> AnyResponse:
    """Keep the file for its preview. A file that cannot be read is told about beside the form."""
    try:
        upload_id = form.kept(headings.register().is_header)
    except Refusal as refusal:
        return _refused_file(refusal)
    return redirect(url_for("importing.preview", upload_id=upload_id), 303)


@page.get("/<id:upload_id>")
@require_role(ROLE)
def preview(upload_id: bytes) -> AnyResponse:
    """What the file would do; a file that turns out damaged on the way is told about beside the form."""
    hub = current()
    found = uploads.find(hub, current_officer().operator_no, upload_id)
    try:
        summary = register.preview(hub.store, found.content, WEB, hub.clock)
    except Refusal as refusal:
        return _refused_file(refusal)
    shown = render_template(
        "importing/preview.html", upload=found, summary=summary, columns=headings.register().columns, applied=False
    )
    return make_response(shown)


@page.post("/<id:upload_id>/apply")
@require_role(ROLE)
def apply(upload_id: bytes) -> str:
    """Take the good lines in, signed."""
    hub, officer = current(), current_officer()
    found = uploads.find(hub, officer.operator_no, upload_id)
    summary = register.apply(
        hub.store, found.content, WEB, officer.operator_no, current_key(), hub.clock, file_name=found.name
    )
    flash(t("importing.done", n=summary.count("new") + summary.count("changed")), "done")
    return render_template(
        "importing/preview.html", upload=found, summary=summary, columns=headings.register().columns, applied=True
    )


@page.get("/<id:upload_id>/refused.xlsx")
@require_role(ROLE)
def refused_lines(upload_id: bytes) -> Response:
    """The refused lines with their reasons, to be mended and fed again."""
    hub = current()
    found = uploads.find(hub, current_officer().operator_no, upload_id)
    summary = register.preview(hub.store, found.content, WEB, hub.clock)
    answer = make_response(refused.workbook(summary.header, summary.refused, lang()))
    answer.headers["Content-Type"] = _XLSX
    answer.headers["Content-Disposition"] = "attachment; filename=refused.xlsx"
    return answer


def _refused_file(refusal: Refusal) -> AnyResponse:
    return make_response(_show(form.beside(refusal)), 422)


def _show(findings: list[Finding] | None = None) -> str:
    with current().store.read() as db:
        runs = db.execute(
            "SELECT r.*, o.name FROM import_run r LEFT JOIN officer o ON o.operator_no = r.officer "
            "ORDER BY r.at DESC LIMIT ?",
            (RUNS_SHOWN,),
        ).fetchall()
    return render_template(
        "importing/index.html", runs=runs, findings=findings or [], columns=headings.register().columns, limits=WEB
    )
