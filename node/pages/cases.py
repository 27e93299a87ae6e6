# SPDX-License-Identifier: Apache-2.0
"""Cases taken at this station: the list with its filters, one case with everything that happened to it."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from node import case_state, cases, forms, renumber, scans, slips, status
from node.documents import decision, referral
from node.pages import common
from node.station import current
from schema import events
from schema.case import STEPS, UNDER_WAY
from schema.errors import UnknownSubject
from schema.findings import from_json
from schema.readable import readable
from schema.web.auth import current_key, current_officer
from schema.web.frame import t

page = Blueprint("cases", __name__, url_prefix="/cases")

SHOWS = ("all", "open", "returned", "draft", "done", "ended")


@page.get("")
def index() -> str:
    """Cases by state, of everybody or mine, newest first."""
    officer = current_officer()
    show = request.args.get("show", "all")
    show = show if show in SHOWS else "all"
    mine = request.args.get("mine") == "1"
    number = common.page_number()
    with current().store.read() as db:
        rows, total = case_state.listing(
            db,
            states=case_state.STATES_OF_LISTS.get(show, ()),
            operator_no=officer.operator_no if mine or show == "draft" else "",
            limit=common.PER_PAGE,
            offset=(number - 1) * common.PER_PAGE,
        )
        counts = case_state.counts(db) | {"draft": case_state.drafts(db, officer.operator_no)}
        names = common.officer_names(db)
    chips = [_chip(name, show, mine, counts) for name in SHOWS]
    return render_template(
        "cases/index.html",
        cases=rows,
        total=total,
        show=show,
        chips=chips,
        whose=[
            {"label": t(f"cases.of_{who}"), "url": url_for(".index", show=show, mine=flag), "on": mine == bool(flag)}
            for who, flag in (("all", None), ("me", "1"))
        ],
        page=number,
        pages=common.pages_of(total),
        previous_url=url_for(".index", page=number - 1, show=show, mine=_flag(mine)),
        next_url=url_for(".index", page=number + 1, show=show, mine=_flag(mine)),
        names=names,
        short_title=common.short_title,
    )


@page.get("/<id:case_id>")
def show(case_id: bytes) -> str | AnyResponse:
    """One case: where it stands, what was asked for, what happened, what can be done now."""
    return _page(case_id)


@page.post("/<id:case_id>/withdraw")
def withdraw(case_id: bytes) -> AnyResponse:
    """The applicant takes the case back; a reason is asked for."""
    reason = readable(request.form.get("reason", "")).strip()
    if not reason:
        return make_response(_page(case_id, reason_missing=True), 422)
    cases.withdraw(current().desk, case_id, reason, current_officer(), current_key())
    flash(t("cases.withdrawn"), "done")
    return redirect(url_for(".show", case_id=case_id))


@page.post("/<id:case_id>/renumber")
def new_number(case_id: bytes) -> AnyResponse:
    """The hub has the receipt number on another case: submit this one again with a new one."""
    number = renumber.submit_again(current().desk, case_id, current_officer(), current_key())
    flash(t("cases.renumbered", number=number), "done")
    return redirect(url_for(".show", case_id=case_id))


def _page(case_id: bytes, *, reason_missing: bool = False) -> str | AnyResponse:
    station = current()
    with station.store.read() as db:
        row = case_state.one(db, case_id)
        if row is None:
            raise UnknownSubject("本站没有这一件", "this station has no such case")
        if row["state"] == "draft":
            return redirect(url_for("items.edit", case_id=case_id))
        file = cases.file(db, case_id)
        item = station.desk.item_of(db, file)
        facts = events.of_subject(db, case_id)
        stated = [f for f in facts if f.kind in ("case_submitted", "case_resubmitted")]
        given = cases.Given(stated[-1].body["answers"], stated[-1].body["materials"])
        result = json.loads(row["result"]) if row["result"] else {}
        return render_template(
            "cases/show.html",
            case=row,
            item=item,
            answers=forms.answers(station.desk, db, item, given.answers),
            held=[m for m in item.materials if m.id in given.materials],
            missing=[m for m in item.materials if m.id in result.get("missing", [])],
            lines=result.get("lines", []),
            outcome=result.get("outcome"),
            total_fen=result.get("total_fen"),
            findings=from_json(file["findings"]),
            facts=facts,
            path=_path(row, item.steps_for(given.answers)),
            names=common.officer_names(db),
            hub_as_of=status.as_of(db),
            scans=scans.of_case(db, case_id),
            copies=slips.issued(db, case_id),
            can_withdraw=row["state"] in case_state.UNDECIDED and row["legal"] != "final",
            can_correct=row["state"] == "returned",
            reason_missing=reason_missing,
            papers=_papers(row),
            number_twice=renumber.refused(db, row) is not None,
        )


def _flag(mine: bool) -> str | None:
    return "1" if mine else None


def _papers(row: Any) -> list[str]:
    """The papers, beside the slip, that this case has."""
    papers = ["missing"] if row["state"] == "returned" else ["decision"] if row["state"] in decision.DECIDED else []
    return papers + ["referral"] * (row["service"] == referral.SERVICE)


def _chip(name: str, show: str, mine: bool, counts: dict[str, int]) -> dict[str, Any]:
    states = case_state.STATES_OF_LISTS.get(name)
    count = sum(counts.get(s, 0) for s in states) if states else sum(counts.values())
    url = url_for(".index", show=name, mine=_flag(mine))
    return {"label": t(f"cases.show_{name}"), "count": None if mine else count, "url": url, "on": name == show}


def _path(row: Any, steps: tuple[str, ...]) -> list[dict[str, Any]]:
    """The hub's steps of this item: done, under way, still to come."""
    reached = [s for s in STEPS if STEPS[s]["state"] == row["state"]]
    if row["state"] in ("effective", "paid", "approved"):
        done = len(steps)
    elif reached and reached[0] in steps:
        done = steps.index(reached[0]) + 1
    else:
        done = 0
    running = row["state"] in UNDER_WAY and row["state"] != "approved"
    return [
        {
            "name": STEPS[step],
            "state": "done" if at < done else "now" if at == done and running and row["received_at"] else "todo",
        }
        for at, step in enumerate(steps)
    ]
