# SPDX-License-Identifier: Apache-2.0
"""迟到业务: what it does in a month, before anybody approves it; whose work is missing; a month tried out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from hub.context import current
from hub.officers import MONEY_ROLES
from hub.pages.county import county_of
from hub.settlement.county import effect, naming, rehearsal, watermarks
from hub.settlement.month import COUNTY
from schema import period
from schema.errors import UnknownSubject
from schema.web.auth import require_role

page = Blueprint("county_late", __name__, url_prefix="/settlement/county/<settled>")
READERS = (*MONEY_ROLES, "inspect")
PAGE_ROWS = 50


@page.get("/adjustments")
@require_role(*READERS)
def adjustments(settled: str) -> str:
    """By person, payer, month and reason, the biggest first; the sums above."""
    found = effect.of(county_of(current()), settled)
    pages = max(1, -(-len(found.contributions) // PAGE_ROWS))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = found.contributions[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    return render_template(
        "county/adjustments.html", settled=settled, found=found, shown=shown, number=number, pages=pages, naming=naming,
        benefits=found.benefits[:PAGE_ROWS],
    )  # fmt: skip


@page.get("/stations")
@require_role(*READERS)
def stations(settled: str) -> str:
    """How the stations stood when the month was computed; as they stand now while it is not."""
    hub = current()
    with hub.store.read() as db:
        sql = "SELECT run_id, computed_at FROM period WHERE scheme = ? AND month = ?"
        row = db.execute(sql, (COUNTY, settled)).fetchone()
        at = row["computed_at"] if row else ""
        marks = watermarks.of_run(db, row["run_id"], at) if row else watermarks.now(db, hub.clock.now())
    return render_template("county/stations.html", settled=settled, marks=marks, at=at)


@page.get("/rehearsal")
@page.get("/rehearsal.json", defaults={"form": "json"})
@require_role(*READERS)
def rehearse(settled: str, form: str = "") -> Response:
    """The month computed now on a read of the register, with nothing written."""
    found = rehearsal.rehearse(county_of(current()), settled)
    if form:
        answer = jsonify(found.to_json())
        answer.headers["Content-Disposition"] = f'attachment; filename="{settled}-rehearsal.json"'
        answer.headers["Cache-Control"] = "no-store"
        return answer
    with current().store.read() as db:
        places = {row["code"]: row["name"] for row in db.execute("SELECT code, name FROM division")}
    return make_response(
        render_template("county/rehearsal.html", settled=settled, found=found, places=places, naming=naming)
    )


@page.url_value_preprocessor
def _check_month(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A month that is none is no page."""
    if not period.is_month((values or {}).get("settled", "")):
        raise UnknownSubject("没有这个月份", "there is no such month")
