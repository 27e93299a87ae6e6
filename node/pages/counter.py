# SPDX-License-Identifier: Apache-2.0
"""The counter's home: find anyone, today's work, what waits for me, the items done most."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, render_template, request, url_for

from node import case_state, conflicts, elsewhere, lost, status
from node import search as finder
from node.pages import common, queue
from node.station import current
from schema.web.auth import current_officer
from schema.web.frame import t

page = Blueprint("counter", __name__)

SHOWN_TODAY = 200
FILTERS = ("all", "unsent", "mine")


@page.get("/")
def home() -> str:
    """Search, today's work, what waits."""
    station, officer = current(), current_officer()
    show = request.args.get("show", "all")
    with station.store.read() as db:
        since = common.today_begins()
        all_today, count = case_state.listing(db, since=since, limit=SHOWN_TODAY, states=case_state.TAKEN)
        now = status.read(db, station.config.id, station.home.path, station.clock)
        shown = {
            "all": all_today,
            "unsent": [c for c in all_today if c["sent"] in ("unsent", "sent")],
            "mine": [c for c in all_today if c["operator_no"] == officer.operator_no],
        }
        return render_template(
            "counter/home.html",
            cases=shown.get(show, all_today),
            chips=[
                {
                    "label": t(f"counter.show_{name}"),
                    "count": count if name == "all" else len(shown[name]),
                    "url": url_for(".home", show=name),
                    "on": name == show,
                }
                for name in FILTERS
            ],
            queue=queue.at_window(),
            todo=_todo(db, officer.operator_no),
            common=_common(),
            names=common.officer_names(db),
            short_title=common.short_title,
            status=now,
        )


@page.post("/search")
def search() -> str:
    """Hits for what was typed: a list below the box, or a page of its own without script."""
    with current().store.read() as db:
        found = finder.find(db, request.form.get("q", ""), current().config.township)
        item = current().desk.services.get(request.args.get("item", ""))
        found = replace(found, units=[], cases=[]) if item else found
        values = {
            "hits": found,
            "insured": finder.insured_as(db, [bytes(p["id"]) for p in found.persons]),
            "size": finder.register_size(db),
            "as_of": status.as_of(db),
            "item": item,
            "known": elsewhere.known(db, found.typed, current().clock.today()) if found.empty else None,
            "short_title": common.short_title,
            "picking": request.args.get("pick") == "1",
        }
    return render_template("counter/hits.html" if common.is_htmx() else "counter/found.html", **values)


def _todo(db: Any, operator_no: str) -> list[dict[str, Any]]:
    """What waits for somebody here: lines with a count, those that need a person first marked."""
    counts = case_state.counts(db)
    drafts = case_state.drafts(db, operator_no)
    lines = [
        ("returned", counts.get("returned", 0), url_for("cases.index", show="returned"), True),
        ("refused", conflicts.refusals_open(db), url_for("unsent.index", _anchor="refused"), True),
        ("lost", lost.count(db, current().config.id), url_for("lost.index"), True),
        ("rejected", counts.get("rejected", 0), url_for("cases.index", show="ended"), False),
        ("drafts", drafts, url_for("cases.index", show="draft"), False),
    ]
    return [
        {"name": name, "count": count, "url": url, "turn": turn and count > 0}
        for name, count, url, turn in lines
        if count or name in ("returned", "drafts")
    ]


def _common() -> list[dict[str, Any]]:
    """Items with a digit, in its order: 1 to 9, then 0."""
    items = [item for item in common.in_key_order(current().desk.services.values()) if item.common_key]
    return [
        {"digit": item.common_key, "title": item.short, "url": url_for("items.new", service=item.id)} for item in items
    ]
