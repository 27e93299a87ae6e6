# SPDX-License-Identifier: Apache-2.0
"""The hub's sync routes as a WSGI application, to be mounted beside the hub's pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from sync import frame
from sync.server import problem
from sync.transport import Handler, Request, Response

MAX_FIELDS = 8
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def application(handler: Handler) -> Application:
    """WSGI over `handler`. A body without length or past the limit is refused before it is read."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = _answer(handler, environ)
        headers = [*response.headers.items(), ("content-length", str(len(response.body)))]
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
        return [response.body]

    return answer


def _answer(handler: Handler, environ: dict[str, Any]) -> Response:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > frame.MAX_FRAME:
        return problem(413, "size")
    try:
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), max_num_fields=MAX_FIELDS))
    except ValueError:
        return problem(400, "address")
    headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
    body = environ["wsgi.input"].read(int(length))
    return handler.handle(Request(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), query, headers, body))
