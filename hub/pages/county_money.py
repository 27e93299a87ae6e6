# SPDX-License-Identifier: Apache-2.0
"""单位到账: payments of employers and flexible workers as the tax office's file says: sent, looked at, taken in."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.context import current
from hub.importing import form, uploads
from hub.officers import MONEY_ROLES
from hub.settlement import month
from hub.settlement.county import money_in
from schema import money, period
from schema.errors import Refusal
from schema.findings import Finding
from schema.sheets import WEB
from schema.web.auth import current_key, current_officer, require_role
from schema.web.frame import t

page = Blueprint("county_money", __name__, url_prefix="/settlement/money")
READERS = (*MONEY_ROLES, "inspect")


page.url_value_preprocessor(form.take_large_files)


@page.get("")
@require_role(*READERS)
def index() -> str:
    """The form, and what was taken in month by month."""
    return _show([])


@page.post("")
@require_role(money_in.ROLE)
def upload() -> Response:
    """Keep the file for its preview; one that cannot be read is told about beside the form."""
    try:
        upload_id = form.kept(money_in.known_headings().is_header)
    except Refusal as refusal:
        return _refused(refusal)
    return redirect(url_for("county_money.preview", upload_id=upload_id), 303)


@page.get("/<id:upload_id>")
@require_role(money_in.ROLE)
def preview(upload_id: bytes) -> Response:
    """What the file holds, and the month it would be settled with."""
    hub = current()
    found = uploads.find(hub, current_officer().operator_no, upload_id)
    settled = _month()
    try:
        summary = money_in.preview(hub.store, found.content, WEB, settled, hub.clock)
    except Refusal as refusal:
        return _refused(refusal)
    shown = render_template(
        "settlement/receipts_preview.html", upload=found, summary=summary, pages="county_money", unmatched="waiting",
        settled=settled,
    )  # fmt: skip
    return make_response(shown)


@page.post("/<id:upload_id>/take")
@require_role(money_in.ROLE)
def take(upload_id: bytes) -> Response:
    """Take the good lines in, as money for the month that the preview named."""
    hub, officer, settled = current(), current_officer().operator_no, request.form.get("month", "")
    found = uploads.find(hub, officer, upload_id)
    if not period.is_month(settled):
        raise Refusal("月份不对", "that is no month", code="month")
    summary = money_in.take_in(
        hub.store, found.content, WEB, settled, officer, current_key(), hub.clock, file_name=found.name
    )
    count, fen = (sum(kinds[kind] for kind in ("matched", "waiting")) for kinds in (summary.counts, summary.fen))
    flash(t("county_money.taken", n=count, yuan=money.yuan(fen), month=settled), "done")
    return redirect(url_for("county_money.index"), 303)


def _month() -> str:
    """The month to which money is taken in now: the one to be run, else the one after it."""
    hub = current()
    with hub.store.read() as db:
        opened = month.open_month(db, month.COUNTY) or period.month_of(hub.clock.today())
        row = month.find(db, opened, month.COUNTY)
    return opened if row is None or row["state"] == "computed" else period.add_months(opened, 1)


def _refused(refusal: Refusal) -> Response:
    return make_response(_show(form.beside(refusal)), 422)


def _show(findings: list[Finding]) -> str:
    with current().store.read() as db:
        sums = money_in.sums(db)
    return render_template("county/money.html", sums=sums, findings=findings, settled=_month())
