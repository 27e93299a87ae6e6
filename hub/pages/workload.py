# SPDX-License-Identifier: Apache-2.0
"""工作量: who did how much, by step and month, offline work counted like the rest."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from hub import workload
from hub.context import current
from hub.officers import CASE_ROLES
from hub.sections import Section
from schema import period
from schema.web.auth import require_role

page = Blueprint("workload", __name__)
READERS = (*CASE_ROLES, "inspect", "admin")
SECTION = Section("workload.index", READERS)


@page.get("/workload")
@require_role(*READERS)
def index() -> str:
    """One month; the present one when none or a wrong one is asked for."""
    hub = current()
    today = hub.clock.today()
    asked = request.args.get("month", "")
    month = asked if period.is_month(asked) else period.month_of(today)
    with hub.store.read() as db:
        rows = workload.of_month(db, month)
        months = workload.months(db, today)
    return render_template("hub/workload.html", rows=rows, months=months, month=month, steps=workload.STEPS)
