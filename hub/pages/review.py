# SPDX-License-Identifier: Apache-2.0
"""审核台: the queue on the left, one case in the middle, findings and papers on the right, the decision below."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from hub import case_view, cases, decision, queue, review, signing
from hub.context import current
from hub.officers import CASE_ROLES
from hub.queue import Filter
from hub.sections import Section
from schema import ids
from schema.clock import parse_stamp
from schema.findings import Finding
from schema.web.auth import current_key, current_officer, require_role
from schema.web.frame import t

page = Blueprint("review", __name__)
SECTION = Section("review.desk", CASE_ROLES, count=queue.count)


@page.get("/review")
@page.get("/review/<id:case_id>")
@require_role(*CASE_ROLES)
def desk(case_id: bytes | None = None) -> Response:
    """The desk with that case, or with the most urgent of the queue."""
    _keep_filter()
    just_decided = request.args.get("decided", "")
    signing.sign_pending(all_of_them=True, but_not=_id_or_none(just_decided))
    return _show(case_id)


@page.post("/cases/<id:case_id>/decide")
@require_role(*CASE_ROLES)
def decide(case_id: bytes) -> Response:
    """Agree, return or reject: kept as pending, signed after the time in which it can be taken back."""
    hub, officer = current(), current_officer()
    word, reason = request.form.get("decision", ""), request.form.get("reason", "")
    missing = request.form.getlist("missing")
    signing.sign_pending(all_of_them=True, but_not=case_id)
    with hub.store.read() as db:
        case = cases.load(db, case_id)
        hindrance = review.why_not(db, case, officer.operator_no, hub.clock.today())
        following = _following(db, case_id)
    if hindrance:
        raise hindrance
    findings = decision.check(case, word, reason, missing)
    if findings:
        return _show(case_id, findings, 422)
    undo_s = hub.config.undo_s
    review.decide(
        hub.store, case_id, officer.operator_no, current_key(), word, reason, hub.clock, missing=missing, undo_s=undo_s
    )
    if undo_s == 0:
        flash(_done_words(word, case), "done")
    decided = ids.to_text(case_id) if undo_s else None
    return redirect(url_for("review.desk", case_id=following, decided=decided), 303)


@page.post("/cases/<id:case_id>/take-back")
@require_role(*CASE_ROLES)
def take_back(case_id: bytes) -> Response:
    """Undo a decision that is not signed yet; back to that case."""
    hub = current()
    review.take_back(hub.store, case_id, current_officer().operator_no)
    with hub.store.read() as db:
        step = cases.load(db, case_id).step
    flash(t("review.taken_back", step=t(f"review.step.{step}")), "done")
    return redirect(url_for("review.desk", case_id=case_id), 303)


def _show(case_id: bytes | None, findings: list[Finding] | None = None, status: int = 200) -> Response:
    hub, officer = current(), current_officer()
    wanted, today = _filter(), hub.clock.today()
    with hub.store.read() as db:
        waiting = queue.waiting(db, officer, wanted)
        case_id = case_id or (bytes(waiting[0]["id"]) if waiting else None)
        case = cases.load(db, case_id) if case_id else None
        townships, services = queue.choices(db, officer)
        shown = case and case_view.build(
            db, case, today, me=officer.operator_no, everything=bool(request.args.get("all"))
        )
        values: dict[str, Any] = {
            "waiting": waiting,
            "count": queue.count(db, officer, wanted),
            "counts": {only: queue.count(db, officer, Filter(only=only)) for only in ("", queue.NOTED, queue.OFFLINE)},
            "wanted": wanted,
            "townships": townships,
            "services": services,
            "view": shown,
            "hindrance": case and review.why_not(db, case, officer.operator_no, today),
            "pending": [_takeback(db, made) for made in decision.pending_of(db, officer.operator_no)],
            "absent": [m.id for m in decision.absent_papers(case)] if case else [],
        }
    typed = {"reason": request.form.get("reason", ""), "missing": request.form.getlist("missing")}
    page_text = render_template("hub/review.html", findings=findings or [], typed=typed, today=today, **values)
    return make_response(page_text, status)


def _takeback(db: Any, made: decision.Decision) -> dict[str, Any]:
    left = parse_stamp(made.sign_after) - current().clock.now()
    case = cases.load(db, made.case_id)
    return {
        "case_id": made.case_id,
        "words": _done_words(made.decision, case),
        "seconds": max(0, round(left.total_seconds())),
    }


def _done_words(word: str, case: cases.HubCase) -> str:
    name = case.person_name or case.receipt_no
    return t(f"review.done.{word}", name=name)


def _following(db: Any, case_id: bytes) -> bytes | None:
    """The case to show next: the one below in the queue, or the first."""
    rows = [bytes(row["id"]) for row in queue.waiting(db, current_officer(), _filter())]
    if case_id not in rows:
        return rows[0] if rows else None
    at = rows.index(case_id)
    return next(iter(rows[at + 1 :] + rows[:at]), None)


def _keep_filter() -> None:
    """Filters last as long as the session: a queue that forgets them on every click is not used with any."""
    names = ("township", "service", "only")
    if set(names) & set(request.args):
        kept = session.get("queue", {})
        session["queue"] = {n: request.args.get(n, kept.get(n, ""))[:60] for n in names}


def _filter() -> Filter:
    return Filter(**session.get("queue", {}))


def _id_or_none(text: str) -> bytes | None:
    try:
        return ids.from_text(text)
    except ValueError:
        return None
