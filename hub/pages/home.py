# SPDX-License-Identifier: Apache-2.0
"""工作台: what waits for me and how urgent it is, what I did today; and the bar at the foot of every page."""

from __future__ import annotations

from flask import Blueprint, render_template

from hub import decision, queue, stations, workload
from hub.context import current
from hub.queue import Filter
from hub.sections import Section
from schema.web.auth import current_officer

page = Blueprint("home", __name__)
SECTION = Section("home.index")
URGENT_ROWS = 15


@page.get("/")
def index() -> str:
    """The officer's own desk; for those who process nothing, the state of the county."""
    hub, officer = current(), current_officer()
    today = hub.clock.today()
    with hub.store.read() as db:
        return render_template(
            "hub/home.html",
            today=today,
            steps=queue.by_step(db, officer, today),
            urgent=queue.waiting(db, officer, Filter(), URGENT_ROWS),
            pending=decision.pending_of(db, officer.operator_no),
            done=workload.of_officer(db, officer.operator_no, today),
        )


@page.get("/status")
def status() -> str:
    """The bar at the foot: asked for every 15 seconds, and the moment at which pending decisions get signed."""
    hub = current()
    with hub.store.read() as db:
        fleet = stations.summary(db, hub.clock.now())
    return render_template("hub/status.html", fleet=fleet)
