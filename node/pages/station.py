# SPDX-License-Identifier: Apache-2.0
"""This station: is it well, its copies, its rule pack; and the bar at the bottom of every page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from node import doctor, status
from node.pages import card
from node.station import current
from schema import backup
from schema.web.frame import t

page = Blueprint("station", __name__)


@page.get("/station")
def index() -> str:
    """Every check with what it found, the copies, the settings that matter."""
    station = current()
    with station.store.read() as db:
        now = status.read(db, station.config.id, station.home.path, station.clock)
    return render_template(
        "station/index.html",
        checks=doctor.examine(station),
        copies=backup.copies(station.home.backups),
        config=station.config,
        pack=station.rules.current(),
        status=now,
        reader=card.at_counter(),
    )


@page.post("/station/backup")
def copy() -> Response:
    """Make and prove a copy now."""
    station = current()
    made = backup.make(station.store, station.secrets.db_key, station.home.backups, station.clock)
    flash(t("station.copied", name=made.path.name), "done")
    return redirect(url_for(".index"))


@page.get("/bar")
def bar() -> str:
    """The bottom bar; every page reads it every 15 seconds."""
    station = current()
    with station.store.read() as db:
        now = status.read(db, station.config.id, station.home.path, station.clock)
    return render_template("station/bar.html", status=now, reader=card.at_counter())
