# SPDX-License-Identifier: Apache-2.0
"""The waiting room from a window: call the next, once more, did not come, done; and what citizens filled in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import windows
from node.kiosk import queue, requests
from node.pages import common
from node.station import current
from schema.web.auth import current_officer
from schema.web.frame import t

page = Blueprint("queue", __name__, url_prefix="/queue")


@page.get("")
def panel() -> str:
    """The window's panel; the counter's page reads it every few seconds."""
    return render_template("queue/panel.html", queue=at_window())


@page.post("/<act>")
def act(act: str) -> Response:
    """`next`, `again`, `away`, `done` at this window. A number taken with a card opens its person's page."""
    station, window = current(), windows.here()
    called = None
    with station.store.write() as db:
        if act == "next":
            called = queue.call_next(db, station.clock, window, current_officer().operator_no)
        elif act == "again":
            queue.call_again(db, station.clock, window)
        elif act in ("away", "done"):
            queue.finish(db, station.clock, window, act)
    return _answer(called)


@page.post("/back/<id:ticket_id>")
def back(ticket_id: bytes) -> Response:
    """Call a number that had missed its call."""
    station = current()
    with station.store.write() as db:
        called = queue.call_back(db, station.clock, ticket_id, windows.here(), current_officer().operator_no)
    return _answer(called)


@page.get("/requests")
def waiting() -> str:
    """What citizens filled in at the self-service page, oldest first."""
    with current().store.read() as db:
        return render_template("queue/requests.html", rows=requests.waiting(db), short_title=common.short_title)


@page.post("/requests/<id:request_id>")
def handle(request_id: bytes) -> Response:
    """Make it a draft of mine, or drop it."""
    desk, officer = current().desk, current_officer()
    if request.form.get("do") == "drop":
        requests.drop(desk, request_id, officer)
        flash(t("queue.dropped"), "done")
        return redirect(url_for(".waiting"))
    return redirect(url_for("items.edit", case_id=requests.make_draft(desk, request_id, officer)))


def at_window() -> dict[str, Any] | None:
    """What the panel shows; None where there is no waiting room."""
    station = current()
    with station.store.read() as db:
        room = queue.room(db, station.clock)
        mine = queue.at_window(db, station.clock, windows.here())
        asked = requests.count(db)
    if not (station.config.kiosk_port or room.total or mine or room.away or asked):
        return None
    return {"room": room, "mine": mine, "window": windows.here(), "requests": asked}


def _answer(called: queue.Ticket | None) -> Response:
    """The panel for htmx, the counter's page for others; or the page of whoever was called."""
    person = url_for("persons.show", person_id=called.person_id) if called and called.person_id else ""
    if not common.is_htmx():
        return redirect(person or url_for("counter.home"))
    return make_response(panel(), 200, {"HX-Redirect": person} if person else {})
