# SPDX-License-Identifier: Apache-2.0
"""名册: a unit's joins, leaves and base changes from a file, looked at first, then taken as cases."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from node import case_state, roster, roster_jobs, roster_sheet
from node.pages import common
from node.roster import NewRoster
from node.roster_jobs import Job
from node.station import current
from schema import findings, view_unit
from schema.errors import UnknownSubject
from schema.service_parts import Service
from schema.sheets_out import XLSX
from schema.web.auth import current_key, current_officer
from schema.web.frame import lang, t

page = Blueprint("rosters", __name__, url_prefix="/rosters")
SHOWN, RECENT = 200, 20


@page.url_value_preprocessor
def _take_large_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    request.max_content_length = roster_sheet.LIMITS.bytes_max + 1024 * 1024


@page.get("")
def index() -> str:
    """Which change, of which unit, which file; and the last rosters."""
    return _show()


@page.get("/template/<service>.xlsx")
def template(service: str) -> Response:
    """The empty roster of an item."""
    desk = current().desk
    item = desk.service(service)
    if not roster_sheet.is_roster_item(item):
        raise UnknownSubject("这个事项不能用名册办", "this item is not taken by roster")
    with desk.store.read() as db:
        content = roster_sheet.template(item, roster.columns(db, desk, item))
    return _download(content, f"roster-{item.id}.xlsx")


@page.post("")
def upload() -> AnyResponse:
    """Look at a file in the background."""
    desk, officer = current().desk, current_officer()
    sent = request.files.get("file")
    with desk.store.read() as db:
        unit_id = view_unit.find_by_uscc(db, request.form.get("uscc", ""))
    if sent is None or not sent.filename or unit_id is None:
        return make_response(_show(t("rosters.choose") if unit_id else t("rosters.no_unit")), 422)
    with sent.stream:
        content = sent.read()
    name = PurePath(sent.filename).name
    new = NewRoster(request.form.get("service", ""), unit_id, request.form.getlist("materials"), name, officer)
    job = roster_jobs.of_app(current_app).start(
        officer.operator_no, lambda tell: roster.preview(desk, content, new, tell)
    )  # fmt: skip
    return redirect(url_for(".job", job_id=job), 303)


@page.get("/jobs/<id:job_id>")
def job(job_id: bytes) -> AnyResponse:
    """How far a roster is; the roster itself when it is done."""
    found = _job(job_id)
    if found.roster_id:
        return redirect(url_for(".show", roster_id=found.roster_id), 303)
    return make_response(render_template("rosters/job.html", job=found, job_id=job_id))


@page.get("/jobs/<id:job_id>/progress")
def progress(job_id: bytes) -> AnyResponse:
    """The bar alone; it asks again while the work runs."""
    found = _job(job_id)
    answer = make_response(render_template("rosters/progress.html", job=found, job_id=job_id))
    if found.roster_id:
        answer.headers["HX-Redirect"] = url_for(".show", roster_id=found.roster_id)
    return answer


@page.get("/<id:roster_id>")
def show(roster_id: bytes) -> str:
    """The lines with what was found, bad ones first, and what can be done now."""
    desk = current().desk
    with desk.store.read() as db:
        head = roster.find(db, roster_id)
        rows = db.execute(
            "SELECT r.*, c.receipt_no FROM roster_row r LEFT JOIN case_file c ON c.id = r.case_id "
            "WHERE r.roster_id = ? ORDER BY r.state <> 'bad', r.line LIMIT ?",
            (roster_id, SHOWN),
        ).fetchall()
        made = db.execute("SELECT case_id FROM roster_row WHERE roster_id = ? AND case_id IS NOT NULL LIMIT 1",
                          (roster_id,)).fetchone()  # fmt: skip
        one = case_state.one(db, bytes(made[0])) if made else None
        return render_template(
            "rosters/show.html", head=head, counts=roster.counts(db, roster_id),
            title=common.short_title(head["service"]), shown=SHOWN,
            short=roster.numbers_short(db, desk, roster_id) if head["state"] != "withdrawn" else 0,
            rows=[(row, _number(row), findings.from_json(row["findings"])) for row in rows],
            unsent=one is not None and one["sent"] == "unsent" and head["state"] != "withdrawn",
        )  # fmt: skip


@page.post("/<id:roster_id>/take")
def take(roster_id: bytes) -> AnyResponse:
    """Take the good lines, signed, in the background."""
    desk, officer, key = current().desk, current_officer(), current_key()

    def work(tell: roster.Progress) -> bytes:
        roster.take(desk, roster_id, officer, key, tell)
        return roster_id

    return redirect(url_for(".job", job_id=roster_jobs.of_app(current_app).start(officer.operator_no, work)), 303)


@page.get("/<id:roster_id>/bad.xlsx")
def bad(roster_id: bytes) -> Response:
    """The bad lines with their reasons, to be mended and fed again."""
    with current().store.read() as db:
        return _download(roster.bad_rows(db, roster_id, lang()), "returned.xlsx")


@page.post("/<id:roster_id>/discard")
def discard(roster_id: bytes) -> AnyResponse:
    """Throw the preview away."""
    roster.discard(current().desk, roster_id)
    flash(t("rosters.discarded"), "done")
    return redirect(url_for(".index"), 303)


@page.post("/<id:roster_id>/withdraw")
def withdraw(roster_id: bytes) -> AnyResponse:
    """Take all its cases back, while none was sent."""
    count = roster.withdraw(current().desk, roster_id, t("rosters.withdraw_reason"), current_officer(), current_key())
    flash(t("rosters.withdrawn", n=count), "done")
    return redirect(url_for(".show", roster_id=roster_id), 303)


@page.get("/<id:roster_id>/receipt")
def receipt(roster_id: bytes) -> str:
    """One receipt for the whole roster: every line with its number."""
    station = current()
    with station.store.read() as db:
        head = roster.find(db, roster_id)
        rows = db.execute(
            "SELECT r.line, r.person_name, c.receipt_no, c.legal FROM roster_row r "
            "JOIN case_file c ON c.id = r.case_id WHERE r.roster_id = ? ORDER BY r.line",
            (roster_id,),
        ).fetchall()
    item = station.desk.service(head["service"])
    return render_template("rosters/receipt.html", head=head, rows=rows, item=item, station=station.config)


def _job(job_id: bytes) -> Job:
    found = roster_jobs.of_app(current_app).of(job_id, current_officer().operator_no)
    if found is None:
        raise UnknownSubject("这项工作已结束，请看名册列表", "this work is over: see the list of rosters")
    return found


def _show(fault: str = "") -> str:
    desk = current().desk
    items: list[Service] = [i for i in common.in_key_order(desk.services.values()) if roster_sheet.is_roster_item(i)]
    chosen = request.values.get("service", "")
    with desk.store.read() as db:
        recent = db.execute("SELECT * FROM roster ORDER BY at DESC LIMIT ?", (RECENT,)).fetchall()
        return render_template(
            "rosters/index.html", items=items, recent=recent, fault=fault, uscc=request.values.get("uscc", ""),
            item=next((i for i in items if i.id == chosen), items[0] if items else None),
            ticked=request.form.getlist("materials"), unit=_unit_named(db), limits=roster_sheet.LIMITS,
            short_title=common.short_title,
        )  # fmt: skip


def _unit_named(db: Any) -> str:
    """The name of the unit whose code is already typed, '' for none."""
    unit_id = view_unit.find_by_uscc(db, request.values.get("uscc", ""))
    unit = view_unit.unit_view(db, unit_id, current().clock.today()) if unit_id else None
    return str(unit.unit["name"]) if unit else ""


def _number(row: Any) -> str:
    return str(json.loads(row["answers"]).get(roster_sheet.ID_NUMBER, ""))


def _download(content: bytes, name: str) -> Response:
    answer = make_response(content)
    answer.headers["Content-Type"] = XLSX
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer
