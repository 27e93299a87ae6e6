# SPDX-License-Identifier: Apache-2.0
"""The search box for employers: a hit opens the form for that unit, or is put into the field that asked."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from node import employers, status
from node.station import current

page = Blueprint("unit_search", __name__)


@page.post("/search/units")
def search() -> str:
    """Hits for what was typed."""
    with current().store.read() as db:
        found = employers.find(db, request.form.get("q", ""))
        return render_template(
            "items/unit_hits.html",
            units=found[: employers.SHOWN],
            more=len(found) > employers.SHOWN,
            item=current().desk.services.get(request.args.get("item", "")),
            picking=request.args.get("pick") == "1",
            size=employers.count(db),
            as_of=status.as_of(db),
        )
