# SPDX-License-Identifier: Apache-2.0
"""居民养老单独结算: the console of a month, its signatures, its persons, and how one person's month was reckoned."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.context import current
from hub.officers import MONEY_ROLES
from hub.settlement import computing, explain, month, signing, views
from schema import money
from schema.errors import UnknownSubject
from schema.findings import Finding
from schema.web.auth import current_key, current_officer, has_role, require_role
from schema.web.door import Officer
from schema.web.frame import t

page = Blueprint("settlement", __name__, url_prefix="/settlement")
READERS = (*MONEY_ROLES, "inspect")
MONTHS_SHOWN = 4


def waiting(db: Any, officer: Officer) -> int:
    """1 when the open month waits for this officer's hand."""
    action = views.overview(db, current().clock.today()).next_action
    return int(action is not None and views.ROLES[action] in officer.roles)


@page.get("")
@require_role(*READERS)
def index() -> str:
    """The month asked for, else the open one."""
    hub = current()
    with hub.store.read() as db:
        view = views.overview(db, hub.clock.today(), request.args.get("month"))
        names = _names(db)
    return render_template(
        "settlement/month.html", view=view, months=view.months[:MONTHS_SHOWN], roles=views.ROLES, hands=views.HANDS,
        names=names, states=month.STATES, reasons=explain.REASONS,
    )  # fmt: skip


@page.post("/run")
@require_role("settle")
def run() -> Response:
    """Compute the open month."""
    hub = current()
    settled = request.form.get("month", "")
    done = computing.run(hub.store, settled, current_officer().operator_no, current_key(), hub.clock)
    yuan = money.yuan(done.totals["benefit_fen"])
    flash(t("settlement.computed", month=settled, n=done.totals["payees"], yuan=yuan), "done")
    return redirect(url_for("settlement.index", month=settled), 303)


@page.route("/<settled>/<any(approve, pay, close):action>", methods=["GET", "POST"])
@require_role(*MONEY_ROLES)
def sign(settled: str, action: str) -> Response:
    """A page of its own for what cannot be taken back: the facts, and a word to type."""
    word = signing.word(action, settled)
    if not has_role(views.ROLES[action]):
        return redirect(url_for("settlement.index", month=settled), 303)
    if request.method == "GET":
        return _sign_page(settled, action, word, [])
    if request.form.get("typed", "").split() != word.split():
        said = {code: t("settlement_sign.wrong_word", word=word) for code in ("zh", "en")}
        return _sign_page(settled, action, word, [Finding("typed", "block", "typed", **said)])
    _sign(settled, action, word)
    return redirect(url_for("settlement.index", month=settled), 303)


def _sign(settled: str, action: str, word: str) -> None:
    hub, officer, key = current(), current_officer().operator_no, current_key()
    if action == "approve":
        signing.approve(hub.store, settled, officer, key, hub.clock)
        flash(t("settlement.done_approve", month=settled), "done")
    elif action == "pay":
        paid = signing.pay(hub.store, settled, officer, key, hub.clock)
        amount = money.yuan(paid.amount_fen)
        flash(t("settlement.done_pay", month=settled, n=paid.payments, yuan=amount), "done")
    else:
        signing.close(hub.store, settled, officer, key, hub.clock, word)
        flash(t("settlement.done_close", month=settled), "done")


def _sign_page(settled: str, action: str, word: str, findings: list[Finding]) -> Response:
    hub = current()
    with hub.store.read() as db:
        month.get(db, settled)
        view = views.overview(db, hub.clock.today(), settled)
        names = _names(db)
    if view.next_action != action:
        return redirect(url_for("settlement.index", month=settled), 303)
    me = current_officer().operator_no
    mine = next((hand for hand in views.HANDS if view.row.get(f"{hand}_by") == me), None)
    shown = render_template(
        "settlement/sign.html", view=view, action=action, word=word, findings=findings, mine=mine, names=names,
        hands=views.HANDS,
    )  # fmt: skip
    return make_response(shown, 422 if findings else 200)


@page.get("/<settled>/people/<any(paid, credited, held):kind>")
@require_role(*READERS)
def people(settled: str, kind: str) -> str:
    """Who was paid, credited or held back, the biggest amount first."""
    with current().store.read() as db:
        month.get(db, settled)
        found = views.people(db, settled, kind, request.args.get("page", 1, type=int))
    return render_template(
        "settlement/people.html", settled=settled, kind=kind, kinds=tuple(views.KINDS), found=found,
        reasons=explain.REASONS,
    )  # fmt: skip


@page.get("/<settled>/person/<id:person_id>")
@require_role(*READERS)
def person(settled: str, person_id: bytes) -> str:
    """One person's month: formula, parameters, documents, numbers."""
    with current().store.read() as db:
        found = explain.explain(db, settled, person_id)
    return render_template("settlement/person.html", found=found)


@page.url_value_preprocessor
def _check_month(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A month that is none is no page."""
    settled = (values or {}).get("settled")
    if settled is not None and not (len(settled) == 7 and settled[4] == "-" and settled.replace("-", "").isdigit()):
        raise UnknownSubject("没有这个月份", "there is no such month")


def _names(db: Any) -> dict[str, str]:
    return {row["operator_no"]: row["name"] for row in db.execute("SELECT operator_no, name FROM officer")}
