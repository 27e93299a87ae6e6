# SPDX-License-Identifier: Apache-2.0
"""U 盘: sticks that stations bring, taken in and answered, for whoever stands at the hub's door."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import Any

from flask import Blueprint, abort, current_app, render_template, request, send_file
from werkzeug.wrappers import Response

from hub.context import current
from schema.events import HUB
from schema.sheets import MIB, WEB
from schema.web import uploads
from schema.web.auth import require_role
from schema.web.frame import lang, t
from schema.web.uploads import Taken
from sync.courier import file as courier_file
from sync.courier.hub import Courier
from sync.wire.words import words

page = Blueprint("usb", __name__, url_prefix="/usb")
ROLES = ("admin", "accept")
BUNDLE_MAX_BYTES = WEB.bytes_max  # the hub's server holds a body in memory; larger ones go by the command line


@page.url_value_preprocessor
def _take_large_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Before anything reads the form: a station's weeks are larger than what other pages may be sent."""
    request.max_content_length = BUNDLE_MAX_BYTES


@page.get("")
@require_role(*ROLES)
def index() -> str:
    """Take a file in, write an answer."""
    return _show([])


@page.post("")
@require_role(*ROLES)
def take() -> Response:
    """Take stations' files in; what came of each, and why one was not taken."""
    results = uploads.each(_courier().take, none=t("usb.choose"))
    bad = any(result.why for result in results)
    return current_app.make_response((_show(results), 422 if bad else 200))


@page.post("/<station>/answer")
@require_role(*ROLES)
def answer(station: str) -> Response:
    """The answer for a station, as a download; the same again when a stick was lost."""
    if not _courier().has_asked(station):
        abort(404)
    sink = TemporaryFile()  # noqa: SIM115  closed by the response when it is sent
    try:
        _courier().answer(station, sink, limit_bytes=BUNDLE_MAX_BYTES)
        sink.seek(0)
    except BaseException:
        sink.close()
        raise
    name = courier_file.name(HUB, station)
    return send_file(sink, "application/octet-stream", as_attachment=True, download_name=name, max_age=0)


def _show(results: list[Taken]) -> str:
    hub = current()
    with hub.store.read() as db:
        names = {row["id"]: row["name"] for row in db.execute("SELECT id, name FROM station")}
    return render_template(
        "hub/usb.html",
        results=results,
        asked=_courier().asked(),
        names=names,
        limit_mb=BUNDLE_MAX_BYTES // MIB,
        said=lambda code: words(code)[0 if lang() == "zh" else 1],
    )


def _courier() -> Courier:
    courier: Courier = current_app.extensions["sync_server"].courier
    return courier
