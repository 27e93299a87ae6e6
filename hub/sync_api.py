# SPDX-License-Identifier: Apache-2.0
"""What stations speak to: /s1/*, handed to the sync server as it came. Stations prove themselves by signatures.

No login and no CSRF token here: the caller is a machine whose every frame is signed, and a browser's cookies are not
looked at.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from hub.context import Hub, current
from hub.courier import make_server
from schema.errors import Refusal
from sync.hub import life
from sync.hub.server import SyncServer
from sync.wire import enrolment
from sync.wire.transport import Request

BODY_MAX_BYTES = 600 * 1024

api = Blueprint("sync_api", __name__, url_prefix="/s1")


def init_api(app: Flask, hub: Hub) -> None:
    """Put the routes into the app, over one sync server."""
    app.extensions["sync_server"] = make_server(hub)
    app.register_blueprint(api)


@api.before_request
def limit_body() -> None:
    """One frame and its header is the largest thing a station sends."""
    request.max_content_length = BODY_MAX_BYTES


@api.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> tuple[Response, int]:
    """Said in the protocol's words: a station reads no pages."""
    return jsonify(code="size"), 413


@api.post("/enrol")
def enrol() -> Response | tuple[Response, int]:
    """A new station asks for its certificate with its one-time code."""
    hub = current()
    with hub.store.read() as db:
        fenced = life.is_fenced(db)
    if fenced:
        return jsonify(code="fenced"), 503
    try:
        asked = enrolment.read_request(request.get_data())
        signed = enrolment.enrol(hub.store, hub.secrets.authority, asked, hub.clock)
    except Refusal as refusal:
        return jsonify(code=refusal.code, zh=refusal.zh, en=refusal.en), 403
    return Response(signed, mimetype="application/octet-stream")


@api.route("/<path:rest>", methods=["GET", "POST", "PUT"])
def exchange(rest: str) -> Response:
    """Everything else belongs to the sync protocol."""
    server: SyncServer = current_app.extensions["sync_server"]
    headers = {name.lower(): value for name, value in request.headers}
    asked = Request(request.method, f"{api.url_prefix}/{rest}", dict(request.args), headers, request.get_data())
    answer = server.handle(asked)
    return Response(answer.body, answer.status, dict(answer.headers))
