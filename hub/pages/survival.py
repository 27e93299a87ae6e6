# SPDX-License-Identifier: Apache-2.0
"""资格认证: which of the stations' checks were flagged, and how many are overdue by township. For supervision."""

from __future__ import annotations

from flask import Blueprint, render_template

from hub import survival
from hub.context import current
from hub.sections import Section
from schema.web.auth import require_role

page = Blueprint("survival", __name__)
READERS = ("inspect",)
SECTION = Section("survival.index", READERS)


@page.get("/survival")
@require_role(*READERS)
def index() -> str:
    """Flagged checks, newest first; below them the townships."""
    hub = current()
    with hub.store.read() as db:
        return render_template(
            "hub/survival.html", flagged=survival.flagged(db), townships=survival.by_township(db, hub.clock.today())
        )
