# SPDX-License-Identifier: Apache-2.0
"""站点: the fleet by township, who needs a look, what came in per day."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub import stations
from hub.context import current
from hub.pages import usb
from hub.sections import Section
from schema.clock import stamp
from schema.web.auth import has_role, require_role
from schema.web.frame import t

page = Blueprint("stations", __name__)
SECTION = Section("stations.index")
LOOK, ALL = "look", "all"


@page.get("/stations")
def index() -> str:
    """Tiles, the list of those to look at (or of one township, or all), events per day."""
    hub = current()
    now, today = hub.clock.now(), hub.clock.today()
    with hub.store.read() as db:
        everyone = stations.everyone(db, now, today)
        per_day = stations.facts_per_day(db, today)
        summary = stations.summary(db, now)
    township = request.args.get("township", "")
    show = township if any(s.township == township for s in everyone) else request.args.get("show", LOOK)
    listed = [s for s in everyone if show == ALL or s.township == show or (show == LOOK and s.needs_a_look)]
    by_place = sorted(everyone, key=lambda s: (s.township, s.id))
    tiles = [(code, list(group)) for code, group in groupby(by_place, key=lambda s: s.township)]
    return render_template(
        "hub/stations.html",
        everyone=everyone,
        listed=listed,
        tiles=tiles,
        show=show,
        to_look_at=sum(s.needs_a_look for s in everyone),
        per_day=per_day,
        most=max((n for _, n in per_day), default=0),
        summary=summary,
        sticks=has_role(*usb.ROLES),
    )


@page.post("/stations/<station>/permit")
@require_role("admin")
def permit(station: str) -> Response:
    """Two machines work as one station, or one was restored too often: the next one that asks goes on."""
    hub = current()
    with hub.store.write() as db:
        stations.permit(db, station, stamp(hub.clock.now()))
    flash(t("stations.permitted_now", station=station), "done")
    return redirect(url_for(".index"), 303)
