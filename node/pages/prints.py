# SPDX-License-Identifier: Apache-2.0
"""Papers: log one and show it, the same as a PDF file, and the log of who printed what for whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import documents, officers, prints
from node.pages import common
from node.prints import Print
from node.station import current
from schema import prints as papers
from schema.clock import stamp
from schema.errors import NotAllowed, UnknownSubject
from schema.readable import readable
from schema.web import pdf
from schema.web.auth import current_key, current_officer, has_role
from schema.web.frame import t

HEAD = "head"
LOG_DAYS = 90
PURPOSES = ("self", "loan", "school", "house", "court", "other")

page = Blueprint("prints", __name__, url_prefix="/prints")


@page.get("")
def index() -> str:
    """The log: one's own prints, or everybody's for the head of the station."""
    station, officer = current(), current_officer()
    document = request.args.get("document", "")
    number = common.page_number()
    since = stamp(station.clock.now() - timedelta(days=LOG_DAYS))
    mine = officer.operator_no if not has_role(HEAD) else ""
    with station.store.read() as db:
        rows, total = papers.listing(
            db, cases="case_file", since=since,
            document=document if document in papers.DOCUMENTS else "", operator_no=mine,
            limit=common.PER_PAGE, offset=(number - 1) * common.PER_PAGE,
        )  # fmt: skip
        totals = [] if mine else papers.by_officer(db, since)
        names = common.officer_names(db)
    chips = [_chip(name, document) for name in ("", *papers.DOCUMENTS)]
    return render_template(
        "prints/index.html",
        rows=rows, total=total, totals=totals, names=names, chips=chips, days=LOG_DAYS,
        everybody=not mine, page=number, pages=common.pages_of(total),
        previous_url=url_for(".index", page=number - 1, document=document),
        next_url=url_for(".index", page=number + 1, document=document),
    )  # fmt: skip


@page.get("/new/<document>/<id:subject>")
def ask(document: str, subject: bytes) -> str:
    """The question what a paper with personal data is for."""
    return _ask(document, subject, missing=False)


@page.post("/new/<document>/<id:subject>")
def make(document: str, subject: bytes) -> Response:
    """Log a paper and show it. One that asks for a purpose comes back without it."""
    paper = _paper(document)
    purpose = readable(request.form.get("purpose", "")).strip()
    if paper.asks_purpose and not purpose:
        return make_response(_ask(document, subject, missing=True), 422)
    return redirect(url_for(".show", print_id=issue(document, subject, purpose)))


@page.get("/<id:print_id>")
def show(print_id: bytes) -> str:
    """The sheet as it comes out of the printer."""
    return _sheet(print_id, as_file=False)


@page.get("/<id:print_id>/pdf")
def file(print_id: bytes) -> Response:
    """The same sheet as a file, named by its number."""
    html = _sheet(print_id, as_file=True)
    with current().store.read() as db:
        name = prints.read(db, print_id).file_name
    return as_download(html, name)


def issue(document: str, subject: bytes, purpose: str = "") -> bytes:
    """Log one paper of this officer; returns the print's id. Raises what the document's own check raises."""
    station = current()
    with station.store.write() as db:
        number, persons = documents.check(db, station, document, subject, current_officer())
        return prints.record(
            db, station.desk, document, subject, officer=current_officer(), key=current_key(), number=number,
            persons=persons, purpose=purpose,
        )  # fmt: skip


def as_download(html: str, name: str) -> Response:
    """A PDF to save. Raises NoPdf, which says what to do instead."""
    answer = make_response(pdf.pdf(html))
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def frame_values(db: Any, made: Print, *, as_file: bool) -> dict[str, Any]:
    """What the base of every sheet shows."""
    station = current()
    return {
        "made": made,
        "as_file": as_file,
        "station": station.config,
        "officer_name": officers.names(db).get(made.operator_no, ""),
        "officer_no": made.operator_no,
    }


def _sheet(print_id: bytes, *, as_file: bool) -> str:
    station = current()
    with station.store.read() as db:
        made = prints.read(db, print_id)
        if made.operator_no != current_officer().operator_no and not has_role(HEAD):
            raise NotAllowed(
                "这是别人打印的。要看请自己再打一份，会有记录",
                "Somebody else printed this. Print it yourself to see it; that is logged",
            )
        if made.document.name not in documents.MODULES:
            raise UnknownSubject("回执请在那一件里看", "a slip is shown with its case")
        values = documents.build(db, station, made) | frame_values(db, made, as_file=as_file)
        return render_template(f"prints/{made.document.name}.html", **values)


def _ask(document: str, subject: bytes, *, missing: bool) -> str:
    paper, station = _paper(document), current()
    with station.store.read() as db:
        documents.check(db, station, document, subject, current_officer())
        times = prints.made(db, document, subject)
    return render_template(
        "prints/ask.html", paper=paper, subject=subject, missing=missing, times=times,
        purposes=[t(f"prints.purpose_{name}") for name in PURPOSES],
    )  # fmt: skip


def _paper(document: str) -> papers.Document:
    if document not in documents.MODULES:
        raise UnknownSubject("没有这种单据", "there is no such paper")
    return papers.DOCUMENTS[document]


def _chip(name: str, chosen: str) -> dict[str, Any]:
    label = t(f"document.{name}") if name else t("prints.all")
    return {"label": label, "url": url_for(".index", document=name or None), "on": name == chosen}
