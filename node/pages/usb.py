# SPDX-License-Identifier: Apache-2.0
"""U 盘: work to the hub and answers back when there is no line, for a clerk with a browser and a stick."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import Any

from flask import Blueprint, current_app, render_template, request, send_file
from werkzeug.wrappers import Response

from node import courier, unsent
from node.courier import Courier
from node.station import current
from schema.web import uploads
from schema.web.frame import lang, t
from schema.web.uploads import Taken
from sync.wire.words import words

page = Blueprint("usb", __name__, url_prefix="/usb")
MIB = 1024 * 1024
ANSWER_MAX_BYTES = 512 * MIB


@page.url_value_preprocessor
def _take_large_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Before anything reads the form: an answer may hold a whole township. It waits in a temporary file, sealed."""
    request.max_content_length = ANSWER_MAX_BYTES


@page.get("")
def index() -> str:
    """Write a file, take an answer in."""
    return _show([])


@page.post("/export")
def export() -> Response:
    """A file for the hub, as a download."""
    sink = TemporaryFile()  # noqa: SIM115  closed by the response when it is sent
    made = _courier()
    try:
        made.export(sink)
        sink.seek(0)
    except BaseException:
        sink.close()
        raise
    return send_file(sink, "application/octet-stream", as_attachment=True, download_name=made.file_name, max_age=0)


@page.post("/import")
def take() -> Response:
    """Take answers in; what came of each, and why one was not taken."""
    results = uploads.each(_courier().take, none=t("usb.choose"))
    bad = any(result.why for result in results)
    return current_app.make_response((_show(results), 422 if bad else 200))


def _show(results: list[Taken]) -> str:
    station = current()
    with station.store.read() as db:
        return render_template(
            "unsent/usb.html",
            waiting=unsent.count(db),
            oldest=unsent.oldest_at(db),
            history=courier.history(db),
            results=results,
            said=lambda code: words(code)[0 if lang() == "zh" else 1],
        )


def _courier() -> Courier:
    return Courier(current(), current_app.extensions["exchange"])
