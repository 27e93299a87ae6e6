# SPDX-License-Identifier: Apache-2.0
"""结算: the county's month: run it, see its steps, totals and findings, have it recomputed, sign it."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.context import Hub, current
from hub.officers import MONEY_ROLES
from hub.pages import settlement
from hub.sections import Section
from hub.settlement import month, views
from hub.settlement.county import jobs, naming, overview, signing, steps, summary, verify
from hub.settlement.county.month_file import INPUTS
from hub.settlement.county.runs import County
from hub.settlement.signing import word as word_of
from schema import money, period
from schema.errors import UnknownSubject
from schema.findings import Finding
from schema.web.auth import current_key, current_officer, has_role, require_role
from schema.web.door import Officer
from schema.web.frame import t

page = Blueprint("county", __name__, url_prefix="/settlement/county")
READERS = (*MONEY_ROLES, "inspect")
MONTHS_SHOWN = 4
ENGINES = ("sqlite", "duckdb")
RUN_STEPS = ("freeze", "compute", "write", "commit", "summary")


def _waiting(db: Any, officer: Officer) -> int:
    """How many months wait for this officer's hand: the county's, the resident pension's alone."""
    action = overview.next_action(db, current().clock.today())
    return int(action is not None and views.ROLES[action] in officer.roles) + settlement.waiting(db, officer)


SECTION = Section("county.index", READERS, _waiting, ("settlement", "receipts", "county_lists", "county_money"))


def county_of(hub: Hub) -> County:
    """The county's months of this hub."""
    return County(hub.store, hub.home.path, hub.secrets.db_key, hub.clock)


def running() -> jobs.Jobs:
    """The jobs of this process."""
    hub = current()
    return jobs.of(current_app, hub.store, hub.clock)


@page.get("")
@require_role(*READERS)
def index() -> str:
    """The month asked for, else the open one."""
    view = overview.overview(county_of(current()), request.args.get("month"))
    with current().store.read() as db:
        names = _names(db)
        places = {row["code"]: row["name"] for row in db.execute("SELECT code, name FROM division")}
    return render_template(
        "county/month.html", view=view, months=view.months[:MONTHS_SHOWN], job=running().now(), names=names,
        places=places, roles=views.ROLES, hands=views.HANDS, states=month.STATES, engines=ENGINES, naming=naming,
        stop_words=naming.stop_words, step_of=steps.of_control,
    )  # fmt: skip


@page.post("/run")
@require_role("settle")
def run() -> Response:
    """Begin a run; what would refuse it at once is said at once."""
    hub, settled = current(), request.form.get("month", "")
    county, officer, key = county_of(hub), current_officer().operator_no, current_key()
    county.require_may_run(settled, officer, key)

    def work(tell: Any) -> None:
        county.run(settled, officer, key, tell)
        tell("summary")
        summary.of(county, settled)

    running().start("run", settled, officer, len(RUN_STEPS), work)
    return redirect(url_for("county.index", month=settled), 303)


@page.post("/<settled>/verify")
@require_role(*READERS)
def verify_month(settled: str) -> Response:
    """Have the month recomputed by SQL on a database of one's choice."""
    engine = request.form.get("engine", "")
    county, officer = county_of(current()), current_officer().operator_no
    overview.require_settled(county, settled)
    if engine not in ENGINES:
        raise UnknownSubject("没有这个数据库引擎", "there is no such engine")

    def work(tell: Any) -> None:
        began = time.monotonic()
        found = county.verify(settled, engine, tell)
        overview.record(county, settled, engine, officer, found, round((time.monotonic() - began) * 1000))

    running().start("verify", settled, officer, len(INPUTS) + len(verify.STEPS), work)
    return redirect(url_for("county.index", month=settled), 303)


@page.get("/progress")
@require_role(*READERS)
def progress() -> Response:
    """What is going on, for the page that asks each second; when nothing is any more, that page is shown anew."""
    job = running().now()
    if job is None:
        return make_response("", 200, {"HX-Refresh": "true"})
    return make_response(render_template("county/progress.html", job=job))


@page.route("/<settled>/<any(approve, pay, close):action>", methods=["GET", "POST"])
@require_role(*MONEY_ROLES)
def sign(settled: str, action: str) -> Response:
    """A page of its own for what cannot be taken back: the facts, and a word to type."""
    county, word = county_of(current()), word_of(action, settled)
    overview.require_settled(county, settled)
    back = redirect(url_for("county.index", month=settled), 303)
    view = overview.overview(county, settled)
    if not has_role(views.ROLES[action]) or view.next_action != action:
        return back
    if request.method == "GET":
        return _sign_page(view, action, word, [])
    if request.form.get("typed", "").split() != word.split():
        said = {code: t("settlement_sign.wrong_word", word=word) for code in ("zh", "en")}
        return _sign_page(view, action, word, [Finding("typed", "block", "typed", **said)])
    paid = signing.ACTS[action](county, settled, current_officer().operator_no, current_key(), word)
    if paid is None:
        flash(t(f"county.done_{action}", month=settled), "done")
    else:
        flash(t("county.done_pay", month=settled, n=paid.payments, yuan=money.yuan(paid.amount_fen)), "done")
    return back


def _sign_page(view: overview.Overview, action: str, word: str, findings: list[Finding]) -> Response:
    with current().store.read() as db:
        names = _names(db)
    me = current_officer().operator_no
    mine = next((hand for hand in views.HANDS if view.row.get(f"{hand}_by") == me), None)
    shown = render_template(
        "county/sign.html", view=view, action=action, word=word, findings=findings, mine=mine, names=names,
        hands=views.HANDS,
    )  # fmt: skip
    return make_response(shown, 422 if findings else 200)


@page.url_value_preprocessor
def _check_month(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A month that is none is no page."""
    settled = (values or {}).get("settled")
    if settled is not None and not period.is_month(settled):
        raise UnknownSubject("没有这个月份", "there is no such month")


def _names(db: Any) -> dict[str, str]:
    return {row["operator_no"]: row["name"] for row in db.execute("SELECT operator_no, name FROM officer")}
