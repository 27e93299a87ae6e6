# SPDX-License-Identifier: Apache-2.0
"""Slips: one page of A5 per copy, saying only what is true. A reprint is a new copy, logged and marked."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from node import forms, officers, slips
from node.station import current
from schema.web.auth import current_officer
from schema.web.frame import lang, t
from schema.web.texts import pick

ASKED_MAX_CHARS = 120  # three lines: a slip is one page, whatever was asked for

page = Blueprint("slips", __name__, url_prefix="/cases/<id:case_id>/slip")


@page.post("")
def issue(case_id: bytes) -> Response:
    """Log one more copy and show it."""
    desk = current().desk
    with desk.store.write() as db:
        copy = slips.issue(db, case_id, current_officer(), desk.clock)
    return redirect(url_for(".show", case_id=case_id, copy=copy))


@page.get("/<int:copy>")
def show(case_id: bytes, copy: int) -> str:
    """One copy, as it comes out of the printer."""
    station = current()
    desk = station.desk
    with station.store.read() as db:
        slip = slips.read(db, case_id, copy, desk.services, station.config.hub_url)
        body = slip.fact.body
        return render_template(
            "slips/slip.html",
            slip=slip,
            body=body,
            qr=Markup(slip.qr),
            asked=_in_one_line(forms.answers(desk, db, slip.item, body["answers"], on_slip=True)),
            papers=[m for m in slip.item.materials if m.id in body["materials"]],
            tail=slips.id_tail(db, body),
            phone=slips.phone(db, body),
            officer_name=officers.names(db).get(slip.fact.officer, ""),
            station=station.config,
        )


def _in_one_line(answers: list[forms.Answer]) -> str:
    """What was asked for, short enough for the slip; the whole of it stands in the signed case."""
    text = t("list.stop").join(f"{pick(a.label, lang())} {pick(a.text, lang())}" for a in answers)
    return text if len(text) <= ASKED_MAX_CHARS else text[: ASKED_MAX_CHARS - 1] + "…"
