# SPDX-License-Identifier: Apache-2.0
"""What waits to be sent, what was refused and why, whose edit gave way to whose, and how the line did."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import beforehand, conflicts, exchange, lost, status, unsent
from node.pages import common
from node.station import current
from schema.web.frame import lang
from sync.wire.words import words

page = Blueprint("unsent", __name__, url_prefix="/unsent")


@page.get("")
def index() -> str:
    """Everything on its way or in the way."""
    station = current()
    with station.store.read() as db:
        waiting = unsent.items(db)
        return render_template(
            "unsent/index.html",
            items=waiting,
            clashes=_clashes(db, waiting),
            refusals=[{"row": row, "why": _why(row), "about": _about(db, row)} for row in conflicts.refusals(db)],
            lost=lost.count(db, station.config.id),
            history=exchange.history(db),
            status=status.read(db, station.config.id, station.home.path, station.clock),
            names=common.officer_names(db),
            said=_said,
            running=_exchange().step is not None,
            after=_exchange().ended,
        )


def _clashes(db: Any, waiting: list[unsent.Item]) -> list[dict[str, Any]]:
    """What the cases that wait will meet at the hub, as far as it is known here."""
    taken = {item.case_id: item for item in waiting if item.case_id}
    found = [(item, beforehand.of_case(db, current().desk, case_id)) for case_id, item in taken.items()]
    return [{"item": item, "findings": said} for item, said in found if said]


@page.post("/send")
def send() -> str | Response:
    """Ask for an exchange now."""
    tasks = current_app.extensions.get("tasks")
    ended = _exchange().ended
    if tasks:
        tasks.sync_now()
    else:
        _exchange().run(by_hand=True)
    return _progress(ended) if common.is_htmx() else redirect(url_for(".index"))


@page.get("/progress")
def progress() -> Response:
    """How far the exchange asked for is; read every second until it is over. Then the page is read anew: its lists and
    the bar would still say what was before.
    """
    after = request.args.get("after", 0, type=int)
    answer = make_response(_progress(after))
    if _exchange().ended != after:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _progress(after: int) -> str:
    return render_template("unsent/progress.html", step=_exchange().step, asked=True, after=after)


@page.post("/refusals/<id:refusal_id>/handled")
def handled(refusal_id: bytes) -> Response:
    """Somebody has seen to it."""
    with current().store.write() as db:
        if not conflicts.handled(db, refusal_id, current().clock):
            abort(404)
    return redirect(url_for(".index", _anchor="refused"))


def _exchange() -> exchange.Exchange:
    kept: exchange.Exchange = current_app.extensions["exchange"]
    return kept


def _said(code: str) -> str:
    """What a code of the exchange means, in the reader's language."""
    zh, en = words(code)
    return zh if lang() == "zh" else en


def _why(row: Any) -> str:
    return str(row["reason"]) if lang() == "zh" else _said(row["code"])


def _about(db: Any, row: Any) -> Any:
    """The case that a refused fact belongs to, when it is one of ours."""
    try:
        fact_id = bytes.fromhex(row["item"])
    except ValueError:
        return None
    return db.execute(
        "SELECT c.id, c.receipt_no, c.person_name FROM fact f JOIN case_file c ON c.id = f.subject WHERE f.id = ?",
        (fact_id,),
    ).fetchone()
