# SPDX-License-Identifier: Apache-2.0
"""Pictures of papers at the form: a scanner's file or a photo, shown small, removed, looked at."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import cases, scans
from node.pages import common, items
from node.station import current
from schema.errors import TownshipError
from schema.web.auth import current_officer
from schema.web.frame import lang
from sync.station.blob import MAX_BYTES

page = Blueprint("scans", __name__)


@page.post("/drafts/<id:case_id>/scans/<material>")
def add(case_id: bytes, material: str) -> Response:
    """Keep the pictures sent for one paper; the draft is kept with them, so that they have something to belong to."""
    item, _, _ = items.keep(case_id)
    if material not in {m.id for m in item.materials}:
        abort(404)
    why = ""
    for file in request.files.getlist("file"):
        data = file.stream.read(MAX_BYTES + 1)
        try:
            with current().store.write() as db:
                scans.keep(db, case_id, material, data, scans.sniffed(data), clock=current().clock)
        except TownshipError as error:
            why = error.text(lang())
    return _answer(case_id, material, why)


@page.post("/drafts/<id:case_id>/scans/<material>/<sha256>/remove")
def remove(case_id: bytes, material: str, sha256: str) -> Response:
    """Take a picture out again."""
    with current().store.write() as db:
        if cases.may_edit(db, case_id, current_officer()) is None:
            abort(409)
        scans.remove(db, case_id, material, _hash(sha256))
    return _answer(case_id, material, "")


@page.get("/cases/<id:case_id>/scans/<sha256>")
def show(case_id: bytes, sha256: str) -> Response:
    """One picture. What it is was found by its bytes; a browser must not guess anything else into it."""
    with current().store.read() as db:
        media_type, data = scans.read(db, case_id, _hash(sha256))
    answer = make_response(data)
    answer.headers["Content-Type"] = media_type
    answer.headers["Content-Disposition"] = "inline"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _answer(case_id: bytes, material: str, why: str) -> Response:
    if not common.is_htmx():
        return redirect(url_for("items.edit", case_id=case_id), 303)
    with current().store.read() as db:
        kept = scans.of_case(db, case_id).get(material, [])
    html = render_template("items/scans.html", case_id=case_id, paper=material, kept=kept, why=why, editing=True)
    return make_response(html)


def _hash(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        abort(404)
    return value if len(value) == 32 else abort(404)
