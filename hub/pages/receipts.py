# SPDX-License-Identifier: Apache-2.0
"""到账: receipts files sent, looked at, taken in; money of unknown payers given to its persons."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.context import current
from hub.importing import form, uploads
from hub.officers import MONEY_ROLES
from hub.settlement import matching, receipt_file, receipts, views
from schema import money, view
from schema.errors import Refusal
from schema.findings import Finding
from schema.sheets import WEB
from schema.web.auth import current_key, current_officer, require_role
from schema.web.frame import t

page = Blueprint("receipts", __name__, url_prefix="/receipts")
READERS = (*MONEY_ROLES, "inspect")


page.url_value_preprocessor(form.take_large_files)


@page.get("")
@require_role(*READERS)
def index() -> str:
    """The form, the sums, the receipts in suspense."""
    return _show()


@page.post("")
@require_role(receipts.ROLE)
def upload() -> Response:
    """Keep the file for its preview; one that cannot be read is told about beside the form."""
    try:
        upload_id = form.kept(receipt_file.known_headings().is_header)
    except Refusal as refusal:
        return _refused_file(refusal)
    return redirect(url_for("receipts.preview", upload_id=upload_id), 303)


@page.get("/<id:upload_id>")
@require_role(receipts.ROLE)
def preview(upload_id: bytes) -> Response:
    """What the file holds; one that turns out damaged on the way is told about beside the form."""
    hub = current()
    found = uploads.find(hub, current_officer().operator_no, upload_id)
    try:
        summary = receipts.preview(hub.store, found.content, WEB, hub.clock)
    except Refusal as refusal:
        return _refused_file(refusal)
    shown = render_template(
        "settlement/receipts_preview.html", upload=found, summary=summary, pages="receipts", unmatched="suspense",
        settled="",
    )  # fmt: skip
    return make_response(shown)


@page.post("/<id:upload_id>/take")
@require_role(receipts.ROLE)
def take(upload_id: bytes) -> Response:
    """Take the good receipts in and book them."""
    hub, officer = current(), current_officer().operator_no
    found = uploads.find(hub, officer, upload_id)
    summary = receipts.take_in(hub.store, found.content, WEB, officer, current_key(), hub.clock, file_name=found.name)
    count = summary.counts["matched"] + summary.counts["suspense"]
    yuan = money.yuan(summary.fen["matched"] + summary.fen["suspense"])
    flash(t("settlement_receipts.taken", n=count, yuan=yuan), "done")
    return redirect(url_for("receipts.index"), 303)


@page.post("/match")
@require_role(matching.ROLE)
def match() -> Response:
    """Try every receipt in suspense again."""
    hub = current()
    count, _ = matching.match_all(hub.store, current_officer().operator_no, current_key(), hub.clock)
    flash(t("settlement_receipts.again_done", n=count), "done")
    return redirect(url_for("receipts.index"), 303)


@page.post("/give")
@require_role(matching.ROLE)
def give() -> Response:
    """Give one receipt in suspense to the person with that ID number."""
    hub, no = current(), request.form.get("no", "")
    with hub.store.read() as db:
        person_id = view.find_by_id_number(db, request.form.get("id_number", ""))
    if person_id is None:
        said = t("settlement_receipts.nobody")
        return make_response(_show([Finding("nobody", "block", f"give-{no}", said, said)]), 422)
    try:
        matching.match_one(hub.store, no, person_id, current_officer().operator_no, current_key(), hub.clock)
    except Refusal as refusal:
        return make_response(_show([Finding(refusal.code, "block", f"give-{no}", refusal.zh, refusal.en)]), 422)
    flash(t("settlement_receipts.given", no=no), "done")
    return redirect(url_for("receipts.index"), 303)


def _refused_file(refusal: Refusal) -> Response:
    return make_response(_show(form.beside(refusal)), 422)


def _show(findings: list[Finding] | None = None) -> str:
    with current().store.read() as db:
        waiting = views.suspense(db)
        sums = views.receipt_sums(db)
    return render_template(
        "settlement/receipts.html", waiting=waiting, sums=sums, findings=findings or [], limits=WEB,
        typed=request.form.get("id_number", ""),
    )  # fmt: skip
