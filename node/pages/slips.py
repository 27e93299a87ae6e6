# SPDX-License-Identifier: Apache-2.0
"""Slips: one page of A5 per copy, saying only what is true. A reprint is a new copy, logged and marked."""

from __future__ import annotations

from unicodedata import east_asian_width

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from node import cases, forms, officers, slips
from node.pages import prints
from node.station import current
from schema.web.auth import current_key, current_officer
from schema.web.frame import lang, t
from schema.web.texts import pick

# A slip is one page, whatever was asked for. In columns: a Chinese character takes two.
VALUE_MAX_COLUMNS = 32
ASKED_MAX_COLUMNS = 100

page = Blueprint("slips", __name__, url_prefix="/cases/<id:case_id>/slip")


@page.post("")
def issue(case_id: bytes) -> Response:
    """Log one more copy and show it."""
    desk = current().desk
    with desk.store.write() as db:
        copy = slips.issue(db, desk, case_id, current_officer(), current_key())
    return redirect(url_for(".show", case_id=case_id, copy=copy))


@page.get("/<int:copy>")
def show(case_id: bytes, copy: int) -> str:
    """One copy, as it comes out of the printer."""
    return _sheet(case_id, copy, as_file=False)[0]


@page.get("/<int:copy>/pdf")
def file(case_id: bytes, copy: int) -> Response:
    """The same copy as a file, named by its receipt number."""
    return prints.as_download(*_sheet(case_id, copy, as_file=True))


def _sheet(case_id: bytes, copy: int, *, as_file: bool) -> tuple[str, str]:
    """The sheet, and its name as a file."""
    station = current()
    desk = station.desk
    with station.store.read() as db:
        file = cases.file(db, case_id)
        services = {file["service"]: desk.item_of(db, file)}
        slip = slips.read(db, case_id, copy, services, station.config.hub_url)
        body = slip.fact.body
        taken_by = {"officer_name": officers.names(db).get(slip.fact.officer, ""), "officer_no": slip.fact.officer}
        html = render_template(
            "slips/slip.html",
            slip=slip,
            proof=slip.proof,
            body=body,
            asked=_in_short(forms.answers(desk, db, slip.item, body["answers"], on_slip=True)),
            papers=[m for m in slip.item.materials if m.id in body["materials"]],
            tail=slips.id_tail(db, body),
            phone=slips.phone(db, body),
            last=slips.last_day(db, slip),
            **prints.frame_values(db, slip.made, as_file=as_file) | taken_by,
        )
    return html, slip.made.file_name


def _in_short(answers: list[forms.Answer]) -> str:
    """What was asked for, short enough for the slip; the whole of it stands in the signed case."""
    parts = [f"{pick(a.label, lang())} {_cut(pick(a.text, lang()), VALUE_MAX_COLUMNS)}" for a in answers]
    return _cut(t("list.stop").join(parts), ASKED_MAX_COLUMNS)


def _cut(text: str, columns: int) -> str:
    taken = 0
    for at, character in enumerate(text):
        taken += 2 if east_asian_width(character) in "WF" else 1
        if taken > columns:
            return text[:at] + "…"
    return text
