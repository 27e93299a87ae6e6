# SPDX-License-Identifier: Apache-2.0
"""Error pages: what is, and what to do. Never a stack trace, nor the words of an exception not written for people."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from schema import ids
from schema.errors import NotAllowed, Refusal, StoreError, SyncError, TownshipError, UnknownSubject
from schema.web.texts import LANGS

_STATUS: tuple[tuple[type[TownshipError], int], ...] = (
    (NotAllowed, 403),
    (UnknownSubject, 404),
    (Refusal, 409),
    (StoreError, 503),
    (SyncError, 503),
    (TownshipError, 500),
)


def init_errors(app: Flask) -> None:
    """Register the handlers. A project error keeps its own bilingual words; others get those of their status."""
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(TownshipError, _ours)
    app.register_error_handler(HTTPException, _http)


def answer(status: int, key: str, said: dict[str, str] | None = None) -> Response:
    """An error as a page, as a fragment for htmx, or as JSON, whichever was asked for.

    `key`: the group of texts (title, what, todo); `said`: the error's own words {zh, en}, instead of `what`.
    """
    if wants_json():
        spoken = said or {lang: _words(key, lang)["what"] for lang in LANGS}
        return make_response(jsonify(error=key, **spoken), status)
    lang = str(g.get("lang", LANGS[0]))
    words = _words(key, lang)
    if said:
        words["what"] = said[lang]
    response = make_response(_page(status, words), status)
    if _is_htmx():
        # Says it in the notice line instead of breaking the part of the page that was to be replaced.
        response.headers["HX-Retarget"] = "#notice"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _page(status: int, words: dict[str, str]) -> str:
    values = {"status": status, "words": words, "incident": g.get("incident")}
    try:
        return render_template("web/error_notice.html" if _is_htmx() else "web/error.html", **values)
    except Exception as error:
        # The app's own page variables may be what broke (a database that cannot be read): show the page without them.
        _note(error)
        return current_app.jinja_env.get_template("web/error.html").render(bare=True, **values)


def _words(key: str, lang: str) -> dict[str, str]:
    texts = current_app.extensions["web"].texts
    group = key if f"error.{key}.title" in texts else "other"
    limit_mb = (current_app.config["MAX_CONTENT_LENGTH"] or 0) // 2**20
    return {part: texts.text(f"error.{group}.{part}", lang, mb=limit_mb) for part in ("title", "what", "todo")}


def wants_json() -> bool:
    """Whether a program asks, not a browser."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.is_json or (best == "application/json" and not _is_htmx())


def _is_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def _csrf(error: CSRFError) -> Response:
    return answer(400, "csrf")


def _ours(error: TownshipError) -> Response:
    status = next(number for kind, number in _STATUS if isinstance(error, kind))
    if status >= 500:
        _note(error)
    return answer(status, str(status), {"zh": error.zh, "en": error.en})


def _http(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error
    status = error.code or 500
    if status >= 500:
        _note(getattr(error, "original_exception", None) or error)
    response = answer(status, str(status))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _note(error: BaseException) -> None:
    """A number that stands on the page and in the log, so that support finds the one by the other."""
    g.incident = ids.to_text(ids.new_id())[:8]
    current_app.logger.error("page error %s: %s at %s", g.incident, type(error).__name__, request.endpoint)
